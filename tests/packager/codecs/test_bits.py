from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packager.codecs.bits import BitReader, rbsp
from packager.errors import BadMedia
from tests.packager.codecs.assemble import as_box, nal, packed, se, u, ue

SOURCE = as_box(b"\0\0\0\x08avcC")


def reader(data: bytes) -> BitReader:
    return BitReader(memoryview(data), SOURCE)


@given(st.lists(st.tuples(st.integers(0, 70), st.integers(0))))
def test_fields_come_back(fields: list[tuple[int, int]]) -> None:
    values = [(size, value % (1 << size)) for size, value in fields]
    bits = reader(packed(*(u(value, size) for size, value in values)))
    assert [bits.read(size) for size, _ in values] == [value for _, value in values]


@given(st.lists(st.integers(0, 2**32 - 2)), st.lists(st.integers(-(2**31) + 1, 2**31 - 1)))
def test_exp_golomb_codes_come_back(unsigned: list[int], signed: list[int]) -> None:
    bits = reader(packed(*map(ue, unsigned), *map(se, signed)))
    assert [bits.ue() for _ in unsigned] == unsigned
    assert [bits.se() for _ in signed] == signed


def test_take_and_align() -> None:
    bits = reader(b"\x80abc")
    assert bits.flag()
    bits.align()
    assert bits.take(2) == b"ab"
    bits.align()
    assert (bits.left, bits.read(0), bits.take(0)) == (8, 0, b"")


@pytest.mark.parametrize("count", [9, 64, 1 << 40])
def test_end_of_data(count: int) -> None:
    bits = reader(b"\0")
    for read in (bits.read, bits.skip, bits.take):
        with pytest.raises(BadMedia, match="too early in box 'avcC' at byte 1000"):
            read(count)
    assert bits.left == 8


def test_exp_golomb_limits() -> None:
    assert reader(packed(ue(5))).ue(5) == 5
    with pytest.raises(BadMedia, match="Exp-Golomb value 6 is above 5"):
        reader(packed(ue(6))).ue(5)
    with pytest.raises(BadMedia, match="longer than 63 bits"):
        reader(bytes(1000)).ue()
    with pytest.raises(BadMedia, match="too early"):
        reader(b"\0").ue()


@given(st.binary())
def test_emulation_prevention(payload: bytes) -> None:
    unit = nal(b"\x67", f"{int.from_bytes(b'1' + payload, 'big'):b}"[6:])
    assert rbsp(unit[1:]) == payload + b"\x80"
    assert not any(bad in unit for bad in (b"\0\0\0", b"\0\0\1", b"\0\0\2"))
