from __future__ import annotations

import pytest

from packager.codecs import aac
from packager.errors import BadMedia, UnsupportedMedia
from packager.isobmff.writer import box, full_box
from packager.model import AudioConfig
from tests.packager.codecs.assemble import (
    as_box,
    audio_entry,
    descriptor,
    esds,
    packed,
    readable,
    u,
)

LC_48K = u(2, 5) + u(3, 4)
SBR_SYNC, PS_SYNC = u(0x2B7, 11), u(0x548, 11)


def parse(configuration: bytes) -> AudioConfig:
    return aac.parse(as_box(audio_entry("mp4a", configuration)))


def asc(*fields: str) -> AudioConfig:
    return parse(esds(packed(*fields).hex()))


@pytest.mark.parametrize(
    ("specific", "codec", "rate", "channels", "layout"),
    [
        ("1190", "mp4a.40.2", 48_000, 2, 2),
        ("1208", "mp4a.40.2", 44_100, 1, 1),
        ("11B0", "mp4a.40.2", 48_000, 6, 6),
        ("11B8", "mp4a.40.2", 48_000, 8, 7),
        ("119056E500", "mp4a.40.2", 48_000, 2, 2),  # sbrPresentFlag is 0
        ("2B920800", "mp4a.40.5", 44_100, 2, 2),
        ("131056E598", "mp4a.40.5", 48_000, 2, 2),
        ("1310", "mp4a.40.2", 24_000, 2, 2),  # implicit signalling, if any
        ("EB8A0800", "mp4a.40.29", 44_100, 2, 2),
        ("138856E5A54880", "mp4a.40.29", 44_100, 2, 2),
        ("138856E5A54800", "mp4a.40.5", 44_100, 1, 1),
    ],
)
def test_published_configurations(
    specific: str, codec: str, rate: int, channels: int, layout: int
) -> None:
    config = parse(esds(specific))
    assert (config.rfc6381, config.sample_rate, config.channels, config.speaker_layout) == (
        *(codec, rate, channels, layout),
    )


@pytest.mark.parametrize(
    ("configuration", "channels"), [(1, 1), (3, 3), (4, 4), (5, 5), (11, 7), (12, 8), (14, 8)]
)
def test_channel_configuration(configuration: int, channels: int) -> None:
    config = asc(LC_48K, u(configuration, 4), "000")
    assert (config.channels, config.speaker_layout) == (channels, configuration)


def program_config(
    front: str, side: str = "", back: str = "", low: int = 0, extra: str = ""
) -> str:
    """Elements as a bit is_cpe each, all with instance tag 5; with a mono mixdown and a comment."""
    elements = "".join(is_cpe + u(5, 4) for is_cpe in front + side + back)
    head = u(5, 4) + u(1, 2) + u(3, 4) + u(len(front), 4) + u(len(side), 4) + u(len(back), 4)
    counts = u(low, 2) + u(1, 3) + u(1, 4)
    body = head + counts + "1" + u(0, 4) + "00" + elements + u(5, 4) * low + u(5, 4) + u(5, 5)
    used = len(LC_48K) + 4 + 3 + len(body)
    return body + "0" * (-used % 8) + u(3, 8) + u(0x616263, 24) + extra


@pytest.mark.parametrize(
    ("fields", "channels"),
    [
        (program_config("1"), 2),
        (program_config("0"), 1),
        (program_config("01", "1", "1", low=1), 8),
        (program_config("01", back="10", low=2), 8),
    ],
)
def test_program_config_element(fields: str, channels: int) -> None:
    config = asc(LC_48K, u(0, 4), "000", fields)
    assert (config.channels, config.speaker_layout) == (channels, None)


def test_extension_behind_a_program_config_element() -> None:
    extension = SBR_SYNC + u(5, 5) + "1" + u(0, 4)
    config = asc(LC_48K, u(0, 4), "000", program_config("1", extra=extension))
    assert (config.rfc6381, config.sample_rate) == ("mp4a.40.5", 96_000)


def test_escaped_frequency_and_core_coder() -> None:
    config = asc(u(2, 5), u(15, 4), u(44_056, 24), u(2, 4), "0 1", u(0, 14), "0")
    assert (config.sample_rate, config.channels) == (44_056, 2)


def test_other_extension_is_not_sbr() -> None:
    config = asc(LC_48K, u(2, 4), "000", SBR_SYNC, u(22, 5), "1", u(3, 4), u(2, 4))
    assert config.rfc6381 == "mp4a.40.2"


USAC = u(31, 5) + u(10, 6) + u(3, 4) + u(2, 4)


