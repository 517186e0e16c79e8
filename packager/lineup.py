"""Which video renditions belong together: the largest set that shares its cuts.

Each rendition is tried as the anchor of a set: the others join while the cuts common to all stay
as dense as the anchor's own, or no sparser than ``LONGEST_SECONDS``. The rest is left out, and the
reason names what it did not line up with.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from packager import timeline as tl
from packager.model import AudioConfig, LeftOut, Track

END_TOLERANCE_SECONDS = 1
"""Renditions whose pictures end further apart than this are not the same programme."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A track that might be part of a presentation; ``with_pictures``: its file has video too."""

    source: str
    track: Track
    with_pictures: bool

    @property
    def what(self) -> str:
        config = self.track.config
        if isinstance(config, AudioConfig):
            return f"audio track {self.track.track_id} ({config.rfc6381}, {self.track.language})"
        return (
            f"video track {self.track.track_id} ({config.rfc6381}, {config.width}x{config.height})"
        )

    @cached_property
    def cuts(self) -> tl.Ticks:
        return tl.sync_times(self.track)

    def left_out(self, reason: str, *, expected: bool = False) -> LeftOut:
        return LeftOut(self.source, self.what, reason, expected)


def line_up(video: list[Candidate], missing: list[LeftOut]) -> tuple[list[Candidate], tl.Ticks]:
    """The largest set of renditions with common cuts, and those cuts in the first one's ticks."""
    best: tuple[list[Candidate], tl.Ticks, list[LeftOut]] = ([], np.zeros(0, np.int64), [])
    for anchor in video:
        attempt = _with_anchor(anchor, video)
        if len(attempt[0]) > len(best[0]):
            best = attempt
    kept, cuts, out = best
    missing += out
    return kept, cuts


def _with_anchor(
    anchor: Candidate, video: list[Candidate]
) -> tuple[list[Candidate], tl.Ticks, list[LeftOut]]:
    track = anchor.track
    end = track.samples.end
    cuts = anchor.cuts
    limit = max(tl.longest_gap(cuts, end), tl.LONGEST_SECONDS * track.timescale)
    kept, out = [anchor], []
    for other in video:
        if other is anchor:
            continue
        common = tl.shared(cuts, track.timescale, other.cuts, other.track.timescale)
        end_difference = tl.seconds(other.track) - tl.seconds(track)
        if abs(end_difference) > END_TOLERANCE_SECONDS:
            out.append(
                other.left_out(
                    f"ends {float(abs(end_difference)):.3f} s "
                    f"{'after' if end_difference > 0 else 'before'} {anchor.source}"
                )
            )
        elif tl.longest_gap(common, end) > limit:
            out.append(
                other.left_out(
                    f"its key frames do not line up with {anchor.source}: {len(common)} of "
                    f"{len(cuts)} are shared"
                )
            )
        else:
            kept.append(other)
            cuts = common
    return kept, cuts, out
