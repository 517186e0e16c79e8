from __future__ import annotations

import asyncio
import gzip
import logging
import re
import secrets
from typing import Any

import aiohttp
import pytest
from argon2 import PasswordHasher, extract_parameters

from catalog.postgres.people import People
from embedded.process import Server
from origin.control.api.callers import COOKIE
from origin.sessions import Sessions
from tests.origin.control_api.conftest import PASSWORD, Answer, Api, Someone, visitor
from tests.support.servers import frozen

ANOTHER = "another boat, another sea"
WRONG = "not the boat on the sea"
OURS = {"Sec-Fetch-Site": "same-origin"}
RECOVERY_TRIES = 100


def new_email() -> str:
    return f"{secrets.token_hex(8)}@example.com"


def person(**changes: object) -> dict[str, object]:
    known = {"email": new_email(), "password": PASSWORD, "name": "Ana", "language": "es"}
    return known | changes


def secret_of(answer: Answer) -> str:
    found = re.match(rf"{COOKIE}=([\w-]+);", answer.headers["set-cookie"])
    assert found
    return found[1]


def cookie(secret: str) -> dict[str, str]:
    return {"Cookie": f"{COOKIE}={secret}"}


async def sign_in(api: Api, email: str, password: str, **options: Any) -> Answer:
    return await api.post("/api/sign-in", {"email": email, "password": password}, **options)


async def signed_in(api: Api, secret: str) -> bool:
    return (await api.get("/api/account", login=secret)).status == 200


