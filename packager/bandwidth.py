"""What a rendition asks of a line: peak and average bits/s of its planned segments."""

from __future__ import annotations

from math import floor

import numpy as np

from packager.model import SegmentTable


def measure_bandwidth(segments: SegmentTable, timescale: int) -> tuple[int, int]:
    """Peak and average in bits/s. The peak is that of any run of segments that lasts 0.5 to 1.5
    target durations (RFC 8216 4.1)."""
    ends = np.concatenate(([0], np.cumsum(segments.duration)))
    bits = np.concatenate(([0], np.cumsum(segments.size))) * 8
    average = -(-int(bits[-1]) * timescale // int(ends[-1]))
    target = max(1, floor(int(segments.duration.max()) / timescale + 0.5)) * timescale
    shortest, longest = -(-target // 2), 3 * target // 2
    peak = average
    for run in range(1, len(segments) + 1):
        length = ends[run:] - ends[:-run]
        fits = np.flatnonzero((length >= shortest) & (length <= longest))
        if len(fits):
            rate = (bits[fits + run] - bits[fits]) / length[fits]
            peak = max(peak, int(np.ceil(rate.max() * timescale)))
        if int(length.min()) > longest:
            break
    return peak, average
