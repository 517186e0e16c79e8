"""Real files of other people's muxers, against what another demuxer wrote down of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import pytest

from packager.codecs import parse_sample_entry
from packager.errors import BadMedia, UnsupportedMedia
from packager.model import AudioConfig, CodecConfig, Colour, VideoConfig
from tests.packager.codecs.assemble import as_box
from tests.packager.codecs.media import SHARED, sample_entries, without_size

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason=f"no real media at {SHARED}")

DUMPS = sorted(SHARED.glob("*.mp4.dump"))
VIDEO_RANGES = {"": "SDR", "3": "SDR", "6": "PQ", "7": "HLG"}


@dataclass
class Dumped:
    """One track of a dump: its lines ``name = value`` before the first sample."""

    values: dict[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return self.values["sampleMimeType"].partition("/")[0]


def read_dump(path: Path) -> list[Dumped]:
    tracks: list[Dumped] = []
    heading = False
    for line in path.read_text().splitlines():
        if re.match(r"track \d|  sample \d", line):
            heading = line.startswith("track")
            tracks += [Dumped()] if heading else []
        elif heading and " = " in line:
            name, _, value = line.strip().partition(" = ")
            tracks[-1].values[name] = value
    return [track for track in tracks if track.kind in ("audio", "video")]


def configs(path: Path) -> list[CodecConfig]:
    found = []
    for entry in sample_entries(path):
        try:
            found.append(parse_sample_entry(entry))
        except UnsupportedMedia:
            assert entry.type in ("mebx", "text", "c608", "encv", "enca")
    return found


@pytest.mark.parametrize("dump", DUMPS, ids=lambda path: path.name)
def test_against_another_demuxer(dump: Path) -> None:
    found, expected = configs(dump.with_suffix("")), read_dump(dump)
    assert len(found) == len(expected)
    for config, track in zip(found, expected, strict=True):
        if isinstance(config, VideoConfig):
            check_video(config, track)
        else:
            check_audio(config, track)


def check_video(config: VideoConfig, track: Dumped) -> None:
    values = track.values
    assert track.kind == "video"
    assert (str(config.width), str(config.height)) == (values["width"], values["height"])
    # The judge names Dolby Vision by its in-band entry, and hex digits in capitals.
    codec = (config.supplemental or config.rfc6381).partition("/")[0]
    assert codec.lower() == values["codecs"].replace("dvhe", "dvh1").lower()
    video_range = config.colour.video_range if config.colour else "SDR"
    assert video_range == VIDEO_RANGES[values.get("colorTransfer", "")]


def check_audio(config: AudioConfig, track: Dumped) -> None:
    values = track.values
    assert track.kind == "audio"
    assert config.rfc6381 == values.get("codecs", config.rfc6381)
    assert str(config.channels) == values["channelCount"]
    if config.codec != "opus":  # whose output the judge takes for what went in
        assert str(config.sample_rate) == values["sampleRate"]
    assert bool(config.joc_objects) == values["sampleMimeType"].endswith("joc")


@pytest.mark.parametrize("path", sorted(SHARED.glob("*.mp4")), ids=lambda path: path.name)
def test_every_entry_parses_and_comes_back(path: Path) -> None:
    if path.name == "sample_malformed_free_box.mp4":
        with pytest.raises(BadMedia):
            configs(path)
        return
    for config in configs(path):
        assert parse_sample_entry(as_box(config.sample_entry)) == config


@pytest.mark.parametrize(
    ("name", "codec", "size"),
    [
        ("bbb_800x640_768kbps_30fps_avc_pyramid_3b", "avc1.64001f", (800, 640)),
        ("h265_bframes", "hvc1.1.6.L90.90", (854, 480)),
        ("hlg10-color-test", "hvc1.2.4.L153", (1920, 1080)),
        ("long_1080p_lowbitrate", "avc1.42c028", (1920, 1080)),
        ("long_180p_av1", "av01.0.00M.08.0.111.02.02.02.0", (320, 180)),
        ("sample_av1", "av01.0.05M.08", (1080, 720)),
        ("sample_edit_list", "hvc1.2.4.L120.B0", (1920, 1080)),
        ("sample_without_stss", "avc1.64101f", (1080, 720)),
    ],
)
def test_size_is_in_the_bitstream_too(name: str, codec: str, size: tuple[int, int]) -> None:
    entry = next(e for e in sample_entries(SHARED / f"{name}.mp4") if e.type != "mp4a")
    config = parse_sample_entry(without_size(entry))
    assert isinstance(config, VideoConfig)
    assert (config.rfc6381, (config.width, config.height)) == (codec, size)


def video(name: str) -> VideoConfig:
    return next(c for c in configs(SHARED / f"{name}.mp4") if isinstance(c, VideoConfig))


def test_details() -> None:
    assert video("hlg10-color-test").colour == Colour(9, 18, 9)
    assert video("sample_edit_list").supplemental == "dvh1.08.04/db4h"
    assert video("sample_shorter_audio").colour == Colour(5, 6, 6, full_range=True)
    assert video("bbb_800x640_768kbps_30fps_vp9").rfc6381 == "vp09.00.30.08.00.02.02.02.00"
    assert video("bbb_800x640_768kbps_30fps_vp9").sar == Fraction(64, 45)
    (joc,) = configs(SHARED / "sample_eac3joc.mp4")
    assert isinstance(joc, AudioConfig)
    assert joc.joc_objects == 16


@pytest.mark.parametrize("name", ["cbcs", "cbcs_audio", "prog_8s_enc_dashinit"])
def test_encrypted_input(name: str) -> None:
    entry = next(sample_entries(SHARED / f"{name}.mp4"))
    with pytest.raises(UnsupportedMedia, match="encrypted input is not supported"):
        parse_sample_entry(entry)
