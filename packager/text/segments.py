"""WebVTT out: the whole file for DASH, and the segments HLS wants.

Text has its own, long segments: a small file a minute is plenty. A cue that crosses a boundary is
written in both segments, byte for byte the same, for players drop what they already show.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from packager.model import Cue, TextRendition

SEGMENT_MS = 60_000

# The presentation's timeline starts at 0, and so do the cues (RFC 8216bis 3.1.4).
_TIMESTAMP_MAP = "X-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000"


def text_edges(duration_ms: int) -> tuple[int, ...]:
    """Boundaries in milliseconds, one more than segments; a tail under half a step is merged."""
    count = max((duration_ms + SEGMENT_MS // 2) // SEGMENT_MS, 1)
    return (*(index * SEGMENT_MS for index in range(count)), duration_ms)


def webvtt_segment(text: TextRendition, index: int) -> bytes:
    """Segment ``index`` of ``text.edges``: every cue that shows at some time in it."""
    start, stop = text.edges[index : index + 2]
    return _file(f"WEBVTT\n{_TIMESTAMP_MAP}", text.header, _showing(text.cues, start, stop))


def webvtt_file(text: TextRendition) -> bytes:
    """Every cue that shows before the presentation ends."""
    return _file("WEBVTT", text.header, _showing(text.cues, 0, text.edges[-1]))


def _showing(cues: Iterable[Cue], start: int, stop: int) -> Iterator[Cue]:
    return (cue for cue in cues if cue.start < stop and cue.end > start)


def _file(signature: str, header: str, cues: Iterable[Cue]) -> bytes:
    blocks = (signature, *filter(None, (header,)), *_cue_blocks(cues))
    return ("\n\n".join(blocks) + "\n").encode()


def _cue_blocks(cues: Iterable[Cue]) -> Iterator[str]:
    for cue in cues:
        settings = f" {cue.settings}" if cue.settings else ""
        yield f"{_timestamp(cue.start)} --> {_timestamp(cue.end)}{settings}\n{cue.payload}"


def _timestamp(milliseconds: int) -> str:
    seconds, thousandths = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{thousandths:03}"
