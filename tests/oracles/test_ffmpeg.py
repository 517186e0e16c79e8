"""What FFmpeg decodes of our segments is what it decodes of the film: every picture, every sound.

Init and segments of each rendition are stitched into a file and decoded beside the film's own
track. FFmpeg's demuxer has two habits, allowed for here and nowhere else:

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
from tests.oracles.conftest import Film
from tests.oracles.inputs import RECIPES
from tests.support.fragmented import read_fragmented
from tests.support.indexing import index_bytes, present, stitched
from tests.support.media_tools import needs_media_tools
from tests.support.shared_media import shared_files

pytestmark = needs_media_tools

SHARED_LEFT_ALONE = (
    "cbcs.mp4",  # encrypted, we refuse it
    "cbcs_audio.mp4",  # encrypted, we refuse it
    "prog_8s_enc_dashinit.mp4",  # encrypted, we refuse it
    "sample_malformed_free_box.mp4",  # a box of 3 bytes, we refuse it
    "long_1080p_lowbitrate.mp4",  # 10,883 large pictures take long to decode
    "long_180p_av1.mp4",  # 21,766 pictures do
)

SHOWN_BEHIND_THE_END = {"sample_edit_list.mp4": 1}
"""Pictures behind the end of the edit that shown ones depend on: they are in the segments, and no
edit list of a fragmented file can hide them at the end."""

SHIFTED_FILMS = {"h264-cmaf"}
"""Films that are fragmented with negative offsets themselves, so FFmpeg moves both."""


@pytest.mark.parametrize("name", [*RECIPES, *shared_files("*.mp4", without=SHARED_LEFT_ALONE)])
def test_every_rendition_decodes_to_the_film(name: str, film: Film) -> None:
    data = film(name).read_bytes()
    track_ids = [track.track_id for track in index_bytes(data).tracks]
    renditions = present(data).renditions
    assert len(renditions) == len(track_ids)
    streams = [track_ids.index(rendition.track.track_id) for rendition in renditions]
    origin = max(min(first_time(data, stream) for stream in streams), Fraction(0))
    for rendition, stream in zip(renditions, streams, strict=True):
        made = stitched(rendition, data)
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
    with av.open(BytesIO(data)) as container:
        frames = []
        for frame in container.decode(container.streams[stream]):
            assert isinstance(frame, av.VideoFrame)
            assert frame.pts is not None
            frames.append(
                Picture(
                    frame.pts * Fraction(frame.time_base),
                    hashlib.md5(frame.to_ndarray().tobytes()).hexdigest(),
                )
            )
        return frames


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
        frame = Fraction(int(rendition.track.samples.duration.max()), rendition.timescale)
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
    with av.open(BytesIO(data)) as container:
        blocks, start, rate = [], None, 0
        for frame in container.decode(container.streams[stream]):
            assert isinstance(frame, av.AudioFrame)
            assert frame.pts is not None
            if start is None:
                start, rate = frame.pts * Fraction(frame.time_base), frame.sample_rate
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
    with av.open(BytesIO(data)) as container:
        start = container.streams[stream].start_time
        time_base = container.streams[stream].time_base
        assert start is not None
        assert time_base is not None
        return start * Fraction(time_base)
