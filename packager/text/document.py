"""Subtitle files before and after their format: bytes to lines, blocks to a document.

A reader turns lines into blocks and stays a generator, so the bounds are kept here, once.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from dataclasses import dataclass

from packager.errors import BadText
from packager.model import Cue

MAX_BYTES = 16 << 20
MAX_LINES = 2_000_000
MAX_CUES = 100_000

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class TextDocument:
    """``header``: WebVTT STYLE and REGION blocks with a blank line between; ``cues`` by start;
    ``skipped``: the lines, counted from 1, of cues too broken to read."""

    header: str
    cues: tuple[Cue, ...]
    skipped: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Broken:
    """A cue that cannot be read; ``line`` counts from 1."""

    line: int


Block = Cue | Broken | str
"""``str``: a STYLE or REGION block, no blank line in it."""


def lines_of(data: bytes, *, fallback: str | None = None) -> list[str]:
    """The lines of a subtitle file, whatever ends them (CRLF, LF or CR).

    A byte order mark names the encoding; without one it is UTF-8, and where it cannot be,
    ``fallback``. Raises ``BadText`` for bytes that are neither, and beyond the limits.
    """
    if len(data) > MAX_BYTES:
        raise BadText(f"{len(data)} bytes, more than {MAX_BYTES}")
    text = _one_newline(_decode(data, fallback))
    if text.count("\n") >= MAX_LINES:
        raise BadText(f"more than {MAX_LINES} lines")
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").split("\n")


def _decode(data: bytes, fallback: str | None) -> str:
    encoding = "utf-8"
    for mark, marked in _BOMS:
        if data.startswith(mark):
            data, encoding, fallback = data[len(mark) :], marked, None
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        if fallback is not None and _decodes(data, fallback):
            return data.decode(fallback)
        before = _one_newline(data[: error.start].decode(encoding, "replace"))
        raise BadText(f"not {encoding.upper()}", line=before.count("\n") + 1) from None


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _one_newline(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def document_of(blocks: Iterable[Block]) -> TextDocument:
    """The document that ``blocks`` make up; ``BadText`` where all its cues are broken."""
    header: list[str] = []
    cues: list[Cue] = []
    skipped: list[int] = []
    for block in blocks:
        match block:
            case Cue():
                cues.append(block)
            case Broken(line):
                skipped.append(line)
            case _:
                header.append(block)
        if len(cues) + len(skipped) > MAX_CUES:
            raise BadText(f"more than {MAX_CUES} cues")
    if skipped and not cues:
        raise BadText("no cue can be read, and the first is broken", line=skipped[0])
    cues.sort(key=lambda cue: cue.start)
    return TextDocument("\n\n".join(header), tuple(cues), tuple(skipped))
