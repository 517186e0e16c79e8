"""Hostile sidecars whose checksum fits: refused, or an index that is safe to package, in bounds.

Mutations are drawn from seeded generators, so a failure names the round that repeats it. The
rounds of a normal run take seconds; ``VOD_FUZZ_ROUNDS=1000000 pytest tests/fuzz`` looks longer.
"""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from random import Random

import pytest

from packager.errors import BadSidecar, PackagerError
from packager.model import MovieIndex
from packager.mux.fmp4 import init_segment, plan_segment
from packager.presentation import Source, build_presentation
from packager.ranges import ByteRange
from packager.sidecar import pack, unpack
from tests.fuzz.test_movie_fuzz import SEEDS as MOVIES
from tests.support.indexing import index_bytes
from tests.support.sidecars import HEAD, signed

ROUNDS = int(os.environ.get("VOD_FUZZ_ROUNDS", "3000"))
BATCHES = 10
MIB = 1 << 20
NUMBERS = (
    0,
    1,
    2,
    7,
    8,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0xFFFF,
    1 << 24,
    0x7FFFFFFF,
    1 << 31,
    0xFFFFFFFF,
)
LONG_NUMBERS = (*NUMBERS, 1 << 32, 1 << 61, 1 << 62, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)

INDEXES = tuple(index_bytes(movie) for movie in MOVIES)
SEEDS = tuple((pack(index), index) for index in INDEXES)


def load(data: bytes, index: MovieIndex) -> MovieIndex | None:
    try:
        return unpack(data, index.source, index.version, index.size)
    except BadSidecar:
        return None


def check(data: bytes, index: MovieIndex) -> None:
    loaded = load(data, index)
    if loaded is None:
        return
    try:
        for track in loaded.tracks:
            samples = track.samples.rows()
            assert samples.offset.min() >= 0
            assert (samples.offset + samples.size).max() <= index.size
            assert samples.duration.min() >= 0
        presentation = build_presentation("title", [Source(loaded)])
        for rendition in presentation.renditions:
            init_segment(rendition)
            for number in range(len(rendition.segments)):
                plan = plan_segment(rendition, number)
                assert plan.size == rendition.segments.size[number]
                for part in plan.parts:
                    if isinstance(part, ByteRange):
                        assert 0 <= part.start <= part.stop <= index.size
    except PackagerError:
        return


# ---- mutations


def flip_bits(data: bytes, random: Random) -> bytes:
    mutated = bytearray(data)
    for _ in range(random.randint(1, 8)):
        mutated[random.randrange(HEAD, len(data))] ^= 1 << random.randrange(8)
    return bytes(mutated)


def write_numbers(data: bytes, random: Random) -> bytes:
    mutated = bytearray(data)
    for _ in range(random.randint(1, 3)):
        width = random.choice((1, 2, 4, 8))
        at = random.randrange(HEAD, len(data) - width)
        number = random.choice(LONG_NUMBERS) & ((1 << 8 * width) - 1)
        mutated[at : at + width] = number.to_bytes(width, "little")
    return bytes(mutated)


def truncate(data: bytes, random: Random) -> bytes:
    return data[: random.randrange(HEAD, len(data))]


def remove(data: bytes, random: Random) -> bytes:
    at = random.randrange(HEAD, len(data))
    return data[:at] + data[at + random.randint(1, 40) :]


def insert(data: bytes, random: Random) -> bytes:
    at = random.randrange(HEAD, len(data))
    return data[:at] + random.randbytes(random.randint(1, 40)) + data[at:]


def splice(data: bytes, random: Random) -> bytes:
    """A stretch of one sidecar where another has one."""
    other, _ = random.choice(SEEDS)
    at, length = random.randrange(HEAD, len(data)), random.randint(1, 200)
    start = random.randrange(HEAD, len(other))
    return data[:at] + other[start : start + length] + data[at + length :]


MUTATIONS: tuple[Callable[[bytes, Random], bytes], ...] = (
    flip_bits,
    flip_bits,
    write_numbers,
    write_numbers,
    write_numbers,
    truncate,
    remove,
    insert,
    splice,
)


def mutated(round_number: int) -> tuple[bytes, MovieIndex]:
    random = Random(round_number)
    data, index = random.choice(SEEDS)
    return signed(random.choice(MUTATIONS)(data, random)), index


@pytest.mark.parametrize("batch", range(BATCHES))
@pytest.mark.timeout(0 if ROUNDS > 20_000 else 120)
def test_mutations_load_or_are_refused(batch: int) -> None:
    for round_number in range(batch, ROUNDS, BATCHES):
        try:
            check(*mutated(round_number))
        except Exception as error:
            raise AssertionError(f"round {round_number} broke loading") from error


def test_both_happen() -> None:
    loaded = sum(load(*mutated(round_number)) is not None for round_number in range(500))
    assert 50 < loaded < 450


def test_the_seeds_themselves_load() -> None:
    for data, index in SEEDS:
        assert load(data, index) is not None


# ---- memory


def peak_memory(data: bytes, index: MovieIndex) -> int:
    """Of loading it, and of making sure of its samples."""
    tracemalloc.start()
    try:
        loaded = load(data, index)
        with suppress(BadSidecar):
            for track in loaded.tracks if loaded else ():
                track.samples.rows(0, 1)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_mutations_stay_in_bounds_of_memory() -> None:
    """No file holds more samples than bytes, and a sample takes some 40 bytes of memory."""
    for round_number in range(0, ROUNDS, 10):
        data, index = mutated(round_number)
        assert peak_memory(data, index) < 100 * index.size + MIB, f"round {round_number}"


def test_counts_allocate_nothing() -> None:
    """Each number of four bytes, wherever it may be a count."""
    for data, index in SEEDS:
        for at in range(HEAD, len(data) - 4, 3):
            for count in (3_999_999, 0xFFFFFFFF):
                hostile = signed(data[:at] + count.to_bytes(4, "little") + data[at + 4 :])
                assert peak_memory(hostile, index) < 100 * index.size + MIB
