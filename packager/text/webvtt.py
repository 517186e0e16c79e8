"""WebVTT in, by the parser of the specification (W3C WebVTT 6.1), so that what a browser would
show is what is read.

A block ends at a blank line, or where the next line that holds "-->" starts another cue. Comments
and cue identifiers are not kept; STYLE and REGION count only before the first cue.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from packager.errors import BadText
from packager.model import Cue
from packager.text.document import Block, Broken, TextDocument, document_of, lines_of

_SIGNATURE = re.compile(r"WEBVTT(?:[ \t].*)?", re.DOTALL)
_HEADER_BLOCK = re.compile(r"(?:STYLE|REGION)\s*")
_TIMESTAMP = r"(?:([0-9]{1,9}):)?([0-5][0-9]):([0-5][0-9])\.([0-9]{3})"
_TIMING = re.compile(rf"[ \t\f]*{_TIMESTAMP}[ \t\f]*-->[ \t\f]*{_TIMESTAMP}(.*)", re.DOTALL)
_SETTING = re.compile(r"(?:vertical|line|position|size|align|region):[^\s>]+")


def read_webvtt(data: bytes) -> TextDocument:
    """Raises ``BadText`` without the signature, or where cues are there and none can be read."""
    lines = lines_of(data)
    if not _SIGNATURE.fullmatch(lines[0]):
        raise BadText("does not start with WEBVTT", line=1)
    return document_of(_blocks(lines))


def _blocks(lines: list[str]) -> Iterator[Block]:
    cue_seen = False
    at = _block_end(lines, 1)  # what follows the signature up to a blank line is metadata
    while at < len(lines):
        if not lines[at]:
            at += 1
            continue
        timing = _timing_line(lines, at)
        end = _block_end(lines, at if timing is None else timing + 1)
        if timing is not None:
            times = _TIMING.fullmatch(lines[timing])
            cue_seen = cue_seen or times is not None
            yield from _cue(times, lines[timing + 1 : end]) if times else (Broken(timing + 1),)
        elif (
            not cue_seen
            and _HEADER_BLOCK.fullmatch(lines[at])
            and (body := list(_stripped(lines[at + 1 : end])))
        ):
            yield "\n".join((lines[at].rstrip(), *body))
        at = end


def _timing_line(lines: list[str], at: int) -> int | None:
    """The first or second line of the block, if one of them holds an arrow."""
    return next((line for line in range(at, min(at + 2, len(lines))) if "-->" in lines[line]), None)


def _block_end(lines: list[str], at: int) -> int:
    while at < len(lines) and lines[at] and "-->" not in lines[at]:
        at += 1
    return at


def _cue(times: re.Match[str], body: list[str]) -> Iterator[Cue]:
    """The cue, unless it never shows anything."""
    start, end = milliseconds(*times.group(1, 2, 3, 4)), milliseconds(*times.group(5, 6, 7, 8))
    payload = "\n".join(_stripped(body))
    if payload and start < end:
        settings = filter(_SETTING.fullmatch, times[9].split())
        yield Cue(start, end, payload, " ".join(settings))


def _stripped(lines: list[str]) -> Iterator[str]:
    """Without trailing space, and without the lines that had nothing else."""
    return filter(None, (line.rstrip() for line in lines))


def milliseconds(
    hours: str | None, minutes: str, seconds: str, thousandths: str | None = None
) -> int:
    """What the parts of a timestamp add up to; those left out count nothing."""
    whole = (int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)
    return whole * 1000 + int(thousandths or 0)
