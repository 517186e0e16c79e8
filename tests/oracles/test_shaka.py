"""Sample for sample what Shaka Packager makes of the same film: times, durations and bytes.

Both outputs are read by ``tests.support.fragmented``, which is neither's own. Two differences of
convention are expected, and computed from Shaka's own times:

- A title whose tracks all start late is moved to zero by us: they differ by that start, floored
  to a tick.
- A track with no edit list, whose first picture has a composition offset, is moved back by that
  offset by Shaka, which takes it for the reordering delay; we keep what the file says, as FFmpeg
  does.

Decode times are equal but for the same constant: both carry the reordering delay as negative
composition offsets.
"""

from __future__ import annotations

import subprocess
from fractions import Fraction
from math import floor
from pathlib import Path

import pytest

from packager.model import Rendition
from tests.oracles.conftest import Film
from tests.oracles.inputs import RECIPES
from tests.support.fragmented import FragmentedTrack, read_fragmented
from tests.support.indexing import index_bytes, present, stitched
from tests.support.media_tools import needs_media_tools, tool
from tests.support.shared_media import REFUSED, shared_files

pytestmark = needs_media_tools

SHAKA_REFUSES = (
    "sample_edit_list.mp4",  # an edit that starts in the middle of a GOP: "PTS is negative"
    "sample_missing_stsd.mp4",  # one broken track refuses the whole file; we play the other
    "h264-cut-in-a-gop",  # as sample_edit_list.mp4
)
NO_EDIT_LIST = (
    "prog_8s.mp4",
    "sample_fragmented.mp4",
    "sample_fragmented_seekable.mp4",
    "sample_partially_fragmented.mp4",
    "h264-fragmented",
    "h264-empty-moov",
    "h264-default-base",
    "h264-hybrid",
)


@pytest.mark.parametrize(
    "name",
    [
        *(name for name in RECIPES if name not in SHAKA_REFUSES),
        *shared_files("*.mp4", without={*REFUSED, *SHAKA_REFUSES}),
    ],
)
def test_every_sample_is_that_of_shaka(name: str, film: Film, tmp_path: Path) -> None:
    path = film(name)
    data = path.read_bytes()
    track_ids = [track.track_id for track in index_bytes(data).tracks]
    renditions = present(data).renditions
    assert len(renditions) == len(track_ids)
    theirs = package(path, len(track_ids), tmp_path)
    start = max(min(track.seconds(track.samples[0].pts) for track in theirs), Fraction(0))
    for rendition in renditions:
        their = theirs[track_ids.index(rendition.track.track_id)]
        compare(rendition, read_fragmented(stitched(rendition, data)), their, start, name)


def package(path: Path, streams: int, folder: Path) -> list[FragmentedTrack]:
    """Each track of the film as Shaka writes it, one file a track."""
    outputs = [folder / f"{n}.mp4" for n in range(streams)]
    done = shaka(path, outputs)
    assert done.returncode == 0, done.stderr
    return [read_fragmented(output.read_bytes()) for output in outputs]


def shaka(path: Path, outputs: list[Path]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            tool("packager"),
            "--segment_duration=2",
            *(f"in={path},stream={n},out={output}" for n, output in enumerate(outputs)),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def compare(
    rendition: Rendition, ours: FragmentedTrack, theirs: FragmentedTrack, start: Fraction, name: str
) -> None:
    assert ours.timescale == theirs.timescale
    assert [s.digest for s in ours.samples] == [s.digest for s in theirs.samples]
    assert [s.duration for s in ours.samples] == [s.duration for s in theirs.samples]
    assert [s.sync for s in ours.samples] == [s.sync for s in theirs.samples]
    shift = floor(start * theirs.timescale)
    if name in NO_EDIT_LIST:
        shift -= int(rendition.track.samples.rows().shift[0])
    assert [s.pts + shift for s in ours.samples] == [s.pts for s in theirs.samples]
    assert [s.dts + shift for s in ours.samples] == [s.dts for s in theirs.samples]


@pytest.mark.parametrize(
    "name",
    [
        *(name for name in RECIPES if name in SHAKA_REFUSES),
        *(name for name in shared_files("*.mp4") if name in SHAKA_REFUSES),
    ],
)
def test_what_we_package_and_shaka_refuses(name: str, film: Film, tmp_path: Path) -> None:
    """So that the list of exceptions stays true."""
    path = film(name)
    assert present(path.read_bytes()).renditions
    assert shaka(path, [tmp_path / "0.mp4"]).returncode != 0
