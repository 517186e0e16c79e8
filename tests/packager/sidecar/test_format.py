"""Sidecars that lie in libraries are read for as long as ``FORMAT`` stays what it is.

Those under tests/golden/sidecars were written once. If one of them is no longer what indexing says
of its movie, then either the bytes have come to mean something else, or ``index_movie`` or a codec
says something else of the same file: raise ``FORMAT``, and write them anew with --update-golden.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from packager.sidecar import FORMAT, pack, unpack
from tests.support.indexing import index_bytes
from tests.support.movies import (
    OPUS_ENTRY,
    Recording,
    Row,
    fragmented_movie,
    plain_movie,
)
from tests.support.sidecars import assert_same

GOLDEN = Path(__file__).parents[2] / "golden" / "sidecars"

PICTURES = Recording(
    "video",
    12_800,
    [Row(30 + n % 7, 512, (1024, 2048, 512)[n % 3], n % 25 == 0) for n in range(150)],
    edits=[(40, -1), (5900, 1024)],
    language="deu",
)
SOUND = Recording("audio", 48_000, [Row(10, 1024)] * 282, edits=[(0, 1024)], handler="Sound")
OPUS = Recording("audio", 48_000, [Row(7 + n % 300, 960) for n in range(300)], entry=OPUS_ENTRY)

MOVIES = {
    "plain": plain_movie(PICTURES, SOUND),
    "moov-behind": plain_movie(PICTURES, OPUS, moov_first=False, wide=True, chunk=40),
    "fragmented": fragmented_movie(PICTURES, SOUND, per_fragment=50),
    "text-left-out": plain_movie(PICTURES, SOUND).replace(b"soun", b"text"),
}


@pytest.mark.parametrize("name", MOVIES)
def test_a_sidecar_of_this_format_says_what_indexing_says(
    name: str, request: pytest.FixtureRequest
) -> None:
    index = index_bytes(MOVIES[name], "film.mp4", "17f3-2b")
    path = GOLDEN / f"{name}.format-{FORMAT}.vodx"
    if request.config.getoption("--update-golden"):
        for old in GOLDEN.glob(f"{name}.*"):
            old.unlink()
        path.write_bytes(pack(index))
    assert path.is_file(), f"no sidecar of format {FORMAT} yet: --update-golden writes it"
    assert_same(unpack(path.read_bytes(), "film.mp4", index.version, index.size), index)
