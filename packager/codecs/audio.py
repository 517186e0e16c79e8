"""AudioSampleEntry, read in every version and written as version 0 (ISO/IEC 14496-12 12.2.3).

QuickTime's sound descriptions of version 1 and 2 have more fields, and may put the codec's boxes
into a 'wave' box; an ISO version 1 has neither.
"""

from __future__ import annotations

import struct

from packager.codecs.entry import SampleEntry, unsupported
from packager.isobmff import writer
from packager.isobmff.boxes import Box, children
from packager.model import AudioConfig

_VERSION = struct.Struct(">H")
_VERSION_AT = 8
_FIELDS = struct.Struct(">6xH8xHHII")
_QUICKTIME_FIELDS = (_FIELDS.size, _FIELDS.size + 16, _FIELDS.size + 36)
_TYPE_OF_FIRST_BOX = slice(_FIELDS.size + 4, _FIELDS.size + 8)

_COPIED = ("btrt", "chnl")


def read(box: Box) -> SampleEntry:
    boxes: dict[str, Box] = {}
    for child in children(box, skip=_fields_size(box)):
        boxes.setdefault(child.type, child)
    if "wave" in boxes:
        for child in children(boxes["wave"]):
            boxes.setdefault(child.type, child)
    return SampleEntry(box, boxes)


def _fields_size(box: Box) -> int:
    (version,) = box.unpack(_VERSION, _VERSION_AT)
    if version >= len(_QUICKTIME_FIELDS):
        raise unsupported(box, f"sound description version {version} is not supported")
    # In QuickTime's version 1 a binary count stands where ISO's has the name of its first box.
    if version == 1 and bytes(box.body[_TYPE_OF_FIRST_BOX]).isalnum():
        return _FIELDS.size
    return _QUICKTIME_FIELDS[version]


def config(
    entry: SampleEntry,
    codec: str,
    rfc6381: str,
    configuration: bytes,
    sample_rate: int,
    channels: int,
    *,
    speaker_layout: int | None,
    sample_size: int = 16,
    joc_objects: int = 0,
    roll_distance: int = 0,
) -> AudioConfig:
    """``configuration``: the codec's own box."""
    if not (sample_rate > 0 and 0 < channels < 256):
        raise entry.box.bad(f"the sound has {channels} channels at {sample_rate} Hz")
    rate = sample_rate if sample_rate < 1 << 16 else 0  # 16.16 fixed point holds no more
    fields = _FIELDS.pack(1, channels, sample_size, 0, rate << 16)
    sample_entry = writer.box(entry.box.type, fields, configuration, entry.copies(_COPIED))
    return AudioConfig(
        codec,
        rfc6381,
        sample_entry,
        sample_rate,
        channels,
        speaker_layout,
        joc_objects,
        roll_distance,
    )