def code(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json["code"]


# Signing up, in and out.


async def test_who_signs_up_is_signed_in(api: Api) -> None:
    asked = person()
    made = await api.post("/api/accounts", asked)
    assert made.status == 201
    assert made.headers["cache-control"] == "no-store"
    account, [profile] = made.json["account"], made.json["profiles"]
    assert account == {
        "id": account["id"],
        "email": asked["email"],
        "name": "Ana",
        "language": "es",
        "plan": "standard",
        "role": "viewer",
        "streams": 2,
    }
    assert set(profile) == {"id", "name", "colour", "language", "kids"}
    assert (profile["name"], profile["language"], profile["kids"]) == ("Ana", "es", False)
    own = await api.get("/api/account", headers=cookie(secret_of(made)))
    assert (own.status, own.json) == (200, made.json)
    assert own.headers["cache-control"] == "no-store"


async def test_an_address_has_one_account(api: Api) -> None:
    asked = person(email="Ana.Uno@Example.com")
    assert (await api.post("/api/accounts", asked)).status == 201
    again = await api.post("/api/accounts", person(email="ana.uno@example.COM"))
    assert code(again) == (409, "taken")
    assert again.json["field"] == "email"
    assert "set-cookie" not in again.headers
    assert (await sign_in(api, "ANA.UNO@EXAMPLE.COM", PASSWORD)).status == 200


async def test_signing_in_and_out(api: Api) -> None:
    ana = await api.person()
    answer = await sign_in(api, ana.account.email, PASSWORD)
    assert answer.status == 200
    assert answer.json["account"]["id"] == ana.account.id
    assert [one["id"] for one in answer.json["profiles"]] == [ana.profile.id]
    assert answer.headers["cache-control"] == "no-store"
    secret = secret_of(answer)
    assert await signed_in(api, secret)
    out = await api.post("/api/sign-out", headers=cookie(secret) | OURS)
    assert out.status == 204
    assert f'{COOKIE}=""; ' in out.headers["set-cookie"]
    assert "Max-Age=0" in out.headers["set-cookie"]
    assert not await signed_in(api, secret)
    assert await signed_in(api, ana.login)  # as on another device
    assert (await api.post("/api/sign-out", headers=cookie(secret) | OURS)).status == 204
    assert (await api.post("/api/sign-out", login=ana.login)).status == 204
    assert not await signed_in(api, ana.login)


async def test_the_login_is_a_cookie_that_scripts_and_other_sites_do_not_get(api: Api) -> None:
    answer = await sign_in(api, (await api.person()).account.email, PASSWORD)
    first, *attributes = answer.headers["set-cookie"].split("; ")
    secret = first.removeprefix(f"{COOKIE}=")
    assert len(secret) >= 43  # 256 bits
    assert set(attributes) == {"HttpOnly", "Max-Age=2592000", "Path=/", "SameSite=Lax"}
    assert secret not in str(answer.json)


async def test_each_login_has_a_secret_of_its_own(api: Api) -> None:
    ana = await api.person()
    answers = [await sign_in(api, ana.account.email, PASSWORD) for _ in range(2)]
    assert len({ana.login, *map(secret_of, answers)}) == 3


@pytest.mark.parametrize("sent", [{}, {"Authorization": "Bearer \udcff"}, cookie("guess")])
async def test_an_account_is_shown_to_who_is_signed_in(api: Api, sent: dict[str, str]) -> None:
    answer = await api.get("/api/account", headers=sent)
    assert code(answer) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["cache-control"] == "no-store"


async def test_a_login_whose_account_is_gone_is_none(api: Api) -> None:
    ana = await api.person()
    async with api.database.connection() as connection:
        await connection.execute("delete from accounts where id = $1", ana.account.id)
    assert code(await api.get("/api/account", login=ana.login)) == (401, "unauthenticated")
    change = {"current": PASSWORD, "new": ANOTHER}
    answer = await api.post("/api/account/password", change, login=ana.login)
    assert code(answer) == (401, "unauthenticated")


# Nobody learns why they may not sign in.


async def refusals(api: Api) -> dict[str, Answer]:
    ana, disabled = await api.person(), await api.person()
    await api.database.people.change(disabled.account.id, disabled=True)
    return {
        "unknown": await sign_in(api, new_email(), PASSWORD),
        "wrong": await sign_in(api, ana.account.email, WRONG),
        "disabled": await sign_in(api, disabled.account.email, PASSWORD),
        "disabled, wrong": await sign_in(api, disabled.account.email, WRONG),
    }


async def test_whatever_is_wrong_the_answer_is_the_same(api: Api) -> None:
    answers = await refusals(api)
    for answer in answers.values():
        assert code(answer) == (401, "wrong-credentials")
        assert answer.json == answers["wrong"].json
        assert {**answer.headers, "date": ""} == {**answers["wrong"].headers, "date": ""}


async def test_whatever_is_wrong_one_password_is_verified(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the parameters of all hashes that are made here: so each takes as long."""
    verified: list[str] = []
    verify = PasswordHasher.verify

    def note(hasher: PasswordHasher, hashed: str, password: str) -> Any:
        verified.append(hashed)
        return verify(hasher, hashed, password)

    made = await api.post("/api/accounts", person())
    monkeypatch.setattr(PasswordHasher, "verify", note)
    await sign_in(api, made.json["account"]["email"], WRONG)
    await sign_in(api, new_email(), WRONG)
    await api.database.people.change(made.json["account"]["id"], disabled=True)
    await sign_in(api, made.json["account"]["email"], PASSWORD)
    known, unknown, disabled = verified
    assert extract_parameters(known) == extract_parameters(unknown)
    assert known == disabled != unknown


# Rates.


async def test_ten_passwords_are_tried_for_one_address(api: Api) -> None:
    ana = await api.person()
    for _ in range(10):
        assert (await sign_in(api, ana.account.email, WRONG)).status == 401
    refused = await sign_in(api, ana.account.email.upper(), PASSWORD)
    assert code(refused) == (429, "too-many-requests")
    assert 0 < int(refused.headers["retry-after"]) <= 15 * 60
    assert "set-cookie" not in refused.headers
    async with visitor() as client:  # who sits elsewhere is not locked out
        elsewhere = Api(api.address, client, api.database, api.sessions)
        assert (await sign_in(elsewhere, ana.account.email, PASSWORD)).status == 200
    other = await api.person()
    assert (await sign_in(api, other.account.email, PASSWORD)).status == 200


async def test_a_hundred_passwords_are_tried_from_one_network(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PasswordHasher, "verify", lambda *_: False)  # its work is not the matter
    answers = [code(await sign_in(api, new_email(), WRONG)) for _ in range(102)]
    refused = answers.index((429, "too-many-requests"))
    assert refused >= 100
    assert set(answers[:refused]) == {(401, "wrong-credentials")}


async def test_ten_accounts_an_hour_are_made_from_one_network(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(10):
        assert (await api.post("/api/accounts", person(password="easy"))).status == 422
    made = [await api.post("/api/accounts", person()) for _ in range(11)]
    assert [answer.status for answer in made] == [201] * 10 + [429]
    assert int(made[-1].headers["retry-after"]) <= 6 * 60


# The password.


async def test_changing_the_password_signs_other_devices_out(api: Api) -> None:
    ana, bo = await api.person(), await api.person()
    here, there = [
        secret_of(await sign_in(api, ana.account.email, PASSWORD, headers=OURS)) for _ in range(2)
    ]
    change = {"current": PASSWORD, "new": ANOTHER}
    answer = await api.post("/api/account/password", change, headers=cookie(here) | OURS)
    assert answer.status == 204
    assert await signed_in(api, secret_of(answer))
    assert [await signed_in(api, one) for one in (here, there, ana.login)] == [False] * 3
    assert await signed_in(api, bo.login)
    assert code(await sign_in(api, ana.account.email, PASSWORD)) == (401, "wrong-credentials")
    assert (await sign_in(api, ana.account.email, ANOTHER)).status == 200


async def test_the_password_is_changed_by_who_knows_it(api: Api) -> None:
    ana = await api.person()
    for _ in range(10):
        change = {"current": WRONG, "new": ANOTHER}
        answer = await api.post("/api/account/password", change, login=ana.login)
        assert code(answer) == (401, "wrong-credentials")
    answer = await api.post("/api/account/password", change, login=ana.login)
    assert code(answer) == (429, "too-many-requests")
    assert await signed_in(api, ana.login)
    assert (await sign_in(api, ana.account.email, PASSWORD)).status == 200


async def test_a_password_may_have_any_characters(api: Api) -> None:
    ana = await api.person()
    odd = "\t mañana\u0000\x7f🎬\n"
    change = {"current": PASSWORD, "new": odd}
    assert (await api.post("/api/account/password", change, login=ana.login)).status == 204
    assert (await sign_in(api, ana.account.email, odd)).status == 200


async def test_who_signs_in_with_the_old_password_meanwhile_is_not(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The password is changed, and all are signed out, after the old one was found right."""
    ana = await api.person()
    begin = Sessions.sign_in

    async def late(sessions: Sessions, login: Any) -> str:
        await api.database.people.set_password(ana.account.id, "another hash")
        await api.sessions.sign_out_account(ana.account.id)
        made.append(await begin(sessions, login))
        return made[-1]

    made: list[str] = []
    monkeypatch.setattr(Sessions, "sign_in", late)
    answer = await sign_in(api, ana.account.email, PASSWORD)
    assert code(answer) == (401, "wrong-credentials")
    [secret] = made
    assert not await signed_in(api, secret)


# Profiles.

KIDS = {"name": "Kids", "colour": "#ff8800", "language": "es", "kids": True}


async def profiles(api: Api, someone: Someone) -> list[dict[str, Any]]:
    answer = await api.get("/api/account", login=someone.login)
    found: list[dict[str, Any]] = answer.json["profiles"]
    return found


async def test_profiles_are_added_changed_and_removed(api: Api) -> None:
    ana = await api.person()
    [own] = await profiles(api, ana)
    made = await api.post("/api/profiles", KIDS, login=ana.login)
    assert made.status == 201
    assert made.json == KIDS | {"id": made.json["id"]}
    assert await profiles(api, ana) == [own, made.json]
    path = f"/api/profiles/{made.json['id']}"
    changed = await api.patch(path, {"name": "Niños"}, login=ana.login)
    assert (changed.status, changed.json) == (200, made.json | {"name": "Niños"})
    changed = await api.patch(path, KIDS | {"kids": False}, login=ana.login)
    assert changed.json == made.json | {"kids": False}
    assert await profiles(api, ana) == [own, changed.json]
    assert (await api.delete(path, login=ana.login)).status == 204
    assert await profiles(api, ana) == [own]
    for answer in (
        await api.delete(path, login=ana.login),
        await api.patch(path, {"name": "x"}, login=ana.login),
    ):
        assert code(answer) == (404, "no-such-row")


async def test_two_profiles_have_two_names_and_there_are_eight(api: Api) -> None:
    ana = await api.person()
    [own] = await profiles(api, ana)
    taken = await api.post("/api/profiles", KIDS | {"name": own["name"]}, login=ana.login)
    assert code(taken) == (409, "taken")
    assert taken.json["field"] == "name"
    for number in range(7):
        more = KIDS | {"name": f"Kid {number}"}
        assert (await api.post("/api/profiles", more, login=ana.login)).status == 201
    ninth = await api.post("/api/profiles", KIDS, login=ana.login)
    assert code(ninth) == (409, "too-many-profiles")


async def test_profiles_of_others_are_not_there(api: Api) -> None:
    ana, bo = await api.person(), await api.person()
    path = f"/api/profiles/{ana.profile.id}"
    for answer in (
        await api.patch(path, {"name": "mine"}, login=bo.login),
        await api.delete(path, login=bo.login),
        await api.delete("/api/profiles/none", login=bo.login),
        await api.delete("/api/profiles/%00", login=bo.login),
    ):
        assert code(answer) == (404, "no-such-row")
    [kept] = await profiles(api, ana)
    assert kept["name"] == ana.profile.name


async def test_only_who_is_signed_in_has_profiles(api: Api) -> None:
    path = f"/api/profiles/{(await api.person()).profile.id}"
    for answer in (
        await api.post("/api/profiles", KIDS),
        await api.patch(path, {"name": "x"}),
        await api.delete(path),
        await api.post("/api/account/password", {"current": PASSWORD, "new": ANOTHER}),
    ):
        assert code(answer) == (401, "unauthenticated")


# Other sites.


@pytest.mark.parametrize(
    "said",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {},
    ],
)
async def test_another_site_cannot_use_the_cookie(api: Api, said: dict[str, str]) -> None:
    ana = await api.person()
    headers = cookie(ana.login) | said
    for answer in (
        await api.post("/api/sign-out", headers=headers),
        await api.post("/api/profiles", KIDS, headers=headers),
        await api.delete(f"/api/profiles/{ana.profile.id}", headers=headers),
        await sign_in(api, ana.account.email, PASSWORD, headers=headers),
        await api.post("/api/accounts", person(), headers=headers),
    ):
        assert code(answer) == (403, "forbidden")
        assert "set-cookie" not in answer.headers
    assert [one["id"] for one in await profiles(api, ana)] == [ana.profile.id]


async def test_another_site_signs_nobody_in(api: Api) -> None:
    ana = await api.person()
    said = {"Sec-Fetch-Site": "cross-site"}
    answers = (
        await sign_in(api, ana.account.email, PASSWORD, headers=said),
        await api.post("/api/accounts", person(), headers=said),
    )
    assert [code(answer) for answer in answers] == [(403, "forbidden")] * 2


async def test_our_own_page_can(api: Api) -> None:
    ana = await api.person()
    for said in (OURS, {"Origin": api.address}):
        headers = cookie(ana.login) | said
        kids = KIDS | {"name": secrets.token_hex(4)}
        assert (await api.post("/api/profiles", kids, headers=headers)).status == 201


async def test_no_other_site_may_read_or_ask_beforehand(api: Api) -> None:
    said = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    for path in ("/api/sign-in", "/api/account", "/api/profiles"):
        answer = await api.ask("OPTIONS", path, headers=said)
        assert "access-control-allow-origin" not in answer.headers
        assert answer.status == 405


# What is sent.


WRONG_FIELDS: list[tuple[dict[str, object], str, str]] = [
    ({"email": "ana"}, "email", "invalid"),
    ({"email": "ana@example"}, "email", "invalid"),
    ({"email": "a b@example.com"}, "email", "invalid"),
    ({"email": f"a@{'e' * 250}.com"}, "email", "invalid"),
    ({"email": None}, "email", "invalid"),
    ({"email": ["a@example.com"]}, "email", "invalid"),
    ({"password": "short"}, "password", "weak-password"),
    ({"password": "aaaaaaaaaaaa"}, "password", "weak-password"),
    ({"password": "x@y.example", "email": "x@y.example"}, "password", "weak-password"),
    ({"password": "long" * 33}, "password", "invalid"),
    ({"password": 12345678}, "password", "invalid"),
    ({"name": ""}, "name", "invalid"),
    ({"name": "A\nB"}, "name", "invalid"),
    ({"name": "n" * 51}, "name", "invalid"),
    ({"language": "Spanish!"}, "language", "invalid"),
    ({"role": "admin"}, "role", "invalid"),
    ({"plan": "premium"}, "plan", "invalid"),
]


async def test_the_field_that_is_wrong_is_named(api: Api) -> None:
    for changes, field, why in WRONG_FIELDS:
        answer = await api.post("/api/accounts", person(**changes))
        assert (code(answer), answer.json["field"]) == ((422, why), field), changes
        assert answer.headers["content-type"] == "application/problem+json"


WRONG_CHANGES: list[dict[str, object]] = [
    {"name": None},
    {"kids": "yes"},
    {"kids": 1},
    {"colour": "red"},
    {"language": ""},
    {"id": ""},
]


async def test_a_profile_is_changed_to_what_it_may_be(api: Api) -> None:
    ana = await api.person()
    path = f"/api/profiles/{ana.profile.id}"
    for change in WRONG_CHANGES:
        for answer in (
            await api.patch(path, change, login=ana.login),
            await api.post("/api/profiles", KIDS | change, login=ana.login),
        ):
            assert (code(answer), answer.json["field"]) == ((422, "invalid"), *change)


async def test_a_new_profile_is_told_whole(api: Api) -> None:
    ana = await api.person()
    for missing in KIDS:
        some = {name: value for name, value in KIDS.items() if name != missing}
        answer = await api.post("/api/profiles", some, login=ana.login)
        assert (code(answer), answer.json["field"]) == ((422, "invalid"), missing)


async def send(
    api: Api, data: bytes, content_type: str | None = "application/json", **headers: str
) -> tuple[int, str]:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    if content_type is not None:
        fields["Content-Type"] = content_type
    url, unsaid = api.address + "/api/sign-in", ("Content-Type",)
    async with api.client.post(url, data=data, headers=fields, skip_auto_headers=unsaid) as reply:
        assert reply.content_type == "application/problem+json"
        body = await reply.json(content_type=None)
        assert body["status"] == reply.status
        assert reply.headers["Cache-Control"] == "no-store"
        return reply.status, body["code"]


NO_OBJECTS = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"text"',
    b"{} {}",
    b"\xff\xfe{}",
    b'{"email": "\xed\xa0\x80"}',
    b'{"email": "\\ud800"}',
    b'{"email": NaN}',
    b"[" * 60_000,
    b'{"a":' * 10_000,
    b"{}",
]