@pytest.mark.parametrize(
    ("fields", "rate", "channels", "layout"),
    [
        (u(3, 5) + u(1, 3) + u(2, 5), 48_000, 2, 2),
        (u(31, 5) + u(37_800, 24) + u(1, 3) + u(1, 5), 37_800, 1, 1),
        (u(17, 5) + u(1, 3) + u(6, 5), 40_000, 6, 6),
        (u(4, 5) + u(1, 3) + u(8, 5), 44_100, 2, 8),
        (u(4, 5) + u(1, 3) + u(0, 5) + u(10, 5), 44_100, 10, None),
        (u(4, 5) + u(1, 3) + u(0, 5) + u(31, 5) + u(9, 8), 44_100, 40, None),
    ],
)
def test_xhe_aac(fields: str, rate: int, channels: int, layout: int | None) -> None:
    config = asc(USAC, fields)
    assert config.rfc6381 == "mp4a.40.42"
    assert (config.sample_rate, config.channels, config.speaker_layout) == (rate, channels, layout)


def test_xhe_aac_with_too_many_channels() -> None:
    with pytest.raises(BadMedia, match="the sound has 65535 channels at 44100 Hz"):
        asc(USAC, u(4, 5), u(1, 3), u(0, 5), u(31, 5), u(255, 8), u(65_535 - 286, 16))


def test_mpeg2_aac() -> None:
    assert parse(esds(object_type=0x67)).rfc6381 == "mp4a.67"


@pytest.mark.parametrize(
    ("object_type", "name"),
    [(0x69, "MP3"), (0x6B, "MP3"), (0xA5, "AC-3"), (0xDD, "Vorbis"), (0x20, "this codec")],
)
def test_other_codecs_in_mp4a(object_type: int, name: str) -> None:
    with pytest.raises(UnsupportedMedia, match=f"{name} in 'mp4a' .object type {object_type:#x}"):
        parse(esds(object_type=object_type))


def test_mp3_has_no_specific_info() -> None:
    stream = descriptor(3, bytes(3), descriptor(4, b"\x6b\x15" + bytes(11)))
    with pytest.raises(UnsupportedMedia, match="MP3 in 'mp4a'"):
        parse(full_box("esds", 0, 0, stream))


@pytest.mark.parametrize("object_type", [1, 3, 4, 17, 22, 23, 36, 39])
def test_other_mpeg4_audio(object_type: int) -> None:
    kind = u(object_type, 5) if object_type < 32 else u(31, 5) + u(object_type - 32, 6)
    with pytest.raises(UnsupportedMedia, match=f"audio object type {object_type} is not"):
        asc(kind, u(3, 4), u(2, 4), "000")


def test_optional_fields_of_the_stream_descriptor() -> None:
    flags = b"\xe0" + b"\0\7" + b"\3abc" + b"\0\x09"
    assert parse(esds(flags=flags)) != parse(esds())
    assert parse(esds(flags=flags)).rfc6381 == "mp4a.40.2"


LONG_SIZE = full_box("esds", 0, 0, b"\3\xff\xff\xff\xff")


@pytest.mark.parametrize(
    ("configuration", "reason"),
    [
        (b"", "has no 'esds' in box 'mp4a' at byte 1000"),
        (box("esds"), "needs 4 bytes but holds 0 in box 'esds' at byte 1036"),
        (full_box("esds", 0, 0), "has no descriptor with tag 3"),
        (full_box("esds", 0, 0, descriptor(6, b"\2")), "has no descriptor with tag 3"),
        (full_box("esds", 0, 0, descriptor(3, bytes(3))), "has no descriptor with tag 4"),
        (full_box("esds", 0, 0, descriptor(3, bytes(3), descriptor(4, b"\x40"))), "too early"),
        (LONG_SIZE, "bits too early"),
        (esds(""), "bits too early"),
        (esds("11"), "bits too early"),
        (esds("1680"), "sampling frequency index 13 is reserved"),
        (esds("11C0"), "channel configuration 8 is reserved"),
        (esds("11C8"), "channel configuration 9 is reserved"),
        (esds(packed(u(2, 5), u(15, 4), u(0, 24), u(2, 4), "000").hex()), "2 channels at 0 Hz"),
        (esds(packed(USAC, u(13, 5), u(1, 3), u(2, 5)).hex()), "2 channels at 0 Hz"),
        (esds(packed(USAC, u(30, 5), u(1, 3), u(2, 5)).hex()), "2 channels at 0 Hz"),
        (esds(packed(USAC, u(3, 5), u(1, 3), u(30, 5)).hex()), "configuration 30 is reserved"),
        (esds(packed(LC_48K, u(0, 4), "000", "1" * 20).hex()), "bits too early"),
    ],
    ids=readable,
)
def test_broken_configuration(configuration: bytes, reason: str) -> None:
    with pytest.raises(BadMedia, match=reason):
        parse(configuration)


def test_decoder_without_specific_info() -> None:
    decoder = descriptor(4, b"\x40\x15" + bytes(11))
    with pytest.raises(BadMedia, match="ends 5 bits too early in box 'esds'"):
        parse(full_box("esds", 0, 0, descriptor(3, bytes(3), decoder)))
