"""From path to resource, over real files, with the clock in the test's hand."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import shutil
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest

from origin.delivery.resource import Resource
from origin.errors import ObjectChanged, StorageError, UnknownRevision, UnknownTitle, describe
from origin.service import IMMUTABLE, SHORT_LIVED
from packager.address import Address, Mpd, MultivariantPlaylist
from packager.errors import BadMedia, Misaligned, NotFound, PackagerError
from packager.manifests import render
from packager.model import Presentation
from packager.movie import Reader, index_movie
from packager.text.document import MAX_BYTES
from tests.origin.delivery.library import content
from tests.origin.node import Node
from tests.support.films import ODD_NAME, VTT

PLAYABLE = ["city", "film", "uneven", ODD_NAME]
MASTER = str(MultivariantPlaylist("film"))


@pytest.fixture
def library(films: Path, tmp_path: Path) -> Path:
    """A library that a test may change."""
    shutil.copy2(films / "film.mp4", tmp_path)
    shutil.copytree(films / "city", tmp_path / "city")
    return tmp_path


def replace_by_rename(path: Path, content: bytes) -> None:
    fresh = path.with_name(".fresh")
    fresh.write_bytes(content)
    fresh.rename(path)


def overwrite_in_place(path: Path, content: bytes) -> None:
    with path.open("r+b") as file:
        file.write(content)
        file.truncate()


Change = Callable[[Path, bytes], None]
either_way = pytest.mark.parametrize("change", [replace_by_rename, overwrite_in_place])


async def bodies(node: Node, asset_id: str) -> dict[str, bytes]:
    return {path: await node.body(path) for path in await node.every_path(asset_id)}


def segments(paths: dict[str, bytes]) -> list[str]:
    return [path for path in paths if path.endswith(".m4s")]


async def revision(node: Node, asset_id: str) -> str:
    return (await node.origin.title(asset_id)).presentation.revision


# What is answered.


@pytest.mark.parametrize("asset_id", PLAYABLE)
async def test_every_path_of_a_title_has_a_resource(films: Path, asset_id: str) -> None:
    node = Node(films)
    paths = await node.every_path(asset_id)
    assert len(paths) > 10
    for path in paths:
        resource = await node.resource(path)
        immutable = not path.endswith(("master.m3u8", "manifest.mpd"))
        assert resource.cache_control == (IMMUTABLE if immutable else SHORT_LIVED)
        assert len(await node.body(path)) == resource.size > 0


async def test_what_was_built_is_answered_at_once(films: Path) -> None:
    node = Node(films)
    paths = await node.every_path("city")
    first = {path: await node.resource(path) for path in paths}

    def at_once(path: str) -> bool:
        found = node.origin.resolve(path)
        return isinstance(found, Resource) and found.parts is first[path].parts

    assert all(map(at_once, paths))
    node.age()
    assert (await node.resource(paths[0])).parts is first[paths[0]].parts
    assert all(map(at_once, paths))


async def test_two_nodes_answer_the_same_bytes_under_the_same_tags(
    films: Path, tmp_path: Path
) -> None:
    shutil.copytree(films, tmp_path / "copy")
    first, second = Node(films), Node(tmp_path / "copy")
    for asset_id in PLAYABLE:
        paths = await first.every_path(asset_id)
        assert paths == await second.every_path(asset_id)
        for path in paths:
            one, other = await first.resource(path), await second.resource(path)
            assert (one.etag, one.whole.lines) == (other.etag, other.whole.lines)
            assert await first.body(path) == await second.body(path)


async def test_tags_are_of_one_path_each(films: Path) -> None:
    node = Node(films)
    tags = [(await node.resource(path)).etag for path in await node.every_path("city")]
    assert len(set(tags)) == len(tags)


async def test_the_language_of_sound_comes_from_the_file_or_its_name(films: Path) -> None:
    presentation = (await Node(films).origin.title("city")).presentation
    assert [(audio.source, audio.language) for audio in presentation.audio] == [
        ("city/audio-en.mp4", "en"),
        ("city/audio-es.mp4", "es"),
    ]
    assert [(text.language, text.hearing_impaired) for text in presentation.text] == [
        ("en", False),
        ("es", True),
    ]


# What is not there.


async def test_unknown_things(films: Path) -> None:
    node = Node(films)
    current = await revision(node, "city")
    unknown = {
        "/v/nothing/master.m3u8": UnknownTitle,
        "/v/artwork/manifest.mpd": UnknownTitle,
        f"/v/nothing/{current}/video1/init.mp4": UnknownTitle,
        "/v/city/0123456789abcdef/video1/init.mp4": UnknownRevision,
        f"/v/city/{current}/video9/init.mp4": NotFound,
        f"/v/city/{current}/video9/media.m3u8": NotFound,
        f"/v/city/{current}/video1/1.m4s": NotFound,
        f"/v/city/{current}/video1/999999999999999999.m4s": NotFound,
        f"/v/city/{current}/video1/0.vtt": NotFound,
        f"/v/city/{current}/video1/text.vtt": NotFound,
        f"/v/city/{current}/audio1/iframes.m3u8": NotFound,
        f"/v/city/{current}/text1/init.mp4": NotFound,
        f"/v/city/{current}/text1/0.m4s": NotFound,
        f"/v/city/{current}/text1/1.vtt": NotFound,
    }
    for path, kind in unknown.items():
        with pytest.raises(PackagerError) as raised:
            await node.resource(path)
        assert type(raised.value) is kind, path


async def test_a_broken_file_says_where(films: Path) -> None:
    with pytest.raises(BadMedia, match=r"in box 'moov' at byte 32$") as raised:
        await Node(films).resource("/v/broken/master.m3u8")
    assert (raised.value.box, raised.value.offset) == ("moov", 32)


async def test_a_failure_is_not_kept(films: Path, tmp_path: Path) -> None:
    shutil.copy(films / "broken.mp4", tmp_path / "film.mp4")
    node = Node(tmp_path)
    with pytest.raises(BadMedia):
        await node.resource(MASTER)
    replace_by_rename(tmp_path / "film.mp4", (films / "film.mp4").read_bytes())
    assert (await node.resource(MASTER)).size


# What is left out.


async def test_a_rendition_that_does_not_line_up_is_left_out_and_said(
    films: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "origin"):
        title = await Node(films).origin.title("uneven")
    sources = {video.source for video in title.presentation.video}
    assert sources == {"uneven/video-a.mp4", "uneven/video-b.mp4"}
    (message,) = caplog.messages
    assert message.startswith("uneven: left out uneven/video-odd.mp4: video track 1 (avc1.")
    assert message.endswith(
        "its key frames do not line up with uneven/video-a.mp4: 1 of 8 are shared"
    )


async def test_a_broken_file_among_others_is_left_out_and_said(
    films: Path, library: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copy(films / "broken.mp4", library / "city" / "video-99.mp4")
    with caplog.at_level(logging.WARNING, "origin"):
        paths = await Node(library).every_path("city")
    assert any("/video3/" in path for path in paths)
    (message,) = caplog.messages
    assert message.startswith("city: left out city/video-99.mp4: box size")
    assert message.endswith("in box 'moov' at byte 32")


async def test_a_title_of_broken_files_names_them_all(films: Path, tmp_path: Path) -> None:
    (tmp_path / "wreck").mkdir()
    for name in ("b.mp4", "a.mp4"):
        shutil.copy(films / "broken.mp4", tmp_path / "wreck" / name)
    with pytest.raises(Misaligned, match=r"wreck/a\.mp4: box size .*; wreck/b\.mp4: box size"):
        await Node(tmp_path).origin.title("wreck")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (f"{VTT}\n00:09.000 --> soon\nNever\n", "1 cues: they cannot be read (lines 9)"),
        ("not a subtitle", "does not start with WEBVTT at line 1"),
        ("WEBVTT\n\n\udcff\n", "not UTF-8 at line 3"),
    ],
)
async def test_text_that_cannot_be_read_is_said(
    library: Path, caplog: pytest.LogCaptureFixture, content: str, reason: str
) -> None:
    text = library / "city" / "subtitles.en.vtt"
    text.write_bytes(content.encode(errors="surrogateescape"))
    with caplog.at_level(logging.WARNING, "origin"):
        title = await Node(library).origin.title("city")
    assert len(title.presentation.video) == 3
    (message,) = caplog.messages
    assert message.startswith("city: left out city/subtitles.en.vtt: ")
    assert message.endswith(reason)


async def test_text_that_is_too_large_is_left_out_unread(library: Path) -> None:
    with (library / "city" / "subtitles.en.vtt").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    title = await Node(library).origin.title("city")
    assert [text.language for text in title.presentation.text] == ["es"]
    (left_out,) = title.presentation.left_out
    assert left_out.reason == f"{MAX_BYTES + 1} bytes, more than {MAX_BYTES}"


async def test_a_name_that_is_not_text(films: Path, tmp_path: Path) -> None:
    (tmp_path / "title").mkdir()
    name = os.fsdecode(b"video-\xff.mp4")
    try:
        shutil.copy(films / "film.mp4", tmp_path / "title" / name)
    except OSError as error:
        pytest.skip(f"the file system takes no such name: {error.strerror}")
    node = Node(tmp_path)
    assert len(await bodies(node, "title")) > 10
    (tmp_path / "title" / name).write_bytes(b"\0\0\0\x08free")
    node.age()
    with pytest.raises(BadMedia):
        await node.resource("/v/title/master.m3u8")
    shutil.copy(tmp_path / "title" / name, tmp_path / "title" / "video-2.mp4")
    node.age()
    with pytest.raises(Misaligned) as raised:
        await node.resource("/v/title/master.m3u8")
    assert rb"title/video-\\udcff.mp4: has no 'moov'" in describe(raised.value).body()


# Files that change.


@either_way
@pytest.mark.parametrize("asset_id", ["film", "city"])
async def test_a_changed_file_is_a_new_revision(
    films: Path, library: Path, change: Change, asset_id: str
) -> None:
    node = Node(library)
    before = await bodies(node, asset_id)
    old = await revision(node, asset_id)
    path = library / ("film.mp4" if asset_id == "film" else "city/audio-es.mp4")
    change(path, (films / "uneven/audio-en.mp4").read_bytes())
    node.age()
    after = await bodies(node, asset_id)
    new = await revision(node, asset_id)
    assert new != old
    for manifest in (f"/v/{asset_id}/master.m3u8", f"/v/{asset_id}/manifest.mpd"):
        assert old.encode() in before[manifest]
        assert new.encode() in after[manifest]
        assert old.encode() not in after[manifest]
    assert before.keys() & after.keys() == {
        f"/v/{asset_id}/master.m3u8",
        f"/v/{asset_id}/manifest.mpd",
    }
    for path_of_old in before.keys() - after.keys():
        with pytest.raises(UnknownRevision):
            await node.resource(path_of_old)


@either_way
async def test_an_old_revision_never_has_new_bytes(
    films: Path, library: Path, change: Change
) -> None:
    """Within the second that a title is not looked at, too; whether a path was built or not."""
    node = Node(library)
    old = await bodies(Node(library), "film")
    known = segments(old)[::2]
    for path in known:
        await node.resource(path)
    change(library / "film.mp4", (films / "city/video-36.mp4").read_bytes())
    answered = 0
    for path in segments(old):
        try:
            found = await node.body(path)
        except NotFound:
            continue
        assert found == old[path]
        answered += 1
    assert answered == (len(segments(old)) if change is replace_by_rename else 0)


async def test_a_change_in_place_is_seen_at_the_next_segment(films: Path, library: Path) -> None:
    node = Node(library)
    old = await bodies(node, "film")
    overwrite_in_place(library / "film.mp4", (films / "city/video-36.mp4").read_bytes())
    for path in segments(old):
        with pytest.raises(UnknownRevision):
            await node.resource(path)
    assert all(path not in old for path in segments(await bodies(node, "film")))


async def test_a_revision_that_a_fellow_worker_saw_first_is_looked_for(
    films: Path, library: Path
) -> None:
    ahead, behind = Node(library), Node(library)
    await bodies(behind, "film")
    replace_by_rename(library / "film.mp4", (films / "city/video-36.mp4").read_bytes())
    for path, body in (await bodies(ahead, "film")).items():
        assert path == MASTER or path == str(Mpd("film")) or await behind.body(path) == body


async def test_a_new_side_file_and_a_new_title_appear(library: Path) -> None:
    node = Node(library)
    assert (await node.origin.title("film")).presentation.text == ()
    with pytest.raises(UnknownTitle):
        await node.origin.title("late")
    (library / "film.en.vtt").write_text(VTT)
    shutil.copy(library / "film.mp4", library / "late.mp4")
    node.age()
    assert [text.language for text in (await node.origin.title("film")).presentation.text] == ["en"]
    assert (await node.origin.title("late")).presentation.video


async def test_a_title_that_goes(library: Path) -> None:
    node = Node(library)
    paths = await node.every_path("film")
    (library / "film.mp4").unlink()
    node.age()
    for path in paths:
        with pytest.raises(UnknownTitle):
            await node.resource(path)


async def test_nobody_waits_for_a_look_that_is_a_little_old(library: Path) -> None:
    node = Node(library)
    path = str(MultivariantPlaylist("film"))
    before = await node.body(path)
    (library / "film.en.vtt").write_text(VTT)
    node.now += node.storage.fresh_seconds
    found = node.origin.resolve(path)
    assert isinstance(found, Resource)
    while isinstance(found, Resource):  # until the change has been seen
        assert content(found.parts) == before
        await asyncio.sleep(0.01)
        found = node.origin.resolve(path)
    assert content((await found).parts) != before


async def test_freshness_counts_from_before_the_files_were_looked_at(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = Node(library)
    drive = node.storage.drive

    async def slow(*arguments: object) -> object:
        node.now += 30
        return await drive(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(node.storage, "drive", slow)
    title = await node.origin.title("film")
    assert title.look.at == 1000.0


async def test_a_file_that_changes_while_it_is_indexed_is_indexed_again(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = Node(library)
    drive, failures = node.storage.drive, iter([True])

    async def unlucky(*arguments: object) -> object:
        if next(failures, False):
            raise ObjectChanged("film.mp4 has changed")
        return await drive(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(node.storage, "drive", unlucky)
    assert (await node.resource(MASTER)).size


async def test_a_file_that_goes_on_changing_is_not_waited_for(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = Node(library)

    async def changing(*_: object) -> object:
        raise ObjectChanged("film.mp4 has changed")

    monkeypatch.setattr(node.storage, "drive", changing)
    with pytest.raises(ObjectChanged):
        await node.resource(MASTER)


async def test_a_library_that_is_away_is_not_an_unknown_title(tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    node = Node(tmp_path / "library")
    (tmp_path / "library").rmdir()
    with pytest.raises(StorageError):
        await node.resource(MASTER)


# Many at once, and what is held.


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is indexed and rendered, as it happens."""
    done: list[str] = []

    def counted_index(source: str, version: str, size: int) -> Reader:
        done.append(f"index {source}")
        return index_movie(source, version, size)

    def counted_render(presentation: Presentation, address: Address) -> tuple[str, str]:
        done.append(f"render {address}")
        return render(presentation, address)

    monkeypatch.setattr("origin.titles.index_movie", counted_index)
    monkeypatch.setattr("origin.documents.render", counted_render)
    return done


