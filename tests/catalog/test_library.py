"""Titles out of file names, against a listing that is only names."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.assets import Asset
from catalog.library import LibraryCatalogue
from packager.address import MultivariantPlaylist, parse
from tests.catalog.listings import FakeListing
from tests.support.tracks import PROPERTY


async def every_id(catalogue: LibraryCatalogue, limit: int = 100) -> list[str]:
    ids: list[str] = []
    after: str | None = None
    while True:
        page = await catalogue.page(after, limit)
        ids += page.ids
        if page.next is None:
            return ids
        after = page.next


async def asset(listing: FakeListing, asset_id: str) -> Asset:
    found = await LibraryCatalogue(listing).asset(asset_id)
    assert found is not None
    return found


def keys(found: Asset) -> list[str]:
    return [file.key for file in found.media] + [text.key for text in found.text]


async def test_a_file_is_a_title_with_its_side_files() -> None:
    listing = FakeListing(
        "film.mp4", "film.en.srt", "film.vtt", "film.en.forced.vtt", "filmstrip.vtt", "film.txt"
    )
    found = await asset(listing, "film")
    assert keys(found) == ["film.mp4", "film.en.forced.vtt", "film.en.srt", "film.vtt"]
    assert [text.language for text in found.text] == ["en", "en", "und"]
    assert [text.forced for text in found.text] == [True, False, False]


@pytest.mark.parametrize("name", ["a.mp4", "a.m4v", "a.m4a", "a.mov", "a.MP4", "a.Mov"])
async def test_every_ending_of_media(name: str) -> None:
    assert keys(await asset(FakeListing(name), "a")) == [name]


async def test_files_of_one_name_are_one_title() -> None:
    listing = FakeListing("film.mp4", "film.m4a", "film.vtt")
    assert await every_id(LibraryCatalogue(listing)) == ["film"]
    assert keys(await asset(listing, "film")) == ["film.m4a", "film.mp4", "film.vtt"]


async def test_a_side_file_belongs_to_the_longest_name_it_begins_with() -> None:
    listing = FakeListing("part.mp4", "part.one.mp4", "part.one.en.srt", "part.en.srt")
    assert keys(await asset(listing, "part")) == ["part.mp4", "part.en.srt"]
    assert keys(await asset(listing, "part.one")) == ["part.one.mp4", "part.one.en.srt"]


async def test_a_folder_is_a_title_of_all_it_holds() -> None:
    listing = FakeListing(
        "city/video-2.mp4",
        "city/video-1.mp4",
        "city/audio-es.m4a",
        "city/subtitles.es.vtt",
        "city/poster.jpg",
        "city/extras/making-of.mp4",
    )
    found = await asset(listing, "city")
    assert [file.key for file in found.media] == [
        "city/audio-es.m4a",
        "city/video-1.mp4",
        "city/video-2.mp4",
    ]
    assert [file.language for file in found.media] == ["es", None, None]
    assert [file.key for file in found.text] == ["city/subtitles.es.vtt"]


async def test_a_folder_without_media_is_no_title() -> None:
    listing = FakeListing("artwork/poster.jpg", "texts/a.vtt")
    catalogue = LibraryCatalogue(listing)
    assert await catalogue.asset("artwork") is None
    assert await catalogue.asset("texts") is None


async def test_of_a_folder_and_a_file_of_one_name_the_folder_is_the_title() -> None:
    listing = FakeListing("film.mp4", "film.en.vtt", "film/video.mp4")
    assert await every_id(LibraryCatalogue(listing)) == ["film"]
    assert keys(await asset(listing, "film")) == ["film/video.mp4"]


async def test_what_has_no_address_is_not_listed() -> None:
    listing = FakeListing(
        ".hidden.mp4", ".folder/video.mp4", "\udcff.mp4", "a\\b.mp4", "a\nb.mp4", "x" * 256 + ".mp4"
    )
    assert await every_id(LibraryCatalogue(listing)) == []


@pytest.mark.parametrize("asset_id", ["", "..", ".", "film.mp4", "FILM", "city/video", "city/"])
async def test_only_listed_ids_are_found(asset_id: str) -> None:
    listing = FakeListing("film.mp4", "city/video.mp4")
    assert await LibraryCatalogue(listing).asset(asset_id) is None
    assert listing.stats == []


async def test_a_new_file_appears_and_a_removed_one_goes() -> None:
    listing = FakeListing("a.mp4")
    catalogue = LibraryCatalogue(listing)
    assert await every_id(catalogue) == ["a"]
    listing.add("b.mp4", "c/video.mp4")
    assert await every_id(catalogue) == ["a", "b", "c"]
    listing.remove("a.mp4")
    assert await every_id(catalogue) == ["b", "c"]
    assert await catalogue.asset("a") is None


async def test_a_file_that_changes_is_another_asset() -> None:
    listing = FakeListing("film.mp4", "city/video.mp4")
    catalogue = LibraryCatalogue(listing)
    before = [await catalogue.asset(asset_id) for asset_id in ("film", "city")]
    assert before == [await catalogue.asset(asset_id) for asset_id in ("film", "city")]
    listing.versions = {"film.mp4": "2", "city/video.mp4": "2"}
    after = [await catalogue.asset(asset_id) for asset_id in ("film", "city")]
    assert all(old != new for old, new in zip(before, after, strict=True))


async def test_a_file_that_goes_between_listing_and_stat_is_left_out() -> None:
    listing = FakeListing("film.mp4", "film.m4a", "film.vtt")
    listing.before_stat = lambda: listing.files.discard("film.m4a")
    assert keys(await asset(listing, "film")) == ["film.mp4", "film.vtt"]
    listing.before_stat = lambda: listing.files.discard("film.mp4")
    assert await LibraryCatalogue(listing).asset("film") is None


async def test_an_unchanged_library_is_listed_once() -> None:
    listing = FakeListing("a.mp4", "b.mp4", "c/video.mp4")
    catalogue = LibraryCatalogue(listing)
    for _ in range(3):
        await every_id(catalogue)
        await catalogue.asset("a")
    assert listing.asked["list_folder"] == 1
    await catalogue.asset("c")
    assert listing.asked["list_folder"] == 2


async def test_all_who_find_the_library_changed_list_it_once() -> None:
    listing = FakeListing(*(f"{number}.mp4" for number in range(50)))
    catalogue = LibraryCatalogue(listing)
    found = await asyncio.gather(*(catalogue.asset(str(number)) for number in range(50)))
    assert all(found)
    assert listing.asked["list_folder"] == 1


async def test_a_large_library_is_paged_without_a_stat() -> None:
    ids = [f"title-{number:06}" for number in range(100_000)]
    listing = FakeListing(*(f"{asset_id}.mp4" for asset_id in ids))
    catalogue = LibraryCatalogue(listing)
    assert await every_id(catalogue, limit=1000) == ids
    assert listing.asked["list_folder"] == 1
    assert listing.stats == []
    found = await catalogue.asset("title-099999")
    assert found is not None
    assert listing.stats == ["title-099999.mp4"]


async def test_pages_are_cut_where_they_should_be() -> None:
    catalogue = LibraryCatalogue(FakeListing("a.mp4", "b.mp4", "c.mp4", "d.mp4"))
    first = await catalogue.page(None, 2)
    assert (first.ids, first.next) == (["a", "b"], "b")
    second = await catalogue.page("b", 2)
    assert (second.ids, second.next) == (["c", "d"], None)
    assert (await catalogue.page("bb", 1)).ids == ["c"]
    past = await catalogue.page("zzz", 2)
    assert (list(past.ids), past.next) == ([], None)


async def test_a_cursor_stays_good_when_its_title_goes() -> None:
    listing = FakeListing("a.mp4", "b.mp4", "c.mp4")
    catalogue = LibraryCatalogue(listing)
    page = await catalogue.page(None, 2)
    listing.remove("b.mp4")
    assert (await catalogue.page(page.next, 2)).ids == ["c"]


async def test_an_empty_library() -> None:
    page = await LibraryCatalogue(FakeListing()).page(None, 10)
    assert (list(page.ids), page.next) == ([], None)


NAMES = st.text(
    st.characters(exclude_characters="/\0"), min_size=1, max_size=30
).filter(lambda name: name not in (".", ".."))  # fmt: skip


@PROPERTY
@given(st.lists(NAMES, max_size=12, unique=True))
def test_every_listed_id_is_found_through_its_url(names: list[str]) -> None:
    listing = FakeListing(*(f"{name}.mp4" for name in names))
    catalogue = LibraryCatalogue(listing)

    async def check() -> None:
        ids = await every_id(catalogue, limit=5)
        assert ids == sorted(set(ids))
        for asset_id in ids:
            assert parse(str(MultivariantPlaylist(asset_id))).asset == asset_id
            assert await catalogue.asset(asset_id) is not None

    asyncio.run(check())
