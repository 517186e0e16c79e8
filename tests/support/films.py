"""A small library of real H.264 and AAC, encoded anew for a run of the tests.

city/              three rungs, two languages, subtitles: a title as it should be
uneven/            two rungs that line up and one that does not
film.mp4           pictures and sound interleaved, its index at the end, with a side file
broken.mp4         cut short within its index
100% Ünï+#1?.mp4   a name that needs care in a URL
artwork/           no media: no title
"""

from __future__ import annotations

import heapq
import shutil
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

SECONDS = 16
RATE = 10
SAMPLE_RATE = 48_000
AAC_FRAME = 1024

ODD_NAME = "100% Ünï+#1?"
TITLES = ["100% Ünï+#1?", "artwork", "broken", "city", "film", "uneven"]
"""Ids in the order they are listed; 'artwork' turns out to hold nothing."""

VTT = """WEBVTT

00:01.000 --> 00:03.000
One to three

00:05.000 --> 00:07.500
Five to seven and a half
"""
SRT = "1\n00:00:02,000 --> 00:00:04,000\nDos a cuatro\n"


def make_films(folder: Path) -> None:
    city, uneven = folder / "city", folder / "uneven"
    for made in (city, uneven, folder / "artwork"):
        made.mkdir(parents=True)
    for height in (36, 54, 72):
        write_pictures(city / f"video-{height}.mp4", height)
    write_sound(city / "audio-en.mp4", 440, language="eng")
    write_sound(city / "audio-es.mp4", 660)
    (city / "subtitles.en.vtt").write_text(VTT, encoding="utf-8")
    (city / "subtitles.es.sdh.srt").write_text(SRT, encoding="utf-8")
    shutil.copy(city / "video-36.mp4", uneven / "video-a.mp4")
    shutil.copy(city / "video-54.mp4", uneven / "video-b.mp4")
    write_pictures(uneven / "video-odd.mp4", 36, gop=33)
    shutil.copy(city / "audio-en.mp4", uneven)
    write_film(folder / "film.mp4")
    (folder / "film.en.srt").write_text(SRT, encoding="utf-8")
    shutil.copy(folder / "film.mp4", folder / f"{ODD_NAME}.mp4")
    (folder / "broken.mp4").write_bytes((city / "video-36.mp4").read_bytes()[:600])
    (folder / "artwork" / "poster.jpg").write_bytes(b"\xff\xd8")


def write_pictures(path: Path, height: int, *, gop: int = 2 * RATE, seconds: int = SECONDS) -> None:
    """One track, its index in front; ``gop`` in frames."""
    with _create(path, faststart=True) as output:
        for packet in _pictures(_add_video(output, height, gop), seconds):
            output.mux(packet)


def write_sound(path: Path, hertz: int, *, language: str = "und", seconds: int = SECONDS) -> None:
    with _create(path, faststart=True) as output:
        for packet in _sound(_add_audio(output, language), hertz, seconds):
            output.mux(packet)


def write_film(path: Path, *, height: int = 54, seconds: int = SECONDS) -> None:
    """Pictures and sound interleaved."""
    with _create(path, faststart=False) as output:
        pictures = _pictures(_add_video(output, height, 2 * RATE), seconds)
        sound = _sound(_add_audio(output, "eng"), 440, seconds)
        for packet in heapq.merge(pictures, sound, key=_decode_time):
            output.mux(packet)


def _create(path: Path, *, faststart: bool) -> OutputContainer:
    options = {"fflags": "+bitexact"} | ({"movflags": "+faststart"} if faststart else {})
    return av.open(str(path), "w", format="mp4", options=options)


def _add_video(output: OutputContainer, height: int, gop: int) -> VideoStream:
    x264 = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes=2:threads=1"
    options = {"preset": "ultrafast", "x264-params": x264}
    stream = output.add_stream("libx264", rate=RATE, options=options)
    assert isinstance(stream, VideoStream)
    stream.width, stream.height, stream.pix_fmt = height * 16 // 9, height, "yuv420p"
    stream.bit_rate = height * 1000
    return stream


def _add_audio(output: OutputContainer, language: str) -> AudioStream:
    stream = output.add_stream("aac", rate=SAMPLE_RATE, layout="stereo")
    assert isinstance(stream, AudioStream)
    stream.bit_rate = 64_000
    stream.metadata["language"] = language
    return stream


def _pictures(stream: VideoStream, seconds: int) -> Iterator[Packet[Any]]:
    noise = np.random.default_rng(stream.height)
    for number in range(seconds * RATE):
        picture = noise.integers(0, 256, (stream.height * 3 // 2, stream.width), np.uint8)
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, RATE)
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _sound(stream: AudioStream, hertz: int, seconds: int) -> Iterator[Packet[Any]]:
    time = np.arange(seconds * SAMPLE_RATE) / SAMPLE_RATE
    signal = np.sin(2 * np.pi * hertz * time).astype(np.float32) / 4
    for start in range(0, len(signal), AAC_FRAME):
        block = np.stack([signal[start : start + AAC_FRAME]] * 2)
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts = SAMPLE_RATE, start
        frame.time_base = Fraction(1, SAMPLE_RATE)
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _decode_time(packet: Packet[Any]) -> Fraction:
    assert packet.dts is not None
    return packet.dts * packet.time_base