async def test_first_requests_at_once_do_the_work_once(films: Path, work: list[str]) -> None:
    node = Node(films)
    found = await asyncio.gather(*(node.resource(MASTER) for _ in range(200)))
    assert len({id(resource.parts) for resource in found}) == 1
    assert work == ["index film.mp4", f"render {MASTER}"]


async def test_an_unchanged_title_is_neither_indexed_nor_rendered_again(
    films: Path, work: list[str]
) -> None:
    node = Node(films)
    await node.resource(MASTER)
    work.clear()
    for _ in range(3):
        node.age()
        await asyncio.gather(*(node.resource(MASTER) for _ in range(20)))
    assert work == []


async def test_one_changed_file_is_all_that_changes_the_revision(library: Path) -> None:
    node = Node(library)
    first = await revision(node, "city")
    os.utime(library / "film.mp4")
    node.age()
    assert await revision(node, "city") == first


async def test_a_title_that_was_dropped_is_not_kept_by_what_was_built_of_it(films: Path) -> None:
    node = Node(films, title_cache=1)
    await bodies(node, "film")
    video = (await node.origin.title("film")).presentation.video[0]
    table = weakref.ref(video.track.samples)
    del video
    await bodies(node, ODD_NAME)
    gc.collect()
    assert table() is None
    assert len(await bodies(node, "film")) > 10


async def test_a_cache_that_holds_next_to_nothing_still_answers(films: Path) -> None:
    roomy, tight = Node(films), Node(films, title_cache=1, resource_cache=1)
    assert await bodies(tight, "city") == await bodies(roomy, "city")


async def test_the_cost_of_a_title_counts_samples_and_cues(library: Path) -> None:
    node = Node(library)
    before = (await node.origin.title("film")).nbytes
    (library / "film.en.vtt").write_text(VTT)
    node.age()
    after = (await node.origin.title("film")).nbytes
    assert after > before > (160 + 751) * 12
