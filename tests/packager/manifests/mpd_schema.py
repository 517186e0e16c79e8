"""What the schema of ISO/IEC 23009-1 (fifth edition) says of the elements that we write.

The schema itself may not be copied, so this is a table of it: which children in which order, and
which attributes of which form; a "!" marks those that must be there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree

MPD = "{urn:mpeg:dash:schema:mpd:2011}"
SCTE_214 = "{urn:scte:dash:scte214-extensions}"

DURATION = r"PT[0-9]+(\.[0-9]+)?S"
UNSIGNED = r"[0-9]+"
LANGUAGE = r"[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*"
FRAME_RATE = r"[0-9]+(/[1-9][0-9]*)?"
RATIO = r"[0-9]+:[0-9]+"
NO_SPACE = r"\S+"
ANY = r".*"

DESCRIPTOR = {"schemeIdUri!": r"(urn|tag):\S+", "value": ANY}
COMMON = ("AudioChannelConfiguration", "EssentialProperty", "SupplementalProperty", "Label")

CHILDREN: dict[str, tuple[str, ...]] = {
    "MPD": ("Period",),
    "Period": ("AdaptationSet",),
    "AdaptationSet": (*COMMON, "Role", "SegmentTemplate", "Representation"),
    "Representation": (*COMMON, "BaseURL", "SegmentTemplate"),
    "SegmentTemplate": ("SegmentTimeline",),
    "SegmentTimeline": ("S",),
}
ATTRIBUTES: dict[str, dict[str, str]] = {
    "MPD": {
        "profiles!": r"urn:[^ ,]+(,urn:[^ ,]+)*",
        "type": "static",
        "mediaPresentationDuration": DURATION,
        "minBufferTime!": DURATION,
    },
    "Period": {"id": ANY, "start": DURATION, "duration": DURATION},
    "AdaptationSet": {
        "id": UNSIGNED,
        "contentType": "video|audio|text",
        "lang": LANGUAGE,
        "mimeType": "video/mp4|audio/mp4|text/vtt",
        "par": RATIO,
        "maxWidth": UNSIGNED,
        "maxHeight": UNSIGNED,
        "maxFrameRate": FRAME_RATE,
        "segmentAlignment": "true|false",
        "startWithSAP": "[0-6]",
    },
    "Representation": {
        "id!": NO_SPACE,
        "bandwidth!": UNSIGNED,
        "codecs": r"[^\s,]+(,[^\s,]+)*",
        "width": UNSIGNED,
        "height": UNSIGNED,
        "sar": RATIO,
        "frameRate": FRAME_RATE,
        "audioSamplingRate": UNSIGNED,
        f"{SCTE_214}supplementalCodecs": NO_SPACE,
        f"{SCTE_214}supplementalProfiles": NO_SPACE,
    },
    "SegmentTemplate": {"timescale": UNSIGNED, "initialization": NO_SPACE, "media": NO_SPACE},
    "SegmentTimeline": {},
    "S": {"t": UNSIGNED, "d!": "[1-9][0-9]*", "r": UNSIGNED},
    "AudioChannelConfiguration": DESCRIPTOR,
    "EssentialProperty": DESCRIPTOR,
    "SupplementalProperty": DESCRIPTOR,
    "Role": DESCRIPTOR,
    "Label": {},
    "BaseURL": {},
}


def violations(element: ElementTree.Element) -> Iterator[str]:
    name = element.tag.removeprefix(MPD)
    yield from _attributes(name, element)
    order = CHILDREN.get(name, ())
    places = []
    for child in element:
        kind = child.tag.removeprefix(MPD)
        if kind not in order:
            yield f"{name} holds {kind}"
        else:
            places.append(order.index(kind))
        yield from violations(child)
    if places != sorted(places):
        yield f"the children of {name} are out of order"


def _attributes(name: str, element: ElementTree.Element) -> Iterator[str]:
    patterns = {key.rstrip("!"): pattern for key, pattern in ATTRIBUTES[name].items()}
    required = {key.rstrip("!") for key in ATTRIBUTES[name] if key.endswith("!")}
    for key in required - element.attrib.keys():
        yield f"{name} has no {key}"
    for key, value in element.attrib.items():
        if not re.fullmatch(patterns.get(key, "(?!)"), value, re.DOTALL):
            yield f"{name}@{key} is {value!r}"
