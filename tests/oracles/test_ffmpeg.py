"""What FFmpeg decodes of our segments is what it decodes of the film: every picture, every sound.

Init and segments of each rendition, which are CMAF to the letter, are stitched into a file and
decoded beside the film's own track. FFmpeg's demuxer has two habits, allowed for here and nowhere
else:

- It moves a fragmented track with negative composition offsets later by the largest of them
  (``dts_shift``). Times are compared with that taken back.
- Of a film's edit list it drops the pictures in front, and lets the first one shown begin exactly
  at the edit. Of fragments it applies the shift alone, so what an edit hides has negative times
  there: those pictures, and that sound, are what ours hides.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from packager.model import MediaKind, Rendition
from packager.mux.fmp4 import init_segment
from tests.oracles.conftest import Film
from tests.oracles.inputs import RECIPES
from tests.support.cmaf import check_cmaf
from tests.support.fragmented import read_fragmented
from tests.support.indexing import index_bytes, present, segments
from tests.support.media_tools import needs_media_tools
from tests.support.shared_media import REFUSED, shared_files

pytestmark = needs_media_tools

LONG = {"long_1080p_lowbitrate.mp4", "long_180p_av1.mp4"}
"""10,883 large pictures and 21,766 small ones: they take minutes to decode."""

SHOWN_BEHIND_THE_END = {"sample_edit_list.mp4": 1}
"""Pictures behind the end of the edit that shown ones depend on. They are in the segments and they
are shown: of an edit list in front of fragments nobody heeds the duration, FFmpeg included."""

SHIFTED_FILMS = {"h264-cmaf"}
"""Films that are fragmented with negative offsets themselves, so FFmpeg moves both."""


@pytest.mark.parametrize("name", [*RECIPES, *shared_files("*.mp4", without={*REFUSED, *LONG})])
def test_every_rendition_decodes_to_the_film(name: str, film: Film) -> None:
    data = film(name).read_bytes()
    track_ids = [track.track_id for track in index_bytes(data).tracks]
    renditions = present(data).renditions
    assert len(renditions) == len(track_ids)
    streams = [track_ids.index(rendition.track.track_id) for rendition in renditions]
    origin = max(min(first_time(data, stream) for stream in streams), Fraction(0))
    for rendition, stream in zip(renditions, streams, strict=True):
        init, parts = init_segment(rendition), segments(rendition, data)
        check_cmaf(init, parts, timescale=rendition.timescale, language=rendition.language)
        made = init + b"".join(parts)
        if rendition.track.kind is MediaKind.VIDEO:
            compare_pictures(name, rendition, pictures(made), pictures(data, stream), origin, made)
        else:
            compare_sound(sound(made), sound(data, stream), origin)


# ---- pictures


@dataclass(frozen=True)
class Picture:
    time: Fraction
    digest: str


def pictures(data: bytes, stream: int = 0) -> list[Picture]:
    with av.open(BytesIO(data), "r") as container:
        frames = []
        for frame in container.decode(container.streams[stream]):
            assert isinstance(frame, av.VideoFrame)
            digest = hashlib.sha256(np.ascontiguousarray(frame.to_ndarray()).data).hexdigest()
            frames.append(Picture(time_of(frame), digest))
        return frames


def time_of(frame: av.VideoFrame | av.AudioFrame) -> Fraction:
    assert frame.pts is not None
    assert frame.time_base is not None
    return frame.pts * frame.time_base


def compare_pictures(
    name: str,
    rendition: Rendition,
    ours: list[Picture],
    theirs: list[Picture],
    origin: Fraction,
    made: bytes,
) -> None:
    largest = max(0, *(-sample.composition for sample in read_fragmented(made).samples))
    moved = Fraction(largest, rendition.timescale)
    shown = [picture for picture in ours if picture.time - moved >= 0]
    behind = SHOWN_BEHIND_THE_END.get(name, 0)
    shown = shown[: len(shown) - behind]
    assert [picture.digest for picture in shown] == [picture.digest for picture in theirs]
    differences = {
        theirs.time - ours.time + moved for ours, theirs in zip(shown, theirs, strict=True)
    }
    (difference,) = differences
    if len(shown) + behind < len(ours):
        frame = Fraction(int(rendition.track.samples.rows().duration.max()), rendition.timescale)
        assert -frame < difference <= 0
    elif name in SHIFTED_FILMS:
        assert difference == moved
    else:
        assert difference == floor_to_tick(origin, rendition)


def floor_to_tick(origin: Fraction, rendition: Rendition) -> Fraction:
    return Fraction(int(origin * rendition.timescale), rendition.timescale)


# ---- sound


@dataclass(frozen=True)
class Sound:
    """PCM of a track from zero on: ``start`` in seconds, ``pcm`` one row a channel."""

    start: Fraction
    pcm: NDArray[np.generic]


def sound(data: bytes, stream: int = 0) -> Sound:
    with av.open(BytesIO(data), "r") as container:
        blocks, start, rate = [], None, 0
        for frame in container.decode(container.streams[stream]):
            assert isinstance(frame, av.AudioFrame)
            if start is None:
                start, rate = time_of(frame), frame.sample_rate
            block = frame.to_ndarray()
            if not frame.format.is_planar:
                block = block.reshape(-1, len(frame.layout.channels)).T
            blocks.append(block)
    assert start is not None
    hidden = int(-start * rate) if start < 0 else 0
    return Sound(max(start, Fraction(0)), np.concatenate(blocks, axis=1)[:, hidden:])


def compare_sound(ours: Sound, theirs: Sound, origin: Fraction) -> None:
    assert np.array_equal(ours.pcm, theirs.pcm)
    assert abs(ours.start - (theirs.start - origin)) < Fraction(1, 8000)


def first_time(data: bytes, stream: int) -> Fraction:
    with av.open(BytesIO(data), "r") as container:
        track = container.streams[stream]
        assert track.start_time is not None
        assert track.time_base is not None
        return track.start_time * track.time_base
