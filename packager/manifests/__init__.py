"""Manifests: one presentation in the words of each protocol.

Every URL in a manifest is relative to the manifest's own, and HLS and DASH name the same CMAF
segments. Equal presentations give equal bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from packager.address import Address, IFramePlaylist, MediaPlaylist, Mpd, MultivariantPlaylist
from packager.errors import NotFound
from packager.manifests import dash, hls
from packager.model import Presentation, Rendition, TextRendition


@dataclass(frozen=True, slots=True)
class ManifestFormat:
    """``render`` is called with an address of type ``address``."""

    address: type[Address]
    media_type: str
    render: Callable[[Presentation, Any], str]


def _media_playlist(presentation: Presentation, address: MediaPlaylist) -> str:
    return hls.media_playlist(presentation, _track(presentation, address.track))


def _iframe_playlist(presentation: Presentation, address: IFramePlaylist) -> str:
    for video in presentation.video:
        if video.name == address.track:
            return hls.iframe_playlist(presentation, video)
    raise NotFound(f"no video track '{address.track}'")


def _track(presentation: Presentation, name: str) -> Rendition | TextRendition:
    tracks: tuple[Rendition | TextRendition, ...] = presentation.renditions + presentation.text
    for rendition in tracks:
        if rendition.name == name:
            return rendition
    raise NotFound(f"no track '{name}'")


FORMATS = (
    ManifestFormat(
        MultivariantPlaylist, hls.MEDIA_TYPE, lambda title, _: hls.multivariant_playlist(title)
    ),
    ManifestFormat(MediaPlaylist, hls.MEDIA_TYPE, _media_playlist),
    ManifestFormat(IFramePlaylist, hls.MEDIA_TYPE, _iframe_playlist),
    ManifestFormat(Mpd, dash.MEDIA_TYPE, lambda title, _: dash.mpd(title)),
)
_BY_ADDRESS = {form.address: form for form in FORMATS}


def render(presentation: Presentation, address: Address) -> tuple[str, str]:
    """Media type and text of the manifest at ``address``.

    Raises ``NotFound`` for a track the presentation does not hold, and for what is no manifest.
    """
    form = _BY_ADDRESS.get(type(address))
    if form is None:
        raise NotFound("not a manifest")
    return form.media_type, form.render(presentation, address)
