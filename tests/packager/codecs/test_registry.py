from __future__ import annotations

import pytest

from packager.codecs import CODECS, Codec, avc, by_fourcc, parse_sample_entry
from packager.errors import BadMedia, UnsupportedMedia
from packager.isobmff.writer import box
from packager.model import MediaKind
from tests.packager.codecs.assemble import as_box


def test_duplicate_fourcc_is_refused() -> None:
    twin = Codec("twin", MediaKind.VIDEO, ("xxxx", "avc1"), avc.parse)
    with pytest.raises(ValueError, match="'avc1' is both avc and twin"):
        by_fourcc((*CODECS, twin))


@pytest.mark.parametrize("fourcc", ["encv", "enca"])
def test_encrypted_entries(fourcc: str) -> None:
    with pytest.raises(
        UnsupportedMedia, match=f"encrypted input is not supported in box '{fourcc}' at byte 7"
    ):
        parse_sample_entry(as_box(box(fourcc, bytes(100)), offset=7))


@pytest.mark.parametrize("fourcc", ["mp4v", "vp08", ".mp3", "lpcm", "tx3g", "\0\0\0\0", "\xff AB"])
def test_unknown_entries(fourcc: str) -> None:
    with pytest.raises(UnsupportedMedia, match="the codec is not supported") as caught:
        parse_sample_entry(as_box(box(fourcc, bytes(100))))
    assert (caught.value.box, caught.value.offset) == (fourcc, 1000)


@pytest.mark.parametrize("fourcc", [fourcc for codec in CODECS for fourcc in codec.fourccs])
def test_empty_entries(fourcc: str) -> None:
    with pytest.raises(BadMedia, match=f"needs .* bytes but holds 0 in box '{fourcc}'"):
        parse_sample_entry(as_box(box(fourcc)))
