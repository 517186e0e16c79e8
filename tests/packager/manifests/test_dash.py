from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from xml.etree import ElementTree

import pytest

from packager.manifests import dash
from packager.model import AudioConfig, Colour, Presentation, VideoConfig
from tests.packager.manifests import titles
from tests.packager.manifests.mpd_schema import violations
from tests.packager.manifests.reading import NAMESPACE, timeline
from tests.packager.manifests.titles import TITLES

Element = ElementTree.Element


def parse(presentation: Presentation) -> Element:
    return ElementTree.fromstring(dash.mpd(presentation).encode())


def sets(presentation: Presentation) -> list[Element]:
    return parse(presentation).findall("Period/AdaptationSet", NAMESPACE)


def descriptors(element: Element, name: str) -> list[tuple[str, str]]:
    found = element.findall(name, NAMESPACE)
    return [(each.attrib["schemeIdUri"].split(":", 3)[-1], each.attrib["value"]) for each in found]


def ids(adaptation_set: Element) -> list[str]:
    return [r.attrib["id"] for r in adaptation_set.findall("Representation", NAMESPACE)]


@pytest.mark.parametrize("name", TITLES)
def test_golden(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"manifests/{name}.manifest.mpd", dash.mpd(TITLES[name]()))


@pytest.mark.parametrize("name", TITLES)
def test_keeps_to_the_schema(name: str) -> None:
    assert list(violations(parse(TITLES[name]()))) == []


@pytest.mark.parametrize("name", TITLES)
def test_timelines_cover_the_period_in_whole_segments(name: str) -> None:
    """DASH-IF: no gap, no overlap, and the last segment reaches the end of its track."""
    presentation = TITLES[name]()
    tracks = {track.name: track for track in presentation.renditions}
    for adaptation_set in sets(presentation):
        if adaptation_set.get("contentType") == "text":
            continue
        for representation in adaptation_set.findall("Representation", NAMESPACE):
            own = representation.find("SegmentTemplate", NAMESPACE)
            template = own if own is not None else adaptation_set.find("SegmentTemplate", NAMESPACE)
            assert template is not None
            track = tracks.pop(representation.attrib["id"])
            assert template.get("timescale") == str(track.timescale)
            segments = list(timeline(template))
            assert [time for time, _ in segments] == track.segments.time.tolist()
            assert sum(segments[-1]) == track.segments.duration.sum()
    assert not tracks


def test_the_period_lasts_as_long_as_the_presentation() -> None:
    mpd = parse(titles.film())
    period = mpd.find("Period", NAMESPACE)
    assert period is not None
    assert mpd.get("mediaPresentationDuration") == period.get("duration") == "PT18.048S"


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (Fraction(10), "PT10S"),
        (Fraction(7200), "PT7200S"),
        (Fraction(1, 4), "PT0.25S"),
        (Fraction(1001, 30000), "PT0.033366667S"),
        (Fraction(1_999_999_999_9, 10_000_000_000), "PT2S"),
    ],
)
def test_durations(duration: Fraction, text: str) -> None:
    presentation = replace(titles.film(), duration=duration)
    assert parse(presentation).get("mediaPresentationDuration") == text


def test_sets_hold_what_can_be_switched_between() -> None:
    assert [ids(each) for each in sets(titles.film())] == [
        ["video1", "video2", "video3"],
        ["video4", "video5"],
        *(["audio1"], ["audio2"], ["audio3"], ["audio4"]),
        *(["text1"], ["text2"], ["text3"], ["text4"]),
    ]


def test_sets_of_one_range_may_be_switched_between() -> None:
    film = titles.film()
    hevc = replace(titles.hevc_hdr(1280, 720), colour=titles.BT709)
    sdr = replace(film.video[3], track=replace(film.video[3].track, config=hevc))
    found = sets(replace(film, video=(*film.video[:3], sdr, film.video[4])))
    switching = [
        [
            value
            for scheme, value in descriptors(each, "SupplementalProperty")
            if "switching" in scheme
        ]
        for each in found[:3]
    ]
    assert switching == [["2"], ["1"], []]


