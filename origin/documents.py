"""What is made in memory: manifests, init segments and text, as resources.

Text gets a compressed twin, made once for all who accept it. Making takes a millisecond or more, so
it is done in a thread.
"""

from __future__ import annotations

import gzip
import zlib

import numpy as np

from origin.cmcd import cmsd
from origin.delivery.resource import Resource
from packager.address import Address, InitSegment, TextSegment, WholeText
from packager.errors import NotFound
from packager.manifests import FORMATS, render
from packager.model import Presentation, Rendition, TextRendition
from packager.mux.fmp4 import MEDIA_TYPES, init_segment
from packager.text import webvtt_file, webvtt_segment

TEXT_TYPE = "text/vtt"

_COMPRESSIBLE = {TEXT_TYPE, *(form.media_type for form in FORMATS)}

Track = Rendition | TextRendition


def make(
    presentation: Presentation, track: Track | None, address: Address, tag: str, cache_control: str
) -> Resource:
    """What ``address`` names; ``track``: the one it is of. Raises ``NotFound``."""
    media_type, body = _body(presentation, track, address)
    packed = gzip.compress(body, mtime=0) if media_type in _COMPRESSIBLE else body
    told = cmsd.static(address)
    twin = None
    if len(packed) < len(body):
        # Nodes may differ in their zlib: the tag is of the very bytes.
        packed_tag = f"{tag}-gz-{zlib.crc32(packed):08x}"
        twin = _resource(media_type, packed, packed_tag, cache_control, told, encoding="gzip")
    return _resource(media_type, body, tag, cache_control, told, twin=twin)


def _resource(
    media_type: str,
    body: bytes,
    tag: str,
    cache_control: str,
    told: cmsd.Fields,
    *,
    encoding: str = "",
    twin: Resource | None = None,
) -> Resource:
    return Resource(
        media_type=media_type,
        etag=f'"{tag}"',
        cache_control=cache_control,
        size=len(body),
        parts=(body,),
        multipart=False,
        gzip=twin,
        content_encoding=encoding,
        told=told,
    )


def _body(presentation: Presentation, track: Track | None, address: Address) -> tuple[str, bytes]:
    """Media type and bytes."""
    match address:
        case InitSegment():
            rendition = media_track(track)
            return MEDIA_TYPES[rendition.track.kind], init_segment(rendition)
        case WholeText():
            return TEXT_TYPE, webvtt_file(_text(track))
        case TextSegment():
            text = _text(track)
            starts = np.array(text.edges[:-1], np.int64)
            return TEXT_TYPE, webvtt_segment(text, segment_row(starts, address.time, text.name))
        case _:
            media_type, body = render(presentation, address)
            return media_type, body.encode()


def media_track(track: Track | None) -> Rendition:
    if isinstance(track, Rendition):
        return track
    raise NotFound("the track is text")


def _text(track: Track | None) -> TextRendition:
    if isinstance(track, TextRendition):
        return track
    raise NotFound("the track is not text")


def segment_row(times: np.ndarray[tuple[int], np.dtype[np.int64]], time: int, track: str) -> int:
    """The segment that starts at ``time``."""
    row = int(np.searchsorted(times, time))
    if row == len(times) or times[row] != time:
        raise NotFound(f"no segment of {track} starts at {time}")
    return row
