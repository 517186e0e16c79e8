"""HLS playlists (RFC 8216), read by m3u8 and taken as a player takes them."""

from __future__ import annotations

import math
from typing import Any

import m3u8

from loadtest.errors import Failure
from loadtest.streams import MAX_SEGMENTS, Media, Piece, Presentation, Rung


def parse_multivariant(document: bytes) -> Presentation:
    """A media playlist is a title of one rung."""
    playlist = _load(document)
    if not playlist.is_variant:
        return Presentation((Rung(0, 0, "only", media=_media(playlist)),), ())
    rungs = [
        Rung(
            bandwidth=int(item.stream_info.bandwidth or 0),
            height=item.stream_info.resolution[1] if item.stream_info.resolution else 0,
            name=_name(item.stream_info),
            playlist=item.uri,
            group=item.stream_info.audio or "",
        )
        for item in playlist.playlists
    ]
    if any(rung.height for rung in rungs):
        rungs = [rung for rung in rungs if rung.height]
    if not rungs:
        raise Failure("manifest", "no variant in a multivariant playlist")
    group = min(rungs, key=lambda rung: rung.bandwidth).group
    main = sorted((rung for rung in rungs if rung.group == group), key=lambda rung: rung.bandwidth)
    sound = [
        Rung(0, 0, item.language or item.name or "audio", playlist=item.uri, group=group)
        for item in playlist.media
        if item.type == "AUDIO" and item.group_id == group and item.uri
    ]
    return Presentation(tuple(main), tuple(sound))


def parse_media(document: bytes) -> Media:
    playlist = _load(document)
    if playlist.is_variant:
        raise Failure("manifest", "a multivariant playlist where a media playlist must be")
    return _media(playlist)


def _load(document: bytes) -> Any:
    if not document.startswith(b"#EXTM3U"):
        raise Failure("manifest", "a playlist that does not begin with #EXTM3U")
    try:
        return m3u8.loads(document.decode("utf-8"))
    except Exception as error:  # m3u8 has no class of its own for what it cannot read
        raise Failure("manifest", f"a playlist that cannot be read: {error}") from None


def _media(playlist: Any) -> Media:
    if not playlist.is_endlist:
        raise Failure("unsupported", "a playlist without an end: live is not played")
    if not 0 < len(playlist.segments) <= MAX_SEGMENTS:
        raise Failure("manifest", f"a playlist of {len(playlist.segments)} segments")
    pieces, at, next_byte = [], 0.0, 0
    for segment in playlist.segments:
        duration = segment.duration
        if duration is None or not (0 <= duration < math.inf) or not segment.uri:
            raise Failure("manifest", "a segment without duration or URI")
        span = _span(segment.byterange, next_byte)
        next_byte = sum(span) if span else 0
        pieces.append(Piece(segment.uri, at, duration, span))
        at += duration
    init = playlist.segments[0].init_section
    made = Piece(init.uri, span=_span(init.byterange, 0)) if init is not None else None
    return Media(made, tuple(pieces))


def _span(text: str | None, next_byte: int) -> tuple[int, int] | None:
    """``count[@first]`` (RFC 8216 4.3.2.2)."""
    if not text:
        return None
    count, _, first = text.strip('"').partition("@")
    try:
        return int(first) if first else next_byte, int(count)
    except ValueError:
        raise Failure("manifest", f"byte range {text[:40]!r}") from None


def _name(info: Any) -> str:
    return f"{info.resolution[1]}p" if info.resolution else f"{(info.bandwidth or 0) // 1000}k"