def test_unequal_timelines_stand_with_their_representations() -> None:
    film = titles.film()
    other = titles.rendition(
        titles.avc(1280, 720), (96, 192), timescale=24000, step=1001, name="video2"
    )
    (mixed,) = sets(titles.title((film.video[0], other)))
    assert mixed.find("SegmentTemplate", NAMESPACE) is None
    assert len(mixed.findall("Representation/SegmentTemplate", NAMESPACE)) == 2
    shared = sets(film)[0]
    assert len(shared.findall("SegmentTemplate", NAMESPACE)) == 1
    assert not shared.findall("Representation/SegmentTemplate", NAMESPACE)


def colour_of(*configs: VideoConfig) -> dict[str, list[tuple[str, str]]]:
    videos = [
        titles.rendition(config, (1,), timescale=25, step=1, name=f"video{number}")
        for number, config in enumerate(configs, 1)
    ]
    (found,) = sets(titles.title(videos))
    kinds = ("EssentialProperty", "SupplementalProperty")
    return {kind: descriptors(found, kind) for kind in kinds}


def test_hdr_is_essential_to_understand() -> None:
    found = colour_of(titles.hevc_hdr(1280, 720))
    assert found == {
        "EssentialProperty": [
            ("cicp:ColourPrimaries", "9"),
            ("cicp:TransferCharacteristics", "16"),
            ("cicp:MatrixCoefficients", "9"),
        ],
        "SupplementalProperty": [],
    }


def test_only_colour_that_all_share_is_told() -> None:
    hd, sd = titles.avc(1280, 720), replace(titles.avc(720, 576), colour=Colour(5, 1, 2))
    assert colour_of(hd, sd)["SupplementalProperty"] == [("cicp:TransferCharacteristics", "1")]
    assert colour_of(hd, replace(sd, colour=None))["SupplementalProperty"] == []


CICP = "urn:mpeg:mpegB:cicp:ChannelConfiguration"
DOLBY = "tag:dolby.com,2014:dash:audio_channel_configuration:2011"


@pytest.mark.parametrize(
    ("rfc6381", "channels", "layout", "expected"),
    [
        ("mp4a.40.2", 2, 2, (CICP, "2")),
        ("mp4a.40.2", 6, None, (CICP, "6")),
        ("mp4a.40.2", 8, 7, (CICP, "7")),
        ("Opus", 8, None, (CICP, "12")),
        ("fLaC", 1, None, (CICP, "1")),
        ("Opus", 9, None, None),
        ("ac-3", 2, 2, (DOLBY, "A000")),
        ("ac-3", 6, None, (DOLBY, "F801")),
        ("ec-3", 8, 12, (DOLBY, "FA01")),
        ("ec-3", 16, None, None),
    ],
)
def test_channels(
    rfc6381: str, channels: int, layout: int | None, expected: tuple[str, str] | None
) -> None:
    config = AudioConfig("", rfc6381, b"", 48000, channels, speaker_layout=layout)
    (found,) = sets(titles.title(audio=[titles.audio(config, "audio1", "en", "English", 1)]))
    told = found.find("AudioChannelConfiguration", NAMESPACE)
    assert expected == (None if told is None else tuple(told.attrib.values()))


def test_atmos() -> None:
    found = sets(titles.film())[5]
    schemes = found.findall("SupplementalProperty", NAMESPACE)
    assert [(each.attrib["schemeIdUri"], each.attrib["value"]) for each in schemes] == [
        ("tag:dolby.com,2018:dash:EC3_ExtensionType:2018", "JOC"),
        ("tag:dolby.com,2018:dash:EC3_ExtensionComplexityIndex:2018", "16"),
    ]


def test_languages_and_roles() -> None:
    found = [(each.get("lang"), descriptors(each, "Role")[0][1]) for each in sets(titles.film())]
    assert found == [
        *[(None, "main")] * 2,
        *[("en", "main"), ("fr", "alternate"), ("en", "main"), ("en", "main")],
        *[("en", "subtitle"), ("en", "caption"), ("fr", "forced-subtitle"), ("es-419", "subtitle")],
    ]


def test_one_language_in_two_roles_is_two_sets() -> None:
    film = titles.audio(titles.STEREO, "audio1", "en", "English", 1)
    commentary = titles.audio(titles.STEREO, "audio2", "en", "Director's commentary", 1)
    better = titles.audio(titles.STEREO, "audio3", "en", "English", 2)
    found = sets(titles.title(audio=[film, commentary, better]))
    assert [ids(each) for each in found] == [["audio1", "audio3"], ["audio2"]]
