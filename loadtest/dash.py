"""DASH MPDs (ISO/IEC 23009-1): SegmentTemplate with a timeline or a duration, and SegmentList.

The first period of a static presentation is played. ElementTree reads it; what makes XML expensive
to read, a document type with its entities, is refused before it is parsed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import ceil
from xml.etree.ElementTree import Element, ParseError, XMLParser

from loadtest.errors import Failure
from loadtest.streams import MAX_SEGMENTS, Media, Piece, Presentation, Rung, resolve

NS = "{urn:mpeg:dash:schema:mpd:2011}"
MAX_BYTES = 8 << 20
_DURATION = re.compile(
    r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?"
)  # years and months have no length
_FIELD = re.compile(r"\$(?:(RepresentationID|Number|Time|Bandwidth)(?:%0(\d{1,2})d)?)?\$")


def parse_mpd(document: bytes) -> Presentation:
    mpd = _read(document)
    if mpd.get("type", "static") != "static":
        raise Failure("unsupported", "a dynamic MPD: live is not played")
    period = mpd.find(f"{NS}Period")
    if period is None:
        raise Failure("manifest", "an MPD without a period")
    duration = seconds(period.get("duration") or mpd.get("mediaPresentationDuration") or "")
    base = resolve_base("", mpd, period)
    rungs: dict[str, list[Rung]] = {"video": [], "audio": []}
    for group in period.findall(f"{NS}AdaptationSet"):
        kind = _kind(group)
        if kind in rungs:
            rungs[kind] += _rungs(period, group, base, duration)
    main, sound = rungs["video"], rungs["audio"]
    if not main:
        main, sound = sound, []
    if not main:
        raise Failure("manifest", "an MPD without pictures or sound")
    by_rate = sorted(main, key=lambda rung: rung.bandwidth)
    return Presentation(tuple(by_rate), tuple(_one_a_language(sound)))


def seconds(text: str) -> float:
    """Of an xs:duration."""
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()):
        raise Failure("manifest", f"duration {text[:40]!r}")
    days, hours, minutes, rest = (float(part or 0) for part in found.groups())
    return days * 86_400 + hours * 3600 + minutes * 60 + rest


def _read(document: bytes) -> Element:
    if len(document) > MAX_BYTES:
        raise Failure("manifest", f"an MPD of {len(document)} bytes")
    if b"<!" in document.replace(b"<!--", b"").replace(b"<![CDATA[", b""):
        raise Failure("manifest", "an MPD with a document type")
    try:
        parser = XMLParser()
        parser.feed(document)
        root: Element = parser.close()
    except (ParseError, ValueError) as error:
        raise Failure("manifest", f"an MPD that is no XML: {error}") from None
    if root.tag != f"{NS}MPD":
        raise Failure("manifest", f"{root.tag[:60]!r} is no MPD")
    return root


def _kind(group: Element) -> str:
    representation = group.find(f"{NS}Representation")
    inner = "" if representation is None else representation.get("mimeType", "")
    mime = group.get("mimeType") or inner or ""
    return group.get("contentType") or mime.partition("/")[0]


def _rungs(period: Element, group: Element, base: str, duration: float) -> Iterator[Rung]:
    for item in group.findall(f"{NS}Representation"):
        bandwidth = _number(item, "bandwidth", 0)
        height = _number(item, "height", _number(group, "height", 0))
        place = resolve_base(base, group, item)
        media = _media(item, [period, group, item], place, duration)
        language = group.get("lang") or ""
        name = f"{height}p" if height else language or "audio"
        yield Rung(bandwidth, height, name, media=media, group=language)


def _one_a_language(rungs: list[Rung]) -> Iterator[Rung]:
    for language in dict.fromkeys(rung.group for rung in rungs):
        yield max((r for r in rungs if r.group == language), key=lambda rung: rung.bandwidth)


def resolve_base(base: str, *elements: Element) -> str:
    for element in elements:
        uri = (element.findtext(f"{NS}BaseURL") or "").strip()
        if uri:
            base = resolve(base, uri) if base else uri
    return base


def _media(item: Element, levels: list[Element], base: str, duration: float) -> Media:
    listed = [level.find(f"{NS}SegmentList") for level in levels]
    if any(part is not None for part in listed):
        return _listed([part for part in listed if part is not None], base)
    parts = [level.find(f"{NS}SegmentTemplate") for level in levels]
    templates = [part for part in parts if part is not None]
    if not templates:
        raise Failure("unsupported", "a representation without SegmentTemplate or SegmentList")
    return _templated(item, templates, base, duration)


def _templated(item: Element, templates: list[Element], base: str, duration: float) -> Media:
    attributes = {name: value for part in templates for name, value in part.attrib.items()}
    timescale = max(1, _whole("timescale", attributes.get("timescale", "1")))
    names = {"RepresentationID": item.get("id", ""), "Bandwidth": item.get("bandwidth", "0")}
    number = _whole("startNumber", attributes.get("startNumber", "1"))
    known = [line for part in templates if (line := part.find(f"{NS}SegmentTimeline")) is not None]
    if known:
        spans = _timeline(known[-1], duration * timescale)
    elif "duration" in attributes:
        spans = _even(_whole("duration", attributes["duration"]), duration * timescale)
    else:
        raise Failure("manifest", "a template without a timeline or a duration")
    pieces: list[Piece] = []
    first: float | None = None
    for place, (start, length) in enumerate(spans):
        first = start if first is None else first
        values = names | {"Number": str(number + place), "Time": str(int(start))}
        uri = _join(base, fill(attributes.get("media", ""), values))
        pieces.append(Piece(uri, (start - first) / timescale, length / timescale))
    initialization = attributes.get("initialization")
    init = Piece(_join(base, fill(initialization, names))) if initialization else None
    return Media(init, _some(pieces))


def _timeline(timeline: Element, period_ticks: float) -> Iterator[tuple[float, float]]:
    """Start and length of each segment, in ticks (23009-1 5.3.9.6)."""
    at, total = 0, 0
    entries = timeline.findall(f"{NS}S")
    for place, entry in enumerate(entries):
        at = _number(entry, "t", at)
        length, repeat = _number(entry, "d", 0), _number(entry, "r", 0)
        if length <= 0:
            raise Failure("manifest", "a segment of a timeline without length")
        if repeat < 0:
            following = entries[place + 1] if place + 1 < len(entries) else None
            end = period_ticks if following is None else _number(following, "t", at)
            repeat = ceil((end - at) / length) - 1
        total += repeat + 1
        if total > MAX_SEGMENTS:
            raise Failure("manifest", f"more than {MAX_SEGMENTS} segments")
        for _ in range(repeat + 1):
            yield at, length
            at += length


def _even(length: float, period_ticks: float) -> Iterator[tuple[float, float]]:
    count = ceil(period_ticks / length - 1e-9) if length > 0 else 0
    if count > MAX_SEGMENTS:
        raise Failure("manifest", f"more than {MAX_SEGMENTS} segments")
    for place in range(count):
        yield place * length, min(length, period_ticks - place * length)


def _listed(lists: list[Element], base: str) -> Media:
    inner = lists[-1]
    timescale, length = _number(inner, "timescale", 1) or 1, _number(inner, "duration", 0)
    urls = inner.findall(f"{NS}SegmentURL")[: MAX_SEGMENTS + 1]
    pieces = [
        Piece(_join(base, url.get("media", "")), place * length / timescale, length / timescale,
              _span(url.get("mediaRange")))
        for place, url in enumerate(urls)
    ]  # fmt: skip
    first = inner.find(f"{NS}Initialization")
    init = None
    if first is not None:
        init = Piece(_join(base, first.get("sourceURL", "")), span=_span(first.get("range")))
    return Media(init, _some(pieces))


def _span(text: str | None) -> tuple[int, int] | None:
    found = re.fullmatch(r"(\d{1,15})-(\d{1,15})", text or "")
    if found is None:
        return None
    first, last = int(found[1]), int(found[2])
    return first, last - first + 1


def _some(pieces: list[Piece]) -> tuple[Piece, ...]:
    if not 0 < len(pieces) <= MAX_SEGMENTS:
        raise Failure("manifest", f"a representation of {len(pieces)} segments")
    return tuple(pieces)


def _join(base: str, uri: str) -> str:
    return resolve(base, uri) if base and uri else uri or base


def fill(template: str, values: dict[str, str]) -> str:
    """23009-1 5.3.9.4.4."""

    def value(found: re.Match[str]) -> str:
        name, width = found[1], found[2]
        if name is None:
            return "$"
        return values.get(name, "").zfill(int(width or 0))

    return _FIELD.sub(value, template)


def _number(element: Element, name: str, default: int) -> int:
    raw = element.get(name)
    return default if raw is None else _whole(name, raw)


def _whole(name: str, raw: str) -> int:
    if not re.fullmatch(r"-?\d{1,18}", raw):
        raise Failure("manifest", f"{name} {raw[:40]!r} is no number")
    return int(raw)
