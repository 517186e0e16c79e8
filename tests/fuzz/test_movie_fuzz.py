"""Hostile MP4s: whatever the bytes, packaging works or raises a ``PackagerError``, in bounds.

Mutations are drawn from seeded generators, so a failure names the round that repeats it. The
rounds of a normal run take seconds; ``VOD_FUZZ_ROUNDS=1000000 pytest tests/fuzz`` looks longer.
"""

from __future__ import annotations

import os
import struct
import tracemalloc
from collections.abc import Callable
from functools import cache
from random import Random

import pytest

from packager.errors import PackagerError
from packager.model import MovieIndex, Presentation
from packager.movie import index_movie
from packager.mux.fmp4 import init_segment, plan_segment
from packager.presentation import Source, build_presentation
from packager.ranges import ByteRange
from tests.support.atoms import CONTAINERS, Atom, atoms
from tests.support.movies import (
    OPUS_ENTRY,
    Recording,
    Row,
    atom,
    fragmented_movie,
    full_atom,
    plain_movie,
    rebuilt,
)

ROUNDS = int(os.environ.get("VOD_FUZZ_ROUNDS", "2000"))
BATCHES = 10

MIB = 1 << 20
MOOV_FACTOR = 8
MEMORY = 64 * MIB

PICTURES = Recording(
    "video",
    12_800,
    [Row(30 + n % 7, 512, (1024, 2048, 512)[n % 3], n % 25 == 0) for n in range(150)],
    edits=[(40, -1), (5900, 1024)],
)
STEADY = Recording("video", 25, [Row(9, 1, sync=n % 50 == 0) for n in range(150)])
SOUND = Recording("audio", 48_000, [Row(10, 1024)] * 282, edits=[(0, 1024)], handler="Sound")
OPUS = Recording("audio", 48_000, [Row(7, 960)] * 300, entry=OPUS_ENTRY)

SEEDS = (
    plain_movie(PICTURES, SOUND),
    plain_movie(PICTURES, OPUS, moov_first=False, wide=True, chunk=40),
    plain_movie(STEADY),
    fragmented_movie(PICTURES, SOUND, per_fragment=50),
    fragmented_movie(STEADY, OPUS, per_fragment=40, base="absolute", decode_times=False),
    fragmented_movie(STEADY, base="chained"),
)
NUMBERS = (0, 1, 2, 7, 8, 15, 16, 0xFF, 0xFFFF, 1 << 16, 1 << 24, 0x7FFFFFFF, 1 << 31, 0xFFFFFFFF)
LONG_NUMBERS = (*NUMBERS, 1 << 32, (1 << 62) - 1, 1 << 62, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)


# ---- what must hold


def package(data: bytes) -> Presentation | None:
    """Everything a server would ask for; None where the file is refused."""
    try:
        index = _index_in_few_steps(data)
        presentation = build_presentation("title", [Source(index)])
        for rendition in presentation.renditions:
            init_segment(rendition)
            for number in range(len(rendition.segments)):
                plan = plan_segment(rendition, number)
                assert plan.size == rendition.segments.size[number]
                for part in plan.parts:
                    if isinstance(part, ByteRange):
                        assert 0 <= part.start <= part.stop <= len(data)
    except PackagerError:
        return None
    return presentation


