"""What administrators may do, nobody else may, and the audit log tells."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from typing import Any

import pytest

from catalog.postgres.records import TitleDraft
from embedded.process import Server
from origin.settings import Settings
from tests.origin.control_api.conftest import Answer, Api, Someone, serving
from tests.origin.sessions.working import until
from tests.support.s3_server import (
    ACCESS_KEY,
    BUCKET,
    REGION,
    SECRET_KEY,
    Fault,
    S3Server,
    s3_server,
)
from tests.support.servers import frozen

SERIES: dict[str, Any] = {
    "kind": "series",
    "names": {"en": "Small hours", "es": "La madrugada"},
    "synopses": {"en": "Nights."},
    "year": 2024,
    "genres": ["drama"],
    "maturity": "12",
    "languages": ["en"],
    "subtitles": ["es"],
    "artwork": {"poster": "small-hours.poster.jpg"},
    "windows": [
        {"opens": "2026-01-01T00:00:00+00:00", "closes": None, "countries": ["ES", "PT"]},
    ],
}


def said(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json["code"]


async def noted(api: Api, admin: Someone) -> list[tuple[str, str, Any]]:
    """What the log has of that administrator, the newest first."""
    answer = await api.get("/api/admin/audit?limit=100", login=admin.login)
    assert answer.status == 200
    return [
        (entry["action"], entry["subject"], entry["details"])
        for entry in answer.json["entries"]
        if entry["actor"] == admin.account.id
    ]


REQUESTS = [
    ("GET", "titles"),
    ("GET", "titles/city"),
    ("PUT", "titles/city"),
    ("DELETE", "titles/city"),
    ("POST", "titles/city/purge"),
    ("POST", "titles/city/restore"),
    ("GET", "users"),
    ("PATCH", "users/1"),
    ("POST", "users/1/revoke"),
    ("POST", f"sessions/{'0' * 32}/revoke"),
    ("GET", "audit"),
]


@pytest.mark.parametrize(("method", "path"), REQUESTS)
async def test_only_administrators_may(api: Api, method: str, path: str) -> None:
    viewer = await api.person()
    assert said(await api.ask(method, f"/api/admin/{path}")) == (401, "unauthenticated")
    answer = await api.ask(method, f"/api/admin/{path}", login=viewer.login)
    assert said(answer) == (403, "forbidden")
    assert await api.database.titles.get("city", None)


# Titles


async def test_a_title_is_put_read_and_removed(api: Api) -> None:
    admin = await api.person("admin")
    title = f"series-{secrets.token_hex(4)}"
    path = f"/api/admin/titles/{title}"
    made = await api.put(path, SERIES, login=admin.login)
    assert made.status == 201
    assert {name: made.json[name] for name in SERIES} == SERIES
    assert (made.json["id"], made.json["playable"]) == (title, False)
    assert (await api.get(path, login=admin.login)).json == made.json
    changed = await api.put(path, {"kind": "series", "year": 2025}, login=admin.login)
    assert (changed.status, changed.json["year"], changed.json["names"]) == (200, 2025, {})
    assert (await api.delete(path, login=admin.login)).status == 204
    for answer in (
        await api.get(path, login=admin.login),
        await api.delete(path, login=admin.login),
        await api.post(f"{path}/purge", login=admin.login),
    ):
        assert said(answer) == (404, "no-such-row")
    assert await noted(api, admin) == [
        ("title.remove", title, {}),
        ("title.put", title, {"kind": "series", "year": 2025}),
        ("title.put", title, SERIES),
    ]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "film"}, "kind"),
        ({"kind": "episode"}, "series"),
        ({"kind": "episode", "series": "nothing"}, "series"),
        ({"kind": "episode", "series": "city"}, "series"),
        ({"kind": "episode", "series": "itself"}, "series"),
        ({"year": -1}, "year"),
        ({"id": "other"}, "id"),
        ({"names": ["en"]}, "names"),
        ({"windows": [{"opens": "2026-01-01"}]}, "windows"),
        (
            {"windows": [{"opens": "2026-01-02T00:00:00Z", "closes": "2026-01-01T00:00:00Z"}]},
            "windows",
        ),
    ],
)
async def test_no_title_is_put_that_is_none(api: Api, body: dict[str, Any], field: str) -> None:
    admin = await api.person("admin")
    answer = await api.put("/api/admin/titles/itself", body, login=admin.login)
    assert (*said(answer), answer.json["field"]) == (422, "invalid", field)
    assert (await api.get("/api/admin/titles/itself", login=admin.login)).status == 404
    assert await noted(api, admin) == []


async def test_all_titles_page_by_page(api: Api) -> None:
    """Those too that viewers are not shown among others."""
    admin = await api.person("admin")
    await api.database.titles.put(TitleDraft("zebras", "series"))
    await api.database.titles.put(TitleDraft("zebras-1", "episode", series="zebras"))
    found, cursor = [], ""
    while cursor is not None:
        answer = await api.get(f"/api/admin/titles?limit=1&cursor={cursor}", login=admin.login)
        assert len(answer.json["titles"]) == 1
        found += [title["id"] for title in answer.json["titles"]]
        cursor = answer.json["next"]
    assert found == sorted(found)
    assert {"city", "film", "zebras", "zebras-1"} <= set(found)
    answer = await api.get("/api/admin/titles?q=luces", login=admin.login)
    assert [title["id"] for title in answer.json["titles"]] == ["city"]


async def test_what_is_purged_is_told_to_all_workers(api: Api) -> None:
    admin = await api.person("admin")
    purged: list[str] = []
    api.sessions.on_purge(purged.append)

    async def is_told() -> bool:
        return "city" in purged

    answer = await api.post("/api/admin/titles/city/purge", login=admin.login)
    assert answer.status == 204
    await until(is_told)
    assert await noted(api, admin) == [("title.purge", "city", {})]


# Restoring


async def test_there_is_nothing_to_restore_in_a_folder(api: Api) -> None:
    admin = await api.person("admin")
    answer = await api.post("/api/admin/titles/city/restore", login=admin.login)
    assert said(answer) == (409, "nothing-to-restore")
    assert await noted(api, admin) == []


@pytest.fixture
async def bucket(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[S3Server]:
    """Of one title whose pictures and sound are in the archive."""
    async with s3_server() as server:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        server.put("library/city/audio.mp4", b"sound", archived=True)
        server.put("library/city/video.mp4", b"pictures", archived=True)
        server.put("library/city/subs.vtt", b"words")
        yield server


@pytest.fixture
async def archive(bucket: S3Server, valkey: Server, database_url: str) -> AsyncIterator[Api]:
    settings = Settings(
        library=f"s3://{BUCKET}/library",
        s3_endpoint=bucket.url,
        s3_region=REGION,
        database_url=database_url,
        redis_url=valkey.url,
        cache_mb=0,
    )
    async with serving(settings) as api:
        yield api


async def test_a_title_is_restored(archive: Api, bucket: S3Server) -> None:
    admin = await archive.person("admin")
    path = "/api/admin/titles/city/restore"
    bucket.restoring = {"library/city/video.mp4"}
    answer = await archive.post(path, {"days": 3, "tier": "Bulk"}, login=admin.login)
    outcomes = {
        "city/audio.mp4": "asked for",
        "city/video.mp4": "under way",
        "city/subs.vtt": "readable",
    }
    assert answer.status == 200
    assert {file["key"]: file["outcome"] for file in answer.json["files"]} == outcomes
    details = {"days": 3, "tier": "Bulk", "files": outcomes}
    assert await noted(archive, admin) == [("title.restore", "city", details)]


async def test_a_file_that_cannot_be_restored_is_told(archive: Api, bucket: S3Server) -> None:
    admin = await archive.person("admin")
    bucket.faults.extend([Fault.INTERNAL] * 3)  # as often as one read is tried
    answer = await archive.post("/api/admin/titles/city/restore", login=admin.login)
    first, *others = answer.json["files"]
    assert first["outcome"] == "failed"
    assert first["problem"]["code"] == "storage-error"
    assert "500" in first["problem"]["detail"]
    assert [file["problem"] for file in others] == [None, None]


async def test_what_cannot_be_restored(archive: Api, bucket: S3Server) -> None:
    admin = await archive.person("admin")
    path = "/api/admin/titles"
    answer = await archive.post(f"{path}/nothing/restore", login=admin.login)
    assert said(answer) == (404, "unknown-title")
    for body, field in (({"days": 0}, "days"), ({"tier": "Fast"}, "tier")):
        answer = await archive.post(f"{path}/city/restore", body, login=admin.login)
        assert (*said(answer), answer.json["field"]) == (422, "invalid", field)
    assert not [key for method, key in bucket.seen if method == "POST"]


# People


async def test_people_are_found_and_no_secret_is_told(api: Api) -> None:
    admin, person = await api.person("admin"), await api.person()
    answer = await api.get(f"/api/admin/users?q={person.account.email}", login=admin.login)
    [user] = answer.json["users"]
    assert user.pop("created")
    assert user == {
        "id": person.account.id,
        "email": person.account.email,
        "name": "Ana",
        "language": "en",
        "plan": "standard",
        "streams": 2,
        "role": "viewer",
        "disabled": False,
    }


async def test_all_people_page_by_page(api: Api) -> None:
    admin = await api.person("admin")
    made = [(await api.person()).account.id for _ in range(3)]
    found, cursor = [], ""
    while cursor is not None:
        answer = await api.get(f"/api/admin/users?limit=2&cursor={cursor}", login=admin.login)
        found += [user["id"] for user in answer.json["users"]]
        cursor = answer.json["next"]
    assert found == sorted(set(found))
    assert {admin.account.id, *made} <= set(found)


async def test_a_change_of_plan_counts_from_the_next_sign_in(api: Api) -> None:
    admin, person = await api.person("admin"), await api.person()
    path = f"/api/admin/users/{person.account.id}"
    answer = await api.patch(path, {"plan": "premium"}, login=admin.login)
    assert (answer.status, answer.json["plan"], answer.json["streams"]) == (200, "premium", 4)
    assert await api.sessions.login(person.login) is None
    assert await noted(api, admin) == [("user.change", person.account.id, {"plan": "premium"})]


async def test_who_is_disabled_plays_nothing_any_more(api: Api) -> None:
    admin, person = await api.person("admin"), await api.person()
    started = await playing(api, person)
    path = f"/api/admin/users/{person.account.id}"
    answer = await api.patch(path, {"disabled": True}, login=admin.login)
    assert (answer.status, answer.json["disabled"]) == (200, True)
    assert (await api.get(started["hls"])).status == 403
    assert said(await begin(api, person)) == (401, "unauthenticated")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"plan": "free"}, "plan"),
        ({"role": "owner"}, "role"),
        ({"disabled": "yes"}, "disabled"),
        ({"email": "a@example.com"}, "email"),
    ],
)
async def test_what_cannot_be_changed(api: Api, body: dict[str, Any], field: str) -> None:
    admin, person = await api.person("admin"), await api.person()
    path = f"/api/admin/users/{person.account.id}"
    answer = await api.patch(path, body, login=admin.login)
    assert (*said(answer), answer.json["field"]) == (422, "invalid", field)
    assert await api.sessions.login(person.login) is not None
    assert await noted(api, admin) == []


@pytest.mark.parametrize("body", [{"disabled": True}, {"role": "viewer"}])
async def test_nobody_takes_the_administration_from_themselves(
    api: Api, body: dict[str, Any]
) -> None:
    admin = await api.person("admin")
    path = f"/api/admin/users/{admin.account.id}"
    assert said(await api.patch(path, body, login=admin.login)) == (403, "forbidden")
    assert (await api.get("/api/admin/users", login=admin.login)).status == 200


async def test_people_that_there_are_not(api: Api) -> None:
    admin = await api.person("admin")
    path = "/api/admin/users/nobody"
    for answer in (
        await api.patch(path, {"disabled": True}, login=admin.login),
        await api.post(f"{path}/revoke", login=admin.login),
    ):
        assert said(answer) == (404, "no-such-row")
    assert await noted(api, admin) == []


# Revoking


async def begin(api: Api, person: Someone) -> Answer:
    asked = {"title": "city", "profile": person.profile.id, "device": "a phone"}
    return await api.post("/api/playback", asked, login=person.login)


async def playing(api: Api, person: Someone) -> Any:
    started = (await begin(api, person)).json
    assert (await api.get(started["hls"])).status == 200
    return started


async def test_a_person_is_revoked_everywhere(api: Api) -> None:
    admin, person = await api.person("admin"), await api.person()
    both = [await playing(api, person), await playing(api, person)]
    path = f"/api/admin/users/{person.account.id}/revoke"
    answer = await api.post(path, login=admin.login)
    assert (answer.status, answer.json) == (200, {"stopped": 2})
    for started in both:
        assert (await api.get(started["hls"])).status == 403
    assert said(await begin(api, person)) == (401, "unauthenticated")
    assert await noted(api, admin) == [("user.revoke", person.account.id, {})]


async def test_a_session_is_revoked_though_it_has_ended(api: Api) -> None:
    """Its token has not."""
    admin, person = await api.person("admin"), await api.person()
    started = await playing(api, person)
    session = started["session"]
    assert (await api.delete(f"/api/playback/{session}", login=person.login)).status == 204
    path = f"/api/admin/sessions/{session}/revoke"
    assert (await api.post(path, login=admin.login)).status == 204
    assert (await api.get(started["hls"])).status == 403
    assert await noted(api, admin) == [("session.revoke", session, {})]
    answer = await api.post("/api/admin/sessions/7/revoke", login=admin.login)
    assert said(answer) == (410, "ended")


async def test_what_cannot_be_told_to_other_workers_is_revoked_here_and_noted(
    api: Api, valkey: Server
) -> None:
    admin, person = await api.person("admin"), await api.person()
    started = await playing(api, person)
    assert (await api.get("/api/admin/audit", login=admin.login)).status == 200
    with frozen(valkey):
        path = f"/api/admin/sessions/{started['session']}/revoke"
        assert said(await api.post(path, login=admin.login)) == (503, "store-away")
        assert (await api.get(started["hls"])).status == 403
        assert ("session.revoke", started["session"], {}) in await noted(api, admin)


async def test_without_postgresql_a_session_is_revoked_and_the_log_of_the_server_says_so(
    api: Api, postgres: Server, caplog: pytest.LogCaptureFixture
) -> None:
    admin, person = await api.person("admin"), await api.person()
    started = await playing(api, person)
    with frozen(postgres):
        path = f"/api/admin/sessions/{started['session']}/revoke"
        assert said(await api.post(path, login=admin.login)) == (503, "database-away")
        assert (await api.get(started["hls"])).status == 403
    assert f"session.revoke of '{started['session']}' by {admin.account.id}" in caplog.text


async def test_the_log_is_told_page_by_page(api: Api) -> None:
    admin = await api.person("admin")
    for _ in range(3):
        assert (await api.post("/api/admin/titles/city/purge", login=admin.login)).status == 204
    first = await api.get("/api/admin/audit?limit=2", login=admin.login)
    entries = first.json["entries"]
    assert [entry["action"] for entry in entries] == ["title.purge"] * 2
    assert entries[0]["id"] > entries[1]["id"]
    path = f"/api/admin/audit?limit=1&cursor={first.json['next']}"
    [third] = (await api.get(path, login=admin.login)).json["entries"]
    assert third["id"] < entries[1]["id"]
