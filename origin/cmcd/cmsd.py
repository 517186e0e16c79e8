"""What we tell caches and players of an object: Common Media Server Data (CTA-5006).

``CMSD-Static`` holds for every viewer and on every node, so it is a part of a resource's field
lines. Of a segment it says which one players ask for next, which lets a cache fetch it ahead. A
segment is the same for HLS and DASH, and does not say for which it is. ``CMSD-Dynamic`` and
``Server-Timing`` are of one answer.
"""

from __future__ import annotations

from packager.address import Address, InitSegment, Mpd, TextSegment, WholeText
from packager.model import MediaKind, Rendition

Fields = tuple[tuple[str, str], ...]

NAME = "vod-origin"
"""Whose values they are: each server on the way may add its own."""


def static(address: Address) -> Fields:
    """Of what is made in memory."""
    match address:
        case InitSegment():
            return _static("ot=i")
        case WholeText() | TextSegment():
            return _static("ot=c")
        case Mpd():
            return _static("ot=m,sf=d")
        case _:
            return _static("ot=m,sf=h")


def static_of_segment(rendition: Rendition, row: int) -> Fields:
    """``br``: kbit/s, of the whole track; ``d``: milliseconds."""
    segments = rendition.segments
    duration = round(int(segments.duration[row]) * 1000 / rendition.timescale)
    rate = max(1, round(rendition.average_bandwidth / 1000))
    kind = "v" if rendition.track.kind is MediaKind.VIDEO else "a"
    following = f',nor="{segments.time[row + 1]}.m4s"' if row + 1 < len(segments) else ""
    return _static(f"br={rate},d={duration}{following},ot={kind}")


def dynamic(seconds: float) -> Fields:
    """How long it took to answer."""
    return (
        ("CMSD-Dynamic", f'"{NAME}";rd={round(seconds * 1000)}'),
        ("Server-Timing", f"origin;dur={seconds * 1000:.1f}"),
    )


def _static(values: str) -> Fields:
    return (("CMSD-Static", f"{values},st=v"),)