def _index_in_few_steps(data: bytes) -> MovieIndex:
    reader = index_movie("title.mp4", "1", len(data))
    try:
        wanted = next(reader)
        for _ in range(len(data) // 8 + 2):
            assert 0 <= wanted.start < wanted.stop <= len(data)
            wanted = reader.send(data[wanted.start : wanted.stop])
    except StopIteration as finished:
        index: MovieIndex = finished.value
        return index
    raise AssertionError("indexing asks for more reads than the file has boxes")


def peak_memory(data: bytes) -> int:
    tracemalloc.start()
    try:
        package(data)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# ---- mutations


@cache
def boxes(data: bytes) -> list[Atom]:
    """Every box of a well-formed file, parents first."""
    found = list(atoms(data))
    for box in found:  # grows on the way
        if box.name in CONTAINERS:
            found += box.children
    return found


def some_box(data: bytes, random: Random) -> Atom:
    return random.choice([box for box in boxes(data) if box.name != "mdat"])


def somewhere(data: bytes, random: Random, width: int) -> int:
    box = some_box(data, random)
    return min(random.randrange(box.start, box.stop), len(data) - width)


def flip_bits(data: bytes, random: Random) -> bytes:
    mutated = bytearray(data)
    for _ in range(random.randint(1, 8)):
        mutated[somewhere(data, random, 1)] ^= 1 << random.randrange(8)
    return bytes(mutated)


def write_number(data: bytes, random: Random) -> bytes:
    mutated = bytearray(data)
    for _ in range(random.randint(1, 3)):
        if random.random() < 0.7:
            struct.pack_into(">I", mutated, somewhere(data, random, 4), random.choice(NUMBERS))
        else:
            struct.pack_into(">Q", mutated, somewhere(data, random, 8), random.choice(LONG_NUMBERS))
    return bytes(mutated)


def write_field(data: bytes, random: Random) -> bytes:
    """As ``write_number``, but where fields really are: in fours behind a box's header."""
    box = some_box(data, random)
    at = box.start + 4 * random.randrange((box.stop - box.start) // 4)
    value = random.choice(NUMBERS)
    return data[:at] + struct.pack(">I", value) + data[at + 4 :]


def truncate(data: bytes, random: Random) -> bytes:
    return data[: random.randrange(len(data))]


def rename(data: bytes, random: Random) -> bytes:
    start = some_box(data, random).start
    name = random.choice(boxes(data)).name
    return data[: start + 4] + name.encode("latin-1") + data[start + 8 :]


def remove(data: bytes, random: Random) -> bytes:
    box = some_box(data, random)
    return data[: box.start] + data[box.stop :]


def repeat(data: bytes, random: Random) -> bytes:
    box = some_box(data, random)
    copies = data[box.start : box.stop] * random.randint(1, 3)
    return data[: box.stop] + copies + data[box.stop :]


def splice(data: bytes, random: Random) -> bytes:
    """A box of one file where another file has one."""
    other = random.choice(SEEDS)
    box, stranger = some_box(data, random), some_box(other, random)
    return data[: box.start] + other[stranger.start : stranger.stop] + data[box.stop :]


MUTATIONS: tuple[Callable[[bytes, Random], bytes], ...] = (
    flip_bits,
    write_number,
    write_field,
    write_field,
    write_field,
    truncate,
    rename,
    remove,
    repeat,
    splice,
)


def mutated(round_number: int) -> bytes:
    random = Random(round_number)
    return random.choice(MUTATIONS)(random.choice(SEEDS), random)


@pytest.mark.parametrize("batch", range(BATCHES))
@pytest.mark.timeout(0 if ROUNDS > 20_000 else 120)
def test_mutations_package_or_are_refused(batch: int) -> None:
    for round_number in range(batch, ROUNDS, BATCHES):
        data = mutated(round_number)
        try:
            package(data)
        except Exception as error:
            raise AssertionError(f"round {round_number} broke packaging") from error


def test_mutations_stay_in_bounds_of_memory() -> None:
    for round_number in range(0, ROUNDS, 10):
        data = mutated(round_number)
        assert peak_memory(data) < MOOV_FACTOR * len(data) + MEMORY, f"round {round_number}"


def test_the_seeds_themselves_play() -> None:
    for seed in SEEDS:
        presentation = package(seed)
        assert presentation is not None
        assert not presentation.left_out
        assert len(presentation.renditions[0].segments) > 1


# ---- numbers that ask for memory


COUNTED = ("stsz", "stts", "ctts", "stsc", "stco", "co64", "elst", "stss", "stsd", "trun")


@pytest.mark.parametrize("count", [1 << 31, (1 << 32) - 1, 3_999_999])
@pytest.mark.parametrize("name", COUNTED)
def test_giant_counts_allocate_nothing(name: str, count: int) -> None:
    data, start = next(
        (seed, box.start) for seed in SEEDS for box in boxes(seed) if box.name == name
    )
    at = start + (16 if name == "stsz" else 12)
    hostile = data[:at] + struct.pack(">I", count) + data[at + 4 :]
    assert peak_memory(hostile) < MIB


@pytest.mark.parametrize("size", [1, 0xFFFFFFFF])
def test_equal_sizes_allocate_no_more_than_the_file_could_hold(size: int) -> None:
    """Twenty bytes of 'stsz' could speak of four million samples."""
    data = plain_movie(STEADY)
    equal = full_atom("stsz", 0, 0, struct.pack(">II", size, 3_999_999))
    assert peak_memory(rebuilt(data, "stsz", lambda _: equal)) < MIB


def test_runs_of_nothing_allocate_no_more_than_the_file_could_hold() -> None:
    """A run of defaults alone: eight bytes for millions of samples, and thousands of such runs."""
    head = fragmented_movie(Recording("video", 25, [Row()]))
    tfhd = full_atom("tfhd", 0, 0x020000, struct.pack(">I", 1))
    for count, runs in ((3_999_999, 1), (1, 2000), (0, 2000)):
        trun = full_atom("trun", 0, 0, struct.pack(">I", count))
        data = head + atom("moof", atom("traf", tfhd, trun * runs))
        assert peak_memory(data) < 50 * len(data) + 2 * MIB


def test_a_title_of_centuries_is_no_list_of_cuts() -> None:
    """Sound can be cut anywhere, and two samples can be an age apart."""
    rows = [Row(10, 0x7FFFFFFF)] * 2
    assert peak_memory(plain_movie(Recording("audio", 1, rows))) < MIB


@pytest.mark.parametrize("name", sorted(CONTAINERS))
def test_depth_is_no_recursion(name: str) -> None:
    nested = b""
    for _ in range(5000):
        nested = atom(name, nested)
    for data in (nested, atom("moov", nested), plain_movie(STEADY) + nested):
        package(data)
