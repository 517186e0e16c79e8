"""Manifests read back, with none of the code that wrote them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urljoin
from xml.etree import ElementTree

from packager.address import Address, IFramePlaylist, MediaPlaylist, Mpd, MultivariantPlaylist
from packager.manifests import render
from packager.model import Presentation

NAMESPACE = {"": "urn:mpeg:dash:schema:mpd:2011"}


def manifests(presentation: Presentation) -> dict[Address, str]:
    """Every manifest of a title."""
    where = presentation.asset, presentation.revision
    addresses: list[Address] = [MultivariantPlaylist(presentation.asset), Mpd(presentation.asset)]
    addresses += (MediaPlaylist(*where, track.name) for track in presentation.renditions)
    addresses += (MediaPlaylist(*where, track.name) for track in presentation.text)
    addresses += (IFramePlaylist(*where, video.name) for video in presentation.video)
    return {address: render(presentation, address)[1] for address in addresses}


def urls(address: Address, manifest: str, prefix: str = "") -> list[str]:
    """The paths of all URLs in a manifest that was fetched from ``prefix`` and ``address``."""
    found = _mpd_urls(manifest) if isinstance(address, Mpd) else _playlist_urls(manifest)
    base = f"http://origin{prefix}{address}"
    return [urljoin(base, url).removeprefix("http://origin") for url in found]


def _playlist_urls(playlist: str) -> Iterator[str]:
    for line in playlist.split("\n"):
        if line.startswith("#"):
            yield from re.findall(r'[:,]URI="([^"]*)"', line)
        elif line:
            yield line


def _mpd_urls(mpd: str) -> Iterator[str]:
    root = ElementTree.fromstring(mpd.encode())
    for adaptation_set in root.iterfind("Period/AdaptationSet", NAMESPACE):
        for representation in adaptation_set.iterfind("Representation", NAMESPACE):
            yield from _representation_urls(adaptation_set, representation)


def _representation_urls(
    adaptation_set: ElementTree.Element, representation: ElementTree.Element
) -> Iterator[str]:
    if (base := representation.findtext("BaseURL", None, NAMESPACE)) is not None:
        yield base
        return
    own = representation.find("SegmentTemplate", NAMESPACE)
    template = own if own is not None else adaptation_set.find("SegmentTemplate", NAMESPACE)
    assert template is not None
    name = representation.attrib["id"]
    yield template.attrib["initialization"].replace("$RepresentationID$", name)
    media = template.attrib["media"].replace("$RepresentationID$", name)
    for time, _ in timeline(template):
        yield media.replace("$Time$", str(time))


def timeline(template: ElementTree.Element) -> Iterator[tuple[int, int]]:
    """Time and duration of each segment of a SegmentTemplate."""
    time = 0
    for entry in template.iterfind("SegmentTimeline/S", NAMESPACE):
        time = int(entry.get("t", time))
        for _ in range(int(entry.get("r", "0")) + 1):
            yield time, int(entry.attrib["d"])
            time += int(entry.attrib["d"])


def extinf(playlist: str) -> list[str]:
    return re.findall(r"^#EXTINF:([0-9.]+),$", playlist, re.MULTILINE)
