"""What every codec in ``CODECS`` owes the rest of the packager.

A new codec needs one example in ``EXAMPLES`` for each of its fourccs; these tests do the rest.
"""

from __future__ import annotations

import re

import pytest

from packager.codecs import CODECS, Codec, parse_sample_entry
from packager.errors import BadMedia
from packager.isobmff.boxes import children
from packager.model import AudioConfig, MediaKind, VideoConfig
from tests.packager.codecs.assemble import AT, EXAMPLES, as_box

CASES = [pytest.param(codec, fourcc, id=fourcc) for codec in CODECS for fourcc in codec.fourccs]
CONFIG_TYPES = {MediaKind.VIDEO: VideoConfig, MediaKind.AUDIO: AudioConfig}
FIELDS_SIZES = {MediaKind.VIDEO: 78, MediaKind.AUDIO: 28}

each_entry = pytest.mark.parametrize(("codec", "fourcc"), CASES)


@each_entry
def test_configuration_is_of_its_kind(codec: Codec, fourcc: str) -> None:
    config = parse_sample_entry(as_box(EXAMPLES[fourcc]))
    assert type(config) is CONFIG_TYPES[codec.kind]
    assert config.codec == codec.name


@each_entry
def test_codec_string_starts_with_the_entry(codec: Codec, fourcc: str) -> None:
    config = parse_sample_entry(as_box(EXAMPLES[fourcc]))
    name = config.sample_entry[4:8].decode()
    assert name in codec.fourccs
    assert re.fullmatch(r"[\w-]{4}(\.[0-9A-Za-z]+)*", config.rfc6381)
    assert config.rfc6381.startswith(name)


@each_entry
def test_sample_entry_is_whole(codec: Codec, fourcc: str) -> None:
    entry = parse_sample_entry(as_box(EXAMPLES[fourcc])).sample_entry
    assert int.from_bytes(entry[:4], "big") == len(entry)
    assert entry[8:16] == bytes(6) + b"\0\1"  # data_reference_index
    boxes = [child.type for child in children(as_box(entry), skip=FIELDS_SIZES[codec.kind])]
    assert boxes
    assert len(boxes) == len(set(boxes))


@each_entry
def test_sample_entry_comes_back(codec: Codec, fourcc: str) -> None:
    config = parse_sample_entry(as_box(EXAMPLES[fourcc]))
    assert codec.parse(as_box(config.sample_entry)) == config


@each_entry
def test_nothing_depends_on_the_place_in_the_file(codec: Codec, fourcc: str) -> None:
    entry = EXAMPLES[fourcc]
    assert codec.parse(as_box(entry, offset=0)) == codec.parse(as_box(entry, offset=1 << 40))


@each_entry
def test_complaint_says_where(codec: Codec, fourcc: str) -> None:
    """An entry with its fields and nothing else has no configuration box."""
    bare = EXAMPLES[fourcc][8 : 8 + FIELDS_SIZES[codec.kind]]
    entry = (8 + len(bare)).to_bytes(4, "big") + fourcc.encode() + bare
    with pytest.raises(BadMedia, match=r"has no '\w{4}'") as caught:
        codec.parse(as_box(entry))
    assert (caught.value.box, caught.value.offset) == (fourcc, AT)
