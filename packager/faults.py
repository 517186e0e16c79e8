"""What is wrong, or merely slow, with a title's files: a check before anyone watches.

Each ``Fault`` is one sentence about one file. Some keep a track from playing (it is left out of the
presentation), the others break a rule that players or the Apple authoring specification rely on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from packager.model import MediaKind, Presentation, Rendition
from packager.timeline import TARGET_SECONDS, seconds

PEAK_RATIO = 2  # Apple authoring specification 1.29: a peak is at most twice the average
LENGTH_DIFFERENCE_SECONDS = 0.5
SLOW_RANGES = 16


@dataclass(frozen=True, slots=True)
class Fault:
    """``code`` is stable, for scripts; ``source``: the file at fault."""

    source: str
    code: str
    text: str

    @property
    def is_note(self) -> bool:
        """It plays as it should all the same."""
        return self.code in ("not-needed", "interleaved")


def find_faults(presentation: Presentation) -> tuple[Fault, ...]:
    """All faults of a title, in the order of its renditions; empty for a title as it should be."""
    faults = (
        *_left_out(presentation),
        *_timescales(presentation.video),
        *_lengths(presentation),
        *_priming(presentation.audio),
        *(fault for rendition in presentation.renditions for fault in _own(rendition)),
        *_interleaved(presentation),
    )
    return tuple(dict.fromkeys(faults))  # tracks of one file may have the same


def _left_out(presentation: Presentation) -> Iterator[Fault]:
    for out in presentation.left_out:
        if out.expected:
            yield Fault(out.source, "not-needed", out.text)
        else:
            yield Fault(out.source, "left-out", out.text)


def _timescales(video: tuple[Rendition, ...]) -> Iterator[Fault]:
    """Renditions to switch between should share a timescale (CMAF 7.3.4.1)."""
    for rendition in video[1:]:
        if rendition.timescale != video[0].timescale:
            yield Fault(
                rendition.source,
                "timescale",
                f"timescale {rendition.timescale} differs from {video[0].timescale} of "
                f"{video[0].source}: players cannot switch between them smoothly",
            )


def _lengths(presentation: Presentation) -> Iterator[Fault]:
    """Audio and video playlists cover the same time (Apple 8.3, 8.7)."""
    if not presentation.video:
        return
    end = float(seconds(presentation.video[0].track))
    for rendition in presentation.audio:
        difference = float(seconds(rendition.track)) - end
        if abs(difference) > LENGTH_DIFFERENCE_SECONDS:
            yield Fault(
                rendition.source,
                "length",
                f"the sound ends {abs(difference):.2f} s "
                f"{'after' if difference > 0 else 'before'} the pictures",
            )


def _priming(audio: tuple[Rendition, ...]) -> Iterator[Fault]:
    """Tracks of one codec start alike, or lips move early in one language."""
    for first, other in pairwise(audio):
        before, after = (
            round(-1000 * min(r.track.samples.first_pts, 0) / r.timescale) for r in (first, other)
        )
        if first.config.codec == other.config.codec and before != after:
            yield Fault(
                other.source,
                "priming",
                f"its edit list hides {after} ms of encoder priming, that of {first.source} "
                f"{before} ms: the sound is shifted between them",
            )


def _own(rendition: Rendition) -> Iterator[Fault]:
    if rendition.bandwidth > PEAK_RATIO * rendition.average_bandwidth:
        yield Fault(
            rendition.source,
            "peak",
            f"peak {_kbit(rendition.bandwidth)} is over {PEAK_RATIO} times the average "
            f"{_kbit(rendition.average_bandwidth)}: cap the encoder's maximum rate",
        )
    longest = int(rendition.segments.duration.max()) / rendition.timescale
    if rendition.track.kind is MediaKind.VIDEO and longest > 1.5 * TARGET_SECONDS:
        yield Fault(
            rendition.source,
            "key-frames",
            f"no common key frame for {longest:.2f} s: segments cannot be near {TARGET_SECONDS} s",
        )


def _interleaved(presentation: Presentation) -> Iterator[Fault]:
    """Files whose tracks take turns, with the number of turns a segment has."""
    pieces: dict[str, int] = {}
    for rendition in presentation.renditions:
        samples = rendition.track.samples.rows()
        joins = int((samples.offset[:-1] + samples.size[:-1] != samples.offset[1:]).sum())
        most = max(pieces.get(rendition.source, 0), joins // len(rendition.segments))
        pieces[rendition.source] = most
    for source, most in pieces.items():
        if most > SLOW_RANGES:
            yield Fault(
                source,
                "interleaved",
                f"a segment lies in about {most} pieces: one track a file is served faster",
            )


def _kbit(rate: int) -> str:
    return f"{rate / 1000:.0f} kbit/s"
