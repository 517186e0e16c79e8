"""What is believed of a request. Whole requests to a worker are in test_accounts.py."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from embedded.process import Server
from origin.control.api.callers import COOKIE, Callers
from origin.errors import Refused, Unauthenticated
from origin.sessions import Login, Sessions

HOST = "films.example"
ANA = Login("an-account", "viewer", "standard", "a test", 1_800_000_000.0)


@pytest.fixture
async def sessions(valkey: Server) -> AsyncIterator[Sessions]:
    opened = await Sessions.open(valkey.url)
    yield opened
    await opened.aclose()


@pytest.fixture
def callers(sessions: Sessions) -> Callers:
    return Callers(sessions, secure=False, behind_cdn=False)


@pytest.fixture
def behind_cdn(sessions: Sessions) -> Callers:
    return Callers(sessions, secure=True, behind_cdn=True)


def request(method: str = "GET", **headers: str) -> web.Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return make_mocked_request(method, "/api/account", headers={"Host": HOST, **named})


# The login.


async def test_a_login_is_a_bearer_or_a_cookie(callers: Callers, sessions: Sessions) -> None:
    secret = await sessions.sign_in(ANA)
    for headers in (
        {"Authorization": f"Bearer {secret}"},
        {"Authorization": f"bearer  {secret} "},
        {"Cookie": f"theme=dark; {COOKIE}={secret}"},
        {"Authorization": "Basic YTpi", "Cookie": f"{COOKIE}={secret}"},
    ):
        assert await callers.login(request(**headers)) == ANA


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer " + "x" * 43},
        {"Authorization": "Bearer " + "x" * 5_000},
        {"Authorization": "Bearer ñandú"},
        {"Cookie": f"{COOKIE}="},
        {"Cookie": f"{COOKIE}=guess"},
        {"Cookie": "other=guess"},
    ],
)
async def test_who_has_no_login_is_unauthenticated(
    callers: Callers, headers: dict[str, str]
) -> None:
    with pytest.raises(Unauthenticated):
        await callers.login(request(**headers))


async def test_only_administrators_are(callers: Callers, sessions: Sessions) -> None:
    admin = Login("another", "admin", "standard", "a test", 1_800_000_000.0)
    secrets = [await sessions.sign_in(login) for login in (ANA, admin)]
    viewers, admins = (request(Authorization=f"Bearer {secret}") for secret in secrets)
    assert await callers.admin(admins) == admin
    with pytest.raises(Refused):
        await callers.admin(viewers)
    with pytest.raises(Unauthenticated):
        await callers.admin(request())


# Other sites.

ANOTHER_SITES = [
    {"Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "same-site"},
    {"Sec_Fetch_Site": ""},
    {"Sec_Fetch_Site": "cross-site", "Origin": f"https://{HOST}"},
    {"Origin": "https://evil.example"},
    {"Origin": f"https://{HOST}.evil.example"},
    {"Origin": f"https://evil.example/{HOST}"},
    {"Origin": f"https://{HOST}:8443"},
    {"Origin": "null"},
    {"Origin": "https://[evil"},
    {"Origin": ""},
]
OURS = [
    {"Sec_Fetch_Site": "same-origin"},
    {"Sec_Fetch_Site": "same-origin", "Origin": "https://another-name.behind-a-cdn.example"},
    {"Sec_Fetch_Site": "none"},
    {"Origin": f"https://{HOST}"},
    {"Origin": f"https://{HOST.upper()}"},
]
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


@pytest.mark.parametrize("method", UNSAFE)
@pytest.mark.parametrize("said", ANOTHER_SITES)
def test_another_site_changes_nothing(callers: Callers, method: str, said: dict[str, str]) -> None:
    with pytest.raises(Refused):
        callers.secret(request(method, Cookie=f"{COOKIE}=s", **said))
    with pytest.raises(Refused):
        callers.secret(request(method, **said))


@pytest.mark.parametrize("method", UNSAFE)
@pytest.mark.parametrize("said", OURS)
def test_our_own_page_may(callers: Callers, method: str, said: dict[str, str]) -> None:
    assert callers.secret(request(method, Cookie=f"{COOKIE}=s", **said)) == "s"


@pytest.mark.parametrize("method", UNSAFE)
def test_a_cookie_of_who_does_not_say_where_they_are_is_refused(
    callers: Callers, method: str
) -> None:
    with pytest.raises(Refused):
        callers.secret(request(method, Cookie=f"{COOKIE}=s"))
    assert callers.secret(request(method)) is None


@pytest.mark.parametrize("said", ANOTHER_SITES)
def test_bearers_and_reading_need_no_such_rule(callers: Callers, said: dict[str, str]) -> None:
    assert callers.secret(request("POST", Authorization="Bearer s", **said)) == "s"
    assert callers.secret(request("GET", Cookie=f"{COOKIE}=s", **said)) == "s"


# The cookie.


async def test_under_tls_the_cookie_is_for_tls_only(behind_cdn: Callers, callers: Callers) -> None:
    for asked, secure in ((behind_cdn, True), (callers, False)):
        response = web.Response()
        asked.remember(response, "secret")
        morsel = response.cookies[COOKIE]
        assert bool(morsel["secure"]) is secure
        assert morsel["httponly"]
        assert (morsel["samesite"], morsel["path"], morsel["domain"]) == ("Lax", "/", "")


# Where they are.


def test_behind_our_cdn_its_word_on_the_viewer_counts(
    behind_cdn: Callers, callers: Callers
) -> None:
    told = request(CloudFront_Viewer_Address="198.51.100.7:4711", CloudFront_Viewer_Country="ES")
    assert behind_cdn.address(told) == "198.51.100.7"
    assert behind_cdn.audience(told).country == "ES"
    assert callers.address(told) != "198.51.100.7"
    assert callers.audience(told).country is None
    assert behind_cdn.audience(request()).country is None


@pytest.mark.parametrize(
    ("viewer", "network"),
    [
        ("198.51.100.7:4711", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6:4711", "2001:0db8:0001:0002"),
        ("2001:db8:1:2::9:4711", "2001:0db8:0001:0002"),
        ("[2001:db8:1:2::9]:4711", "2001:0db8:0001:0002"),
        ("::ffff:198.51.100.7:4711", "198.51.100.7"),
        ("no address:4711", "no address"),
    ],
)
def test_rates_count_a_household_as_one(behind_cdn: Callers, viewer: str, network: str) -> None:
    assert behind_cdn.network(request(CloudFront_Viewer_Address=viewer)) == network
