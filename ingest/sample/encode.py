"""MP4 files out of scenes and tunes, in this process, by PyAV.

Encoders run on one thread each, so that the same library version writes the same bytes; several
files are made at a time instead.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream

from ingest.sample.picture import Picture, Scene
from ingest.sample.slate import stamp
from ingest.sample.tone import SAMPLE_RATE, Signal

GOP_SECONDS = 2
VIDEO_TIMESCALE = 90_000
AAC_FRAME = 1024  # samples

Tick = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Video:
    """``rate`` in frames and ``bitrate`` in bits a second."""

    scene: Callable[[int, int], Scene]
    width: int
    height: int
    rate: int
    bitrate: int

    @property
    def pixels_a_second(self) -> int:
        return self.width * self.height * self.rate


@dataclass(frozen=True, slots=True, eq=False)
class Audio:
    signal: Signal
    language: str  # ISO 639-2
    bitrate: int = 96_000


def write_video(path: Path, video: Video, seconds: float, tick: Tick) -> None:
    """One track, its index in front; ``tick`` is told each frame's time in seconds."""
    with _create(path, faststart=True) as output:
        for packet in _video_packets(_add_video(output, video), video, seconds, tick):
            output.mux(packet)


def write_audio(path: Path, audio: Audio) -> None:
    with _create(path, faststart=True) as output:
        for packet in _audio_packets(_add_audio(output, audio), audio):
            output.mux(packet)


def write_interleaved(path: Path, video: Video, audio: Audio, seconds: float, tick: Tick) -> None:
    """Both tracks in one file, interleaved in time, its index at the end."""
    with _create(path, faststart=False) as output:
        pictures = _video_packets(_add_video(output, video), video, seconds, tick)
        sounds = _audio_packets(_add_audio(output, audio), audio)
        for packet in heapq.merge(pictures, sounds, key=_decode_time):
            output.mux(packet)


def _create(path: Path, *, faststart: bool) -> OutputContainer:
    options = {"fflags": "+bitexact", "video_track_timescale": str(VIDEO_TIMESCALE)}
    if faststart:
        options["movflags"] = "+faststart"
    return av.open(str(path), "w", format="mp4", options=options)


def _add_video(output: OutputContainer, video: Video) -> VideoStream:
    """H.264 in closed GOPs of equal length; no second takes over 1.5 times the bit rate."""
    gop = GOP_SECONDS * video.rate
    x264 = {
        "keyint": gop,
        "min-keyint": gop,
        "scenecut": 0,
        "open-gop": 0,
        "bframes": 3,
        "vbv-maxrate": video.bitrate * 3 // 2000,
        "vbv-bufsize": video.bitrate * 3 // 2000,
        "threads": 1,
    }
    options = {
        "preset": "superfast",
        "x264-params": ":".join(f"{name}={value}" for name, value in x264.items()),
    }
    stream = output.add_stream("libx264", rate=video.rate, options=options)
    assert isinstance(stream, VideoStream)
    stream.width, stream.height, stream.pix_fmt = video.width, video.height, "yuv420p"
    stream.bit_rate = video.bitrate
    context = stream.codec_context
    context.color_primaries = ColorPrimaries.BT709
    context.color_trc = ColorTrc.BT709
    context.colorspace = Colorspace.ITU709
    context.color_range = ColorRange.MPEG
    return stream


def _add_audio(output: OutputContainer, audio: Audio) -> AudioStream:
    stream = output.add_stream("aac", rate=SAMPLE_RATE, layout="stereo")
    assert isinstance(stream, AudioStream)
    stream.bit_rate = audio.bitrate
    stream.metadata["language"] = audio.language
    return stream


def _video_packets(
    stream: VideoStream, video: Video, seconds: float, tick: Tick
) -> Iterator[Packet[Any]]:
    draw = video.scene(video.width, video.height)
    for number in range(round(seconds * video.rate)):
        time = number / video.rate
        picture = draw(time)
        stamp(picture, time, number)
        yield from stream.encode(_frame(picture, number, video.rate))
        tick(time)
    yield from stream.encode(None)


def _frame(picture: Picture, number: int, rate: int) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(picture.packed, format="yuv420p")
    frame.pts, frame.time_base = number, Fraction(1, rate)
    return frame


def _audio_packets(stream: AudioStream, audio: Audio) -> Iterator[Packet[Any]]:
    for start in range(0, audio.signal.shape[1], AAC_FRAME):
        block = audio.signal[:, start : start + AAC_FRAME].copy()
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts = SAMPLE_RATE, start
        frame.time_base = Fraction(1, SAMPLE_RATE)
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _decode_time(packet: Packet[Any]) -> Fraction:
    assert packet.dts is not None
    return packet.dts * packet.time_base