async def test_what_is_no_such_object_is_invalid(api: Api) -> None:
    for data in NO_OBJECTS:
        assert await send(api, data) == (422, "invalid"), data[:40]


OTHER_TYPES = [
    None,
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "",
    "json",
]


async def test_only_json_is_read(api: Api) -> None:
    sent = b'{"email": "a@example.com", "password": "x"}'
    for content_type in OTHER_TYPES:
        assert await send(api, sent, content_type) == (415, "unsupported-media-type"), content_type


async def test_json_may_be_told_with_its_charset(api: Api) -> None:
    sent = b'{"email": "nobody@example.com", "password": "x"}'
    assert await send(api, sent, "application/json; charset=utf-8") == (401, "wrong-credentials")


async def test_a_body_that_is_too_large_is_refused(api: Api) -> None:
    too_large = (413, "body-too-large")
    assert await send(api, b" " * 65_536) == (422, "invalid")
    assert await send(api, b" " * 65_537) == too_large


async def test_a_compressed_body_is_not_read(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    sent = b'{"email": "nobody@example.com", "password": "x"}'
    bomb = gzip.compress(b" " * 30_000_000)
    assert len(bomb) < 65_536
    for coding in ("gzip", "deflate", "br", "zstd", "x"):
        for data in (sent, gzip.compress(sent), bomb):
            refused = await send(api, data, Content_Encoding=coding)
            assert refused == (415, "unsupported-media-type")
    assert not caplog.records


async def test_other_methods_are_not_allowed(api: Api) -> None:
    answer = await api.put("/api/sign-in")
    assert code(answer) == (405, "method-not-allowed")
    assert "POST" in answer.headers["allow"]


# What is away.


async def test_nobody_signs_in_while_redis_is_away(api: Api, valkey: Server) -> None:
    ana = await api.person()
    assert await signed_in(api, ana.login)
    with frozen(valkey):
        for answer in (
            await sign_in(api, ana.account.email, PASSWORD),
            await sign_in(api, new_email(), WRONG),
            await api.post("/api/accounts", person()),
            await api.get("/api/account", login="never seen here"),
        ):
            assert code(answer) == (503, "store-away")
            assert answer.headers["retry-after"] == "2"
        assert await signed_in(api, ana.login)  # seen here of late
    assert (await once_redis_is_back(api, ana, PASSWORD)).status == 200


async def test_a_password_that_signs_nobody_out_is_not_changed(
    api: Api, valkey: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis goes away once the new password is written."""
    ana = await api.person()
    sign_out_account = Sessions.sign_out_account

    async def away(sessions: Sessions, account: str) -> None:
        with frozen(valkey):
            await sign_out_account(sessions, account)

    monkeypatch.setattr(Sessions, "sign_out_account", away)
    change = {"current": PASSWORD, "new": ANOTHER}
    answer = await api.post("/api/account/password", change, login=ana.login)
    assert code(answer) == (503, "store-away")
    assert (await once_redis_is_back(api, ana, PASSWORD)).status == 200
    assert (await sign_in(api, ana.account.email, ANOTHER)).status == 401


async def once_redis_is_back(api: Api, someone: Someone, password: str) -> Answer:
    for _ in range(RECOVERY_TRIES):
        answer = await sign_in(api, someone.account.email, password)
        if answer.status != 503:
            break
        await asyncio.sleep(0.05)
    return answer


async def test_an_account_is_shown_while_postgres_is_away(api: Api, postgres: Server) -> None:
    ana, bo = await api.person(), await api.person()
    known = await api.get("/api/account", login=ana.login)
    with frozen(postgres):
        assert (await api.get("/api/account", login=ana.login)).json == known.json
        answer = await api.get("/api/account", login=bo.login)
        assert code(answer) == (503, "database-away")
        assert code(await sign_in(api, ana.account.email, PASSWORD)) == (503, "database-away")
        assert code(await api.post("/api/profiles", KIDS, login=ana.login))[0] == 503


# What is logged.


async def test_no_secret_is_logged(
    api: Api, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not of those who sign up, in and out or change a password, nor of a defect meanwhile."""
    caplog.set_level(logging.DEBUG)
    asked = person(password="the first secret")
    made = await api.post("/api/accounts", asked)
    email = str(asked["email"])
    logins = [made, await sign_in(api, email, "the first secret")]
    await sign_in(api, email, "a wrong secret")
    change = {"current": "the first secret", "new": "the second secret"}
    logins.append(await api.post("/api/account/password", change, login=secret_of(logins[1])))
    assert logins[-1].status == 204
    await api.post("/api/account/password", change, login=secret_of(logins[-1]))
    await send(api, b'{"password": "a broken secret')
    await api.post("/api/accounts", person(password="a secret", email="none"))
    hashed = (await api.database.people.by_email(email)).password_hash

    async def broken(*_: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(People, "profiles", broken)
    assert code(await sign_in(api, email, "the second secret")) == (500, "internal-error")
    assert "a defect" in caplog.text
    for said in ("secret", "$argon2", hashed, *map(secret_of, logins)):
        told = [line for line in caplog.text.splitlines() if said in line]
        assert not [line for line in told if not line.startswith("    ")], said  # source lines
        assert all(said == "secret" for _ in told)


async def test_what_is_refused_is_answered_on_a_connection_that_goes_on(api: Api) -> None:
    connector = aiohttp.TCPConnector(limit=1)
    async with aiohttp.ClientSession(connector=connector) as client:
        one = Api(api.address, client, api.database, api.sessions)
        assert await send(one, b"x" * 1_000, "text/plain") == (415, "unsupported-media-type")
        assert await send(one, b"{") == (422, "invalid")
        assert (await one.get("/livez")).status == 200
