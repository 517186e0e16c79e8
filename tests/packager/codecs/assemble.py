"""Sample entries put together by hand: bit strings -> records -> boxes."""

from __future__ import annotations

import struct

from packager.isobmff.boxes import Box, read_header
from packager.isobmff.writer import box, full_box

AT = 1000  # where the tests pretend that a sample entry lies in its file


def as_box(data: bytes, offset: int = AT) -> Box:
    view = memoryview(data)
    header = read_header(view, 0, offset)
    return Box(header.type, offset, header.length, view[header.length : header.size])


def visual_entry(fourcc: str, *boxes: bytes, width: int = 1280, height: int = 720) -> bytes:
    head = struct.pack(">6xH16xHHII4xH", 3, width, height, 0x480000, 0x480000, 1)
    name = bytes([5]) + b"coder".ljust(31, b"\0")
    return box(fourcc, head, name, struct.pack(">Hh", 0x18, -1), *boxes)


def audio_entry(fourcc: str, *boxes: bytes, channels: int = 2, rate: int = 48_000) -> bytes:
    return box(fourcc, struct.pack(">6xH8xHHII", 3, channels, 16, 0, rate << 16), *boxes)


def quicktime_v1(fourcc: str, *boxes: bytes) -> bytes:
    """A sound description with the four packet fields of version 1."""
    head = struct.pack(">6xHHHIHHhHI", 1, 1, 0, 0, 2, 16, -2, 0, 44_100 << 16)
    return box(fourcc, head, struct.pack(">IIII", 1024, 0, 0, 2), *boxes)


def quicktime_v2(fourcc: str, *boxes: bytes) -> bytes:
    head = struct.pack(">6xHHHIHHhHI", 1, 2, 0, 0, 3, 16, -2, 0, 1 << 16)
    return box(
        fourcc, head, struct.pack(">IdIIIIII", 72, 48e3, 2, 0x7F000000, 0, 0, 0, 1024), *boxes
    )


def wave(fourcc: str, *boxes: bytes) -> bytes:
    return box("wave", box("frma", fourcc.encode()), *boxes, struct.pack(">I4x", 8))


def u(value: int, bits: int) -> str:
    return f"{value:0{bits}b}" if bits else ""


def ue(value: int) -> str:
    code = f"{value + 1:b}"
    return "0" * (len(code) - 1) + code


def se(value: int) -> str:
    return ue(2 * value - 1 if value > 0 else -2 * value)


