"""Whether an init segment and its media segments are what CMAF says (ISO/IEC 23000-19).

A walker of its own (``tests.support.atoms``); each check names its clause. Returns nothing: what
is wrong fails by assertion.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from tests.support.atoms import Atom, atoms
from tests.support.fragmented import Row, run_rows, track_defaults

DEFAULT_BASE_IS_MOOF = 0x020000
SYNC_FLAGS, OTHER_FLAGS = 0x02000000, 0x01010000


def check_cmaf(init: bytes, segments: Sequence[bytes], *, timescale: int, language: str) -> None:
    """A whole CMAF track: its header and all its segments in order."""
    moov = check_header(init, timescale=timescale, language=language)
    defaults = track_defaults(moov)
    has_edit = moov.maybe("trak", "edts", "elst") is not None
    has_roll_group = moov.maybe("trak", "mdia", "minf", "stbl", "sgpd") is not None
    video = moov.only("trak", "mdia", "hdlr").body[8:12] == b"vide"
    next_time: int | None = None
    for number, segment in enumerate(segments, 1):
        start, rows = check_segment(segment, number, defaults, has_roll_group)
        assert next_time in (None, start), "7.3.2.2: decode times follow on without gap or overlap"
        next_time = start + sum(row.duration for row in rows)
        assert rows[0].flags == SYNC_FLAGS, "7.3.2.4: a fragment starts with a sync sample"
        assert {row.flags for row in rows} <= {SYNC_FLAGS, OTHER_FLAGS}
        if video and has_edit:
            assert all(row.composition >= 0 for row in rows), "9.2.1: not both of the two"


def check_header(init: bytes, *, timescale: int, language: str) -> Atom:
    """7.3.1: 'ftyp' and 'moov' of one track without samples."""
    ftyp, moov = atoms(init)
    assert (ftyp.name, moov.name) == ("ftyp", "moov")
    assert {b"cmfc", b"iso6"} <= _brands(ftyp)
    assert [child.name for child in moov.children] == ["mvhd", "trak", "mvex"]
    trak = moov.only("trak")
    tkhd = trak.only("tkhd")
    assert tkhd.flags & 3 == 3, "8.3.2: the track is enabled and in the movie"
    assert moov.only("mvex", "trex").fields("I") == tkhd.fields("I", 12)
    _check_media_header(trak, timescale, language)
    stbl = trak.only("mdia", "minf", "stbl")
    (entries,) = stbl.only("stsd").fields("I")
    assert entries == 1
    for name, at in (("stts", 4), ("stsc", 4), ("stco", 4), ("stsz", 8)):
        assert stbl.only(name).fields("I", at) == (0,), f"7.5.9: '{name}' is empty"
    _check_edit(trak)
    return moov


def _check_media_header(trak: Atom, timescale: int, language: str) -> None:
    mdia = trak.only("mdia")
    _, _, written_timescale, duration = mdia.only("mdhd").fields("4I")
    assert (written_timescale, duration) == (timescale, 0)
    assert mdia.only("elng").body == bytes(4) + language.encode() + b"\0"
    handler = mdia.only("hdlr").body[8:12]
    assert handler in (b"vide", b"soun")
    mdia.only("minf", "vmhd" if handler == b"vide" else "smhd")
    dref = mdia.only("minf", "dinf", "dref")
    (url,) = atoms(dref.body[8:])
    assert (url.name, url.flags) == ("url ", 1), "7.5.11: media is in this file"


def _check_edit(trak: Atom) -> None:
    elst = trak.maybe("edts", "elst")
    if elst is not None:
        count, duration, media_time, rate = elst.fields("IIiI")
        assert (count, duration, rate) == (1, 0, 0x10000), "7.5.13: one edit to the end, at rate 1"
        assert media_time > 0


def check_segment(
    segment: bytes, number: int, defaults: Row, has_roll_group: bool
) -> tuple[int, list[Row]]:
    """7.3.2: one fragment. Returns the decode time of its first sample, and its samples."""
    styp, moof, mdat = atoms(segment)
    assert (styp.name, moof.name, mdat.name) == ("styp", "moof", "mdat")
    assert {b"msdh", b"cmfs"} <= _brands(styp)
    assert [child.name for child in moof.children] == ["mfhd", "traf"]
    assert moof.only("mfhd").fields("I") == (number,)
    traf = moof.only("traf")
    names = [child.name for child in traf.children]
    assert names == ["tfhd", "tfdt", *["sbgp"] * has_roll_group, "trun"]
    assert traf.only("tfhd").flags == DEFAULT_BASE_IS_MOOF, "7.3.2.3"
    tfdt, trun = traf.only("tfdt"), traf.only("trun")
    assert (tfdt.version, trun.version) == (1, 1), "7.5.16, 7.5.17"
    rows = run_rows(trun, defaults)
    assert rows, "7.3.2.1: no fragment is empty"
    assert trun.flags & 0x1, "7.3.2.3: a run says where its data is"
    (data_offset,) = trun.fields("i", 8)
    assert moof.start + data_offset == mdat.stop - len(mdat.body), "data begins behind its header"
    assert sum(row.size for row in rows) == len(mdat.body)
    if has_roll_group:
        assert struct.unpack_from(">4s3I", traf.only("sbgp").body, 4) == (b"roll", 1, len(rows), 1)
    return tfdt.fields("Q")[0], rows


def _brands(box: Atom) -> set[bytes]:
    return {box.body[at : at + 4] for at in (0, *range(8, len(box.body), 4))}
