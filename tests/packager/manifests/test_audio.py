from __future__ import annotations

from dataclasses import replace

from packager.manifests.audio import audio_groups
from packager.model import AudioConfig, Rendition
from tests.packager.manifests import titles

STEREO, SURROUND = titles.STEREO, titles.SURROUND
XHE_AAC = replace(STEREO, rfc6381="mp4a.40.42")
AAC_5_1 = replace(STEREO, channels=6, speaker_layout=6)


def groups(*audio: Rendition) -> dict[str, list[str]]:
    found = audio_groups(audio)
    return {group.name: [rendition.name for rendition in group.renditions] for group in found}


def track(name: str, config: AudioConfig, label: str = "English") -> Rendition:
    return titles.audio(config, name, label[:2].lower(), label, 1)


def test_none() -> None:
    assert groups() == {}


def test_stereo_aac_comes_first() -> None:
    found = groups(track("a", SURROUND), track("b", AAC_5_1), track("c", STEREO))
    assert found == {"aac-2": ["c"], "ec-3-6": ["a"], "aac-6": ["b"]}


def test_one_decoder_for_a_group() -> None:
    found = groups(track("a", STEREO), track("b", titles.HE_STEREO, "French"), track("c", XHE_AAC))
    assert found == {"aac-2": ["a", "b"], "mp4a.40.42-2": ["c", "b"]}


def test_bit_rates_of_one_member_are_groups() -> None:
    found = groups(track("a", STEREO), track("b", STEREO), track("c", STEREO, "Commentary"))
    assert found == {"aac-2": ["a", "c"], "aac-2-2": ["b", "c"]}


def test_what_a_group_lacks_is_the_nearest_there_is() -> None:
    found = groups(
        track("a", STEREO),
        track("b", STEREO, "French"),
        track("c", STEREO, "Italian"),
        track("d", SURROUND),
        track("e", SURROUND, "French"),
        track("f", SURROUND),
    )
    assert found == {
        "aac-2": ["a", "b", "c"],
        "ec-3-6": ["d", "e", "c"],
        "ec-3-6-2": ["f", "e", "c"],
    }


def test_the_group_that_plays_everywhere_stays_so() -> None:
    found = groups(track("a", STEREO), track("b", SURROUND, "French"))
    assert found == {"aac-2": ["a"], "ec-3-6": ["a", "b"]}
