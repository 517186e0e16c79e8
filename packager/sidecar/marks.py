"""How many bytes the samples of each segment are, added up before anyone asks.

Which segments there are is a question of the whole title. But a file is cut alike in most titles,
as if it were one of its own: so these sums are packed along, from the row at which each segment
begins to the next. Where it is cut elsewhere, sizes are added up themselves.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

import numpy as np

from packager import timeline as tl
from packager.columns import Integers, Marks, Numbers
from packager.errors import BadSidecar
from packager.isobmff.tables import MAX_SAMPLE_BYTES, MAX_SAMPLES
from packager.model import MediaKind, Track
from packager.sidecar.fields import Fields

MAX_SUM = MAX_SAMPLES * MAX_SAMPLE_BYTES

_COUNT = struct.Struct("<I")


def segment_edges(tracks: Sequence[Track]) -> Iterator[Numbers]:
    """Of each track the rows at which its segments begin, and the row count."""
    in_order = [track for track in tracks if track.timescale and track.samples.sync_in_order]
    video = [track for track in in_order if track.kind is MediaKind.VIDEO][:1]
    audio = [track for track in in_order if track.kind is MediaKind.AUDIO]
    timeline = None
    if video or audio:
        cuts = tl.sync_times(video[0]) if video else np.zeros(0, np.int64)
        timeline, _ = tl.title_timeline(video, audio, cuts)
    for track in tracks:
        if timeline is not None and track in in_order:
            yield tl.segment_edges(track, timeline)
        else:
            yield np.array((0, len(track.samples)))


def pack_marks(sizes: Integers, edges: Numbers) -> bytes:
    before = np.concatenate(([0], np.add.reduceat(sizes, edges[:-1], dtype=np.int64).cumsum()))
    return _COUNT.pack(len(edges)) + edges.astype("<i8").tobytes() + before.astype("<i8").tobytes()


def read_marks(fields: Fields, samples: int) -> Marks:
    (count,) = fields.unpack(_COUNT)
    rows, before = (np.frombuffer(fields.take(8 * count), "<i8") for _ in range(2))
    if not (count and _rises_to(rows, samples) and _rises_to(before, MAX_SUM)):
        raise BadSidecar("it has segments that are not those of its samples")
    if rows[-1] != samples:
        raise BadSidecar(f"it has segments of {rows[-1]} samples of {samples}")
    return Marks(rows, before)


def _rises_to(numbers: Numbers, most: int) -> bool:
    """From zero, to no more than that, or stays as it is."""
    return bool(numbers[0] == 0 and numbers[-1] <= most and np.all(numbers[1:] >= numbers[:-1]))
