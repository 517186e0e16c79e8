"""Posters (2:3) and backdrops (16:9) of the sample titles: moments of their own scenes, as JPEG.

Nothing is lettered: a catalogue writes the name beside them, in the viewer's language.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import ColorRange, Colorspace

from ingest.sample.picture import Picture, Scene, blank

POSTER, BACKDROP = (320, 480), (1024, 576)  # width and height
LIMIT = 100_000  # bytes of an image
QUALITIES = (4, 6, 9, 13, 18)  # quantisers, the best first; one of them keeps to the limit
_LAMBDA = 118  # what libav multiplies a quantiser by


@dataclass(frozen=True, slots=True)
class Artwork:
    """Seen at ``time`` seconds; ``left``: where the poster begins, in heights of the picture."""

    scene: Callable[[int, int], Scene]
    time: float
    left: float


def write_poster(path: Path, artwork: Artwork) -> None:
    """A window of a scene drawn as high as the poster is, and wide enough."""
    width, height = POSTER
    first = round(artwork.left * height) // 2 * 2
    wide = artwork.scene(first + width, height)(artwork.time)
    poster = blank(width, height)
    for target, source, scale in zip(poster.planes, wide.planes, (1, 2, 2), strict=True):
        target[:] = source[:, first // scale : (first + width) // scale]
    path.write_bytes(jpeg(poster))


def write_backdrop(path: Path, artwork: Artwork) -> None:
    path.write_bytes(jpeg(artwork.scene(*BACKDROP)(artwork.time)))


def jpeg(picture: Picture) -> bytes:
    """A baseline JPEG of at most ``LIMIT`` bytes, the same ones each time."""
    for quantiser in QUALITIES:
        image = _encode(picture, quantiser)
        if len(image) <= LIMIT:
            break
    return image


def _encode(picture: Picture, quantiser: int) -> bytes:
    """JFIF wants BT.601 in full range; scenes are painted in BT.709, limited."""
    height, width = picture.y.shape
    frame = av.VideoFrame.from_ndarray(picture.packed, format="yuv420p").reformat(
        format="yuvj420p",
        src_colorspace=Colorspace.ITU709,
        dst_colorspace=Colorspace.ITU601,
        src_color_range=ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
    )
    encoder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuvj420p"
    encoder.time_base = Fraction(1)
    encoder.color_range = ColorRange.JPEG
    encoder.thread_count = 1
    encoder.options = {
        "flags": "+qscale+bitexact",
        "global_quality": str(quantiser * _LAMBDA),
        "huffman": "optimal",
    }
    frame.pts = 0
    packets = [*encoder.encode(frame), *encoder.encode(None)]
    return b"".join(bytes(packet) for packet in packets)
