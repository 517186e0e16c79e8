"""The URL grammar of what is packaged; ``parse`` and ``str`` are inverses.

    /v/{asset}/master.m3u8                          HLS multivariant playlist
    /v/{asset}/manifest.mpd                         DASH MPD
    /v/{asset}/{revision}/{track}/media.m3u8        HLS media playlist
    /v/{asset}/{revision}/{track}/iframes.m3u8      HLS I-frame playlist
    /v/{asset}/{revision}/{track}/init.mp4          CMAF header, both formats
    /v/{asset}/{revision}/{track}/{time}.m4s        CMAF segment, both formats
    /v/{asset}/{revision}/{track}/{time}.vtt        WebVTT segment (HLS)
    /v/{asset}/{revision}/{track}/text.vtt          the whole WebVTT file (DASH)

The first two are short-lived. All below ``revision`` never changes: the same address means the
same bytes on every node. ``time`` is the segment's earliest presentation time in the track's
timescale (milliseconds for text). An asset id is one path segment, percent-encoded UTF-8; it is
looked up, never joined to a path.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

from packager.errors import BadAddress

PREFIX = "/v/"
MAX_ASSET_BYTES = 255

_REVISION = re.compile(r"[0-9a-f]{16}")
_TRACK = re.compile(r"(?:video|audio|text)[1-9][0-9]{0,3}")
_TIMED = re.compile(r"(0|[1-9][0-9]{0,17})\.(m4s|vtt)")
_NOT_IN_A_SEGMENT = re.compile(r"[\x00-\x1f\x7f/\\\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class MultivariantPlaylist:
    asset: str

    def __str__(self) -> str:
        return f"{_asset_path(self.asset)}/master.m3u8"


@dataclass(frozen=True, slots=True)
class Mpd:
    asset: str

    def __str__(self) -> str:
        return f"{_asset_path(self.asset)}/manifest.mpd"


@dataclass(frozen=True, slots=True)
class _TrackAddress:
    asset: str
    revision: str
    track: str

    @property
    def file(self) -> str:
        return _TRACK_FILES[type(self)]

    def __str__(self) -> str:
        return f"{_asset_path(self.asset)}/{self.revision}/{self.track}/{self.file}"


@dataclass(frozen=True, slots=True)
class MediaPlaylist(_TrackAddress):
    pass


@dataclass(frozen=True, slots=True)
class IFramePlaylist(_TrackAddress):
    pass


@dataclass(frozen=True, slots=True)
class InitSegment(_TrackAddress):
    pass


@dataclass(frozen=True, slots=True)
class WholeText(_TrackAddress):
    pass


@dataclass(frozen=True, slots=True)
class MediaSegment(_TrackAddress):
    time: int

    @property
    def file(self) -> str:
        return f"{self.time}.m4s"


@dataclass(frozen=True, slots=True)
class TextSegment(_TrackAddress):
    time: int

    @property
    def file(self) -> str:
        return f"{self.time}.vtt"


Address = (
    MultivariantPlaylist
    | Mpd
    | MediaPlaylist
    | IFramePlaylist
    | InitSegment
    | WholeText
    | MediaSegment
    | TextSegment
)

_ASSET_FILES: dict[str, type[MultivariantPlaylist | Mpd]] = {
    "master.m3u8": MultivariantPlaylist,
    "manifest.mpd": Mpd,
}
_FIXED_FILES: dict[str, type[MediaPlaylist | IFramePlaylist | InitSegment | WholeText]] = {
    "media.m3u8": MediaPlaylist,
    "iframes.m3u8": IFramePlaylist,
    "init.mp4": InitSegment,
    "text.vtt": WholeText,
}
_TRACK_FILES: dict[type, str] = {kind: name for name, kind in _FIXED_FILES.items()}


def parse(path: str) -> Address:
    """The address that ``path`` (no query) spells; ``BadAddress`` for any other path."""
    if not path.startswith(PREFIX):
        raise BadAddress(f"media paths start with {PREFIX}")
    match path[len(PREFIX) :].split("/"):
        case [asset, file] if file in _ASSET_FILES:
            return _ASSET_FILES[file](_decode_asset(asset))
        case [asset, revision, track, file] if _REVISION.fullmatch(revision) and _TRACK.fullmatch(
            track
        ):
            if file in _FIXED_FILES:
                return _FIXED_FILES[file](_decode_asset(asset), revision, track)
            if timed := _TIMED.fullmatch(file):
                time, ending = int(timed[1]), timed[2]
                kind = MediaSegment if ending == "m4s" else TextSegment
                return kind(_decode_asset(asset), revision, track, time)
    raise BadAddress("no such kind of media path")


def _asset_path(asset: str) -> str:
    return PREFIX + quote(asset, safe="")


def _decode_asset(raw: str) -> str:
    try:
        asset = unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError:
        raise BadAddress("the asset id is not UTF-8") from None
    if not is_asset_id(asset):
        raise BadAddress("not an asset id")
    return asset


def is_asset_id(name: str) -> bool:
    """One visible path segment: no separators, controls, or leading dot; at most 255 bytes of
    UTF-8 (a file name that is not UTF-8 reaches us as surrogates, and has no address)."""
    return (
        _NOT_IN_A_SEGMENT.search(name) is None
        and not name.startswith(".")
        and 0 < len(name.encode()) <= MAX_ASSET_BYTES
    )
