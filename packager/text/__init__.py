"""Subtitles from side files: WebVTT and SubRip in, WebVTT out."""

from __future__ import annotations

from collections.abc import Callable

from packager.errors import BadText
from packager.text.document import TextDocument
from packager.text.segments import text_edges, webvtt_file, webvtt_segment
from packager.text.srt import read_srt
from packager.text.webvtt import read_webvtt

__all__ = [
    "READERS",
    "TextDocument",
    "read_text",
    "text_edges",
    "webvtt_file",
    "webvtt_segment",
]

READERS: tuple[tuple[str, Callable[[bytes], TextDocument]], ...] = (
    (".vtt", read_webvtt),
    (".srt", read_srt),
)
"""File name ending -> reader; a new format is one line here."""


def read_text(name: str, data: bytes) -> TextDocument:
    """Read a side file by the ending of its ``name``; raises ``BadText`` where it cannot be."""
    for ending, read in READERS:
        if name.lower().endswith(ending):
            return read(data)
    raise BadText("the name ends in none of " + ", ".join(ending for ending, _ in READERS))
