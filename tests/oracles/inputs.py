"""Small films in every codec and every shape an MP4 comes in, made by FFmpeg.

Each is a recipe: what to encode, how to wrap it, and perhaps a second pass that cuts it. Ten
seconds make several segments; 160x90 makes them quickly.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support.atoms import Atom, atoms
from tests.support.media_tools import ffmpeg
from tests.support.movies import atom, rebuilt

SECONDS = 10


def pictures(rate: str = "25") -> tuple[str, ...]:
    return ("-f", "lavfi", "-i", f"testsrc2=size=160x90:rate={rate}:duration={SECONDS}")


def tone(frequency: int = 440, rate: int = 48_000) -> tuple[str, ...]:
    return ("-f", "lavfi", "-i", f"sine={frequency}:sample_rate={rate}:duration={SECONDS}")


H264 = ("-c:v", "libx264", "-preset", "veryfast", "-bf", "3", "-g", "25", "-pix_fmt", "yuv420p")
HEVC = ("-c:v", "libx265", "-preset", "ultrafast", "-tag:v", "hvc1", "-pix_fmt", "yuv420p",
        "-x265-params", "log-level=error:keyint=24:bframes=3:pools=1:frame-threads=1")  # fmt: skip
AV1 = ("-c:v", "libsvtav1", "-preset", "12", "-g", "25", "-svtav1-params", "lp=1")
VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "25")
AAC = ("-c:a", "aac")
BOTH = (*pictures(), *tone(), *H264, *AAC)


def wrapped(*movflags: str) -> tuple[str, ...]:
    return ("-movflags", "+".join(movflags))


def widened(data: bytes) -> bytes:
    """The same film with 64-bit chunk offsets, and a 64-bit 'mdat' where FFmpeg's spare 'free'
    leaves room for its header, as for a film over 4 GiB."""

    def co64(stco: Atom) -> bytes:
        (count,) = stco.fields("I")
        offsets = stco.fields(f"{count}I", 8)
        return atom("co64", stco.body[:8], struct.pack(f">{count}Q", *offsets))

    ftyp, free, mdat, moov = atoms(data)
    assert [box.name for box in (ftyp, free, mdat, moov)] == ["ftyp", "free", "mdat", "moov"]
    assert free.stop - free.start == 8
    header = struct.pack(">I4sQ", 1, b"mdat", 16 + len(mdat.body))
    wide = data[: ftyp.stop] + header + mdat.body + data[moov.start :]
    return rebuilt(wide, "stco", co64)


@dataclass(frozen=True)
class Recipe:
    """``encode``: arguments of the first pass; ``cut``: of one that copies its streams, those
    before and after the input; ``rewrite``: what is done to the bytes at last."""

    encode: tuple[str, ...]
    cut: tuple[tuple[str, ...], tuple[str, ...]] | None = None
    rewrite: Callable[[bytes], bytes] | None = None


RECIPES: dict[str, Recipe] = {
    "h264": Recipe(BOTH),
    "h264-faststart": Recipe((*BOTH, *wrapped("faststart"))),
    "h264-64-bit": Recipe(BOTH, rewrite=widened),
    "h264-without-b-frames": Recipe((*pictures(), *H264, "-bf", "0")),
    "h264-negative-offsets": Recipe((*BOTH, *wrapped("negative_cts_offsets"))),
    "h264-variable-rate": Recipe(
        (*pictures("30")[:-1], pictures("30")[-1] + ",select='not(mod(n,3))+gt(n,150)'",
         "-fps_mode", "passthrough", *H264)
    ),
    "h264-two-sounds": Recipe(
        (*pictures("30000/1001"), *tone(), *tone(880, 44_100), *H264, *AAC,
         "-map", "0", "-map", "1", "-map", "2", "-metadata:s:a:1", "language=deu")
    ),
    "h264-late-sound": Recipe((*pictures(), "-itsoffset", "0.5", *tone(), *H264, *AAC)),
    "h264-late-pictures": Recipe(("-itsoffset", "0.5", *pictures(), *tone(), *H264, *AAC)),
    "h264-cut-in-a-gop": Recipe(BOTH, cut=(("-ss", "1.5"), ())),
    "h264-cut-behind-a-gop": Recipe(BOTH, cut=((), ("-ss", "1.5"))),
    "h264-fragmented": Recipe((*BOTH, *wrapped("frag_keyframe"))),
    "h264-empty-moov": Recipe((*BOTH, *wrapped("frag_keyframe", "empty_moov"))),
    "h264-default-base": Recipe(
        (*BOTH, *wrapped("frag_keyframe", "empty_moov", "default_base_moof"))
    ),
    "h264-delayed-moov": Recipe((*BOTH, *wrapped("frag_keyframe", "delay_moov"))),
    "h264-cmaf": Recipe((*BOTH, *wrapped("cmaf"))),
    "h264-hybrid": Recipe((*BOTH, *wrapped("hybrid_fragmented"))),
    "hevc": Recipe((*pictures("24000/1001"), *HEVC)),
    "hevc-fragmented": Recipe((*pictures("24"), *HEVC, *wrapped("frag_keyframe", "delay_moov"))),
    "av1": Recipe((*pictures(), *AV1)),
    "vp9": Recipe((*pictures(), *VP9)),
    "aac": Recipe((*tone(), *AAC)),
    "ac3": Recipe((*tone(), "-c:a", "ac3")),
    "eac3": Recipe((*tone(), "-c:a", "eac3")),
    "opus": Recipe((*tone(), "-c:a", "libopus")),
    "opus-fragmented": Recipe((*tone(), "-c:a", "libopus", *wrapped("frag_keyframe"))),
    "flac": Recipe((*tone(), "-c:a", "flac")),
}  # fmt: skip


def cook(name: str, folder: Path) -> bytes:
    recipe = RECIPES[name]
    made = folder / f"{name}.mp4"
    ffmpeg(*recipe.encode, made)
    if recipe.cut is not None:
        before, after = recipe.cut
        whole = made.rename(folder / f"{name}-whole.mp4")
        ffmpeg(*before, "-i", whole, *after, "-c", "copy", made)
    data = made.read_bytes()
    return recipe.rewrite(data) if recipe.rewrite else data
