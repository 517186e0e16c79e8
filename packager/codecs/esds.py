"""'esds': what an MPEG-4 elementary stream is (ISO/IEC 14496-1 7.2.6, 14496-14 5.6)."""

from __future__ import annotations

from typing import NamedTuple

from packager.codecs.bits import BitReader
from packager.isobmff.boxes import Box

_ES = 3
_DECODER_CONFIG = 4
_DECODER_SPECIFIC = 5
_MAX_SIBLINGS = 32


class DecoderConfig(NamedTuple):
    """``object_type``: objectTypeIndication; ``specific``: DecoderSpecificInfo, may be empty."""

    object_type: int
    specific: bytes


def read_esds(esds: Box) -> DecoderConfig:
    _, _, body = esds.full()
    stream = _descend(BitReader(body, esds), _ES)
    stream.skip(16)  # ES_ID
    depends, url, ocr = stream.flag(), stream.flag(), stream.flag()
    stream.skip(5 + 16 * depends)
    if url:
        stream.skip(8 * stream.read(8))
    stream.skip(16 * ocr)
    decoder = _descend(stream, _DECODER_CONFIG)
    object_type = decoder.read(8)
    decoder.skip(96)  # stream type, buffer size, bit rates
    if not decoder.left:
        return DecoderConfig(object_type, b"")
    specific = _descend(decoder, _DECODER_SPECIFIC)
    return DecoderConfig(object_type, specific.take(specific.left // 8))


def _descend(bits: BitReader, tag: int) -> BitReader:
    """Into the next descriptor of this ``tag``, past others."""
    for _ in range(_MAX_SIBLINGS):
        if not bits.left:
            break
        found = bits.read(8)
        payload = bits.take(_size(bits))
        if found == tag:
            return BitReader(payload, bits.source)
    raise bits.source.bad(f"has no descriptor with tag {tag}")


def _size(bits: BitReader) -> int:
    """Seven bits a byte, at most four of them (14496-1 8.3.3)."""
    size = 0
    for _ in range(4):
        more, low = bits.flag(), bits.read(7)
        size = size << 7 | low
        if not more:
            break
    return size