def packed(*fields: str) -> bytes:
    """Bit strings, zeros added up to a whole byte; blanks in them are for the reader."""
    bits = "".join(fields).replace(" ", "")
    bits += "0" * (-len(bits) % 8)
    return int("1" + bits, 2).to_bytes(len(bits) // 8 + 1, "big")[1:]


def nal(header: bytes, *fields: str) -> bytes:
    """With the stop bit and emulation prevention."""
    raw, escaped, zeros = packed(*fields, "1"), bytearray(header), 0
    for byte in raw:
        if zeros >= 2 and byte <= 3:
            escaped.append(3)
            zeros = 0
        escaped.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes(escaped)


def counted(*units: bytes) -> bytes:
    return b"".join(struct.pack(">H", len(unit)) + unit for unit in units)


def readable(value: object) -> str | None:
    """Test ids without raw bytes."""
    return type(value).__name__ if isinstance(value, bytes) else None


NO_VUI = "0"


def vui(sar: str = "0", colour: str = "0") -> str:
    """``sar`` and ``colour``: from the flag that says whether they are present."""
    return "1" + sar + "0" + colour + "0" * 8


def vui_sar(horizontal: int, vertical: int) -> str:
    return "1" + u(255, 8) + u(horizontal, 16) + u(vertical, 16)


def vui_colour(primaries: int, transfer: int, matrix: int, full_range: bool = False) -> str:
    described = u(primaries, 8) + u(transfer, 8) + u(matrix, 8)
    return "1" + u(5, 3) + u(full_range, 1) + "1" + described


def avc_sps(
    columns: int = 80,
    rows: int = 45,
    *,
    profile: int = 77,
    chroma: str = "",
    order: str = ue(0) + ue(0),
    frames_only: str = "1",
    crop: str = "0",
    usability: str = NO_VUI,
) -> bytes:
    """``chroma``: the fields that only high profiles have; ``order``: from pic_order_cnt_type."""
    return nal(
        b"\x67",
        u(profile, 8) + u(0, 8) + u(31, 8) + ue(0) + chroma,
        ue(0) + order + ue(4) + "0",
        ue(columns - 1) + ue(rows - 1) + frames_only + "1" + crop + usability,
    )


def avcc(
    sps: bytes | None = None, profile: str = "4d401f", pps: bytes = b"\x68\xee\x3c\x80"
) -> bytes:
    sets = [avc_sps() if sps is None else sps]
    head = b"\1" + bytes.fromhex(profile) + b"\xff" + bytes([0xE0 | len(sets)])
    return box("avcC", head, counted(*sets), b"\1", counted(pps))


HEVC_VPS, HEVC_PPS = bytes.fromhex("40010c01"), bytes.fromhex("4401c172")


def hevc_sps(
    width: int = 1280,
    height: int = 720,
    *,
    sub_layers: str = u(0, 3),
    layers: str = "",
    chroma: str = ue(1),
    window: str = "0",
    ordering: str = "1" + ue(4) + ue(2) + ue(0),
    scaling: str = "0",
    pcm: str = "0",
    short_term: str = ue(0),
    long_term: str = "0",
    usability: str = NO_VUI,
) -> bytes:
    return nal(
        b"\x42\x01",
        u(0, 4) + sub_layers + "1" + u(1, 8) + u(0x60000000, 32) + u(0, 48) + u(93, 8) + layers,
        ue(0) + chroma + ue(width) + ue(height) + window + ue(0) + ue(0) + ue(4) + ordering,
        ue(0) + ue(3) + ue(0) + ue(3) + ue(0) + ue(0) + scaling + "11" + pcm,
        short_term + long_term + "11" + usability,
    )


def hvcc(
    *arrays: tuple[int, bytes],
    head: str = "01 60000000 B00000000000 5D",
    completeness: int = 0,
) -> bytes:
    """``head``: profile, compatibility flags, constraint flags, level; ``arrays``: (type, NAL)."""
    arrays = arrays or ((32, HEVC_VPS), (33, hevc_sps()), (34, HEVC_PPS))
    fixed = b"\1" + bytes.fromhex(head) + bytes.fromhex("f000fcfdf8f800000f") + bytes([len(arrays)])
    rows = (bytes([completeness | kind]) + b"\0\1" + counted(unit) for kind, unit in arrays)
    return box("hvcC", fixed, *rows)


def av1_sequence(
    width: int = 1280,
    height: int = 720,
    *,
    profile: int = 0,
    timing: str = "0",
    initial_delay: str = "0",
    points: str = u(0, 5) + u(0, 12) + u(4, 5),
    tools: str = "0 000 0000 1 11 1 1 110 000",
    colour: str = "0 0 0 0 00 0",
    reduced: bool = False,
) -> bytes:
    """An OBU with a size; ``tools``: from frame_id_numbers_present_flag up to restoration."""
    start = "1" + u(4, 5) if reduced else "0" + timing + initial_delay + points
    size = u(15, 4) + u(15, 4) + u(width - 1, 16) + u(height - 1, 16)
    payload = packed(u(profile, 3), "0", start, size, tools, colour, "01")
    return packed("0 0001 0 1 0", u(len(payload), 8)) + payload


def av1c(record: str = "000 00100  0 0 0 0 11 00", obus: bytes | None = None) -> bytes:
    """``record``: profile and level, then tier, depths, monochrome, subsampling, position."""
    sequence = av1_sequence() if obus is None else obus
    return box("av1C", b"\x81", packed(record), b"\0", sequence)


def vpcc(record: str = "00 1f 82 02 02 02", version: int = 1) -> bytes:
    return full_box("vpcC", version, 0, bytes.fromhex(record), b"\0\0")


def descriptor(tag: int, *content: bytes) -> bytes:
    """With its size in four bytes, seven bits each."""
    size = sum(map(len, content))
    length = (size >> 21 | 0x80, size >> 14 & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size & 0x7F)
    return bytes((tag, *length)) + b"".join(content)


def esds(asc: str = "1190", object_type: int = 0x40, flags: bytes = b"\0") -> bytes:
    decoder = descriptor(
        4, bytes([object_type]), b"\x15" + bytes(11), descriptor(5, bytes.fromhex(asc))
    )
    return full_box("esds", 0, 0, descriptor(3, b"\0\1", flags, decoder, descriptor(6, b"\2")))


def dac3(mode: int = 7, lfe: int = 1, rate: int = 0, bsid: int = 8) -> bytes:
    fields = (u(rate, 2), u(bsid, 5), u(0, 3), u(mode, 3), u(lfe, 1), u(15, 5), u(0, 5))
    return box("dac3", packed(*fields))


def independent(mode: int = 7, lfe: int = 1, rate: int = 0, locations: int | None = None) -> str:
    """One independent substream of 'dec3'; ``locations``: chan_loc of a dependent one."""
    dependents = u(0, 4) + "0" if locations is None else u(1, 4) + u(locations, 9)
    return u(rate, 2) + u(16, 5) + "0 0" + u(0, 3) + u(mode, 3) + u(lfe, 1) + u(0, 3) + dependents


def dec3(*programs: str, extension: str = "") -> bytes:
    programs = programs or (independent(),)
    return box("dec3", packed(u(640, 13), u(len(programs) - 1, 3), *programs, extension))


def dops(channels: int = 2, family: int = 0, mapping: bytes = b"", version: int = 0) -> bytes:
    head = struct.pack(">BBHIhB", version, channels, 312, 44_100, 0, family)
    return box("dOps", head, mapping)


def streaminfo(rate: int = 48_000, channels: int = 2, depth: int = 16) -> bytes:
    fields = u(rate, 20) + u(channels - 1, 3) + u(depth - 1, 5) + u(0, 36)
    return struct.pack(">HH6x", 4096, 4096) + packed(fields) + bytes(16)


def dfla(info: bytes | None = None, *more: bytes, kind: int = 0) -> bytes:
    info = streaminfo() if info is None else info
    last = 0 if more else 0x80
    return full_box("dfLa", 0, 0, bytes([last | kind]), len(info).to_bytes(3, "big"), info, *more)


def colr_nclx(primaries: int, transfer: int, matrix: int, flags: bytes = b"\0") -> bytes:
    return box("colr", b"nclx", struct.pack(">HHH", primaries, transfer, matrix), flags)


def colr_nclc(primaries: int, transfer: int, matrix: int) -> bytes:
    return box("colr", b"nclc", struct.pack(">HHH", primaries, transfer, matrix))


def pasp(horizontal: int, vertical: int) -> bytes:
    return box("pasp", struct.pack(">II", horizontal, vertical))


def dovi(profile: int, level: int, compatibility: int, name: str = "dvvC") -> bytes:
    fields = packed(u(profile, 7), u(level, 6), "101", u(compatibility, 4))
    return box(name, b"\1\0" + fields + bytes(24 - 2 - len(fields)))


# fourcc -> a whole, valid sample entry; contract and fuzz tests start from these.
EXAMPLES = {
    "avc1": visual_entry("avc1", avcc(), pasp(1, 1)),
    "avc3": visual_entry("avc3", avcc()),
    "dva1": visual_entry("dva1", avcc(), dovi(9, 5, 2)),
    "dvav": visual_entry("dvav", avcc(), dovi(9, 5, 2)),
    "hvc1": visual_entry("hvc1", hvcc(), dovi(8, 6, 1), colr_nclx(9, 16, 9)),
    "hev1": visual_entry("hev1", hvcc(), colr_nclc(9, 18, 9)),
    "dvh1": visual_entry("dvh1", hvcc(), dovi(5, 6, 0, "dvcC")),
    "dvhe": visual_entry("dvhe", hvcc(), dovi(5, 6, 0, "dvcC")),
    "av01": visual_entry("av01", av1c()),
    "dav1": visual_entry("dav1", av1c(), dovi(10, 6, 0)),
    "vp09": visual_entry("vp09", vpcc()),
    "mp4a": audio_entry("mp4a", esds()),
    "ac-3": audio_entry("ac-3", dac3()),
    "ec-3": audio_entry("ec-3", dec3(extension=u(0, 7) + "1" + u(16, 8))),
    "Opus": audio_entry("Opus", dops()),
    "fLaC": audio_entry("fLaC", dfla()),
}
