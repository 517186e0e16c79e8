"""SubRip in. The format has no specification; this is what files in the wild hold:

    12                                      a counter, often wrong, sometimes missing
    00:01:02,500 --> 00:01:04,000           hours, and the comma's part, may be missing
    {\\an8}<i>Text</i>, one or more lines    up to a blank line, or to the next cue's times

Italic, bold and underline are kept, {\\anN} becomes a position, any other markup is dropped, and
the text is escaped for WebVTT.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from packager.errors import BadText
from packager.model import Cue
from packager.text.document import Block, Broken, TextDocument, document_of, lines_of
from packager.text.webvtt import milliseconds

_TIMESTAMP = r"(?:([0-9]{1,9}):)?([0-5]?[0-9]):([0-5]?[0-9])(?:[,.]([0-9]{3}))?"
_TIMING = re.compile(rf"\s*{_TIMESTAMP}\s*-->\s*{_TIMESTAMP}(?:\s.*)?", re.DOTALL)
_COUNTER = re.compile(r"\s*[0-9]+\s*")
_MARKUP = re.compile(
    r"(?P<kept></?[biu]>)|(?P<dropped></?font\b[^<>]{0,256}>|\{\\[^{}]{0,256}\})|[&<>]",
    re.IGNORECASE,
)
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}

# {\anN}: N as on a numeric keypad. WebVTT's own place is bottom centre.
_POSITION = re.compile(r"\{\\an([1-9])\}", re.IGNORECASE)
_ROWS = ("", "line:50%", "line:0")
_COLUMNS = ("align:left", "", "align:right")


def read_srt(data: bytes) -> TextDocument:
    """Raises ``BadText`` where no cue can be read. Bytes that are not UTF-8 are Windows-1252."""
    lines = lines_of(data, fallback="cp1252")
    document = document_of(_blocks(lines))
    if not document.cues:
        raise BadText("holds no cue", line=1)
    return document


def _blocks(lines: list[str]) -> Iterator[Block]:
    at = 0
    while at < len(lines):
        if not lines[at].strip():
            at += 1
            continue
        timing = at + 1 if _is_counter(lines, at) else at
        times = _TIMING.fullmatch(lines[timing])
        end = _block_end(lines, timing + 1)
        yield from _cue(times, lines[timing + 1 : end]) if times else (Broken(timing + 1),)
        at = end


def _is_counter(lines: list[str], at: int) -> bool:
    """A number with a line below it."""
    below = "".join(lines[at + 1 : at + 2])
    return bool(below.strip()) and _COUNTER.fullmatch(lines[at]) is not None


def _block_end(lines: list[str], at: int) -> int:
    """A blank line, or the times of another cue (with its counter) that nothing sets apart."""
    while at < len(lines) and lines[at].strip():
        times = at + 1 if _is_counter(lines, at) else at
        if _TIMING.fullmatch(lines[times]):
            break
        at += 1
    return at


def _cue(times: re.Match[str], body: list[str]) -> Iterator[Cue]:
    """The cue, unless it never shows anything."""
    start, end = milliseconds(*times.group(1, 2, 3, 4)), milliseconds(*times.group(5, 6, 7, 8))
    text = "\n".join(body)
    lines = (line.rstrip() for line in _MARKUP.sub(_translate, text).split("\n"))
    payload = "\n".join(filter(None, lines))
    if payload and start < end:
        yield Cue(start, end, payload, _settings(text))


def _translate(markup: re.Match[str]) -> str:
    if markup["kept"]:
        return markup["kept"].lower()
    return "" if markup["dropped"] else _ESCAPES[markup[0]]


def _settings(text: str) -> str:
    position = _POSITION.search(text)
    if position is None:
        return ""
    row, column = divmod(int(position[1]) - 1, 3)
    return " ".join(filter(None, (_ROWS[row], _COLUMNS[column])))
