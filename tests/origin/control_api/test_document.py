"""The document says what the API does: schemathesis asks as it says, and also as it does not, and
each answer is one that is in it. What is asked is the same in each run."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
import schemathesis
from aiohttp import web
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy
from schemathesis import Case, Config, GenerationMode

from catalog.postgres.records import TitleDraft
from origin.control.api import accounts, playbacks
from origin.control.api.document import document
from origin.control.api.operations import OPERATIONS, Operation
from origin.control.app import control_app
from origin.sessions import Rate
from tests.origin.control_api.conftest import PASSWORD, Api, Someone

EXAMPLES = 5
POSITIVE, NEGATIVE = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
ALL = {operation.name: operation for group in OPERATIONS.values() for operation in group}

ACCEPTED = ("2xx", "401", "403", "404", "409", "410", "429", "503")
"""What may become of what is asked as the document says; 422 is not among it."""
CONFIG = Config.from_dict(
    {
        "generation": {"with-security-parameters": False},
        "checks": {
            "not_a_server_error": {"enabled": False},  # 503 is in the document, and 500 is not
            "positive_data_acceptance": {"expected-statuses": [*ACCEPTED]},
            "negative_data_rejection": {"expected-statuses": ["4xx", "503"]},
            "ignored_auth": {"enabled": False},  # nobody is among those who ask
        },
    }
)
WITHOUT_SUCCESS = {
    "restoreTitle",  # nothing of the tests' library is in an archive
    "signIn",  # nobody has an address that was made up
}
SUCCESS = {200, 201, 204}
PAGE = Path(__file__).parents[3] / "docs" / "api.md"


@dataclass(frozen=True)
class Met:
    """The answers to one operation: their statuses, and what was wrong with them."""

    statuses: set[int]
    problems: list[str]


def closed(schema: Any) -> Any:
    """An object has what the document says and nothing else, so that no answer tells more."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    parts = {name: closed(part) for name, part in schema.items()}
    if parts.get("type") == "object" and "required" in parts:
        parts.setdefault("additionalProperties", False)
    return parts


def narrowed(known: Mapping[str, list[Any]]) -> dict[str, Any]:
    """The document, but that what ``known`` names is one of those that there are."""
    told: dict[str, Any] = orjson.loads(orjson.dumps(document()))
    told["components"]["schemas"] = closed(told["components"]["schemas"])
    bodies = [told["components"]["schemas"][one.body] for one in ALL.values() if one.body]
    for body in bodies:
        for name in body["properties"].keys() & known.keys():
            body["properties"][name] = {"enum": known[name]}
    for operations in told["paths"].values():
        for operation in operations.values():
            for parameter in operation["parameters"]:
                if parameter["name"] in known:
                    parameter["schema"] = {"type": "string", "enum": known[parameter["name"]]}
    return told


async def known_to(api: Api, someone: Someone, title: str) -> dict[str, list[Any]]:
    """What there is, to be asked for by its name; ``someone`` plays the title."""
    start = {"title": "city", "profile": someone.profile.id, "device": "TV"}
    played = await api.post("/api/playback", start, login=someone.login)
    while played.status == 503:  # Redis was too slow, as a busy machine is
        played = await api.post("/api/playback", start, login=someone.login)
    return {
        "title": [title],
        "profile": [someone.profile.id],
        "account": [(await api.person()).account.id],
        "session": [played.json["session"]],
        "device": ["TV"],
        "picture": ["poster"],
        "position": [0.0, 3.5, 16.0],
        "cursor": ["city"],
        "q": ["city", "luces", "zzz"],
        "current": [PASSWORD],
        "password": ["a lamp in the attic", PASSWORD],
        "new": ["a lamp in the attic"],
        "plan": ["standard"],
        "series": [None],
        "kind": ["movie", "series"],
        "windows": [[], [{"opens": "2026-01-01T00:00:00Z", "countries": ["ES"]}]],
    }


async def meet(
    api: Api,
    operation: Operation,
    login: str | None,
    known: Mapping[str, list[Any]],
    *,
    wrongly: bool = True,
) -> Met:
    """Asked as the document says, of what there is; and ``wrongly``, as it does not say."""
    met = Met(set(), [])
    headers = {"Authorization": f"Bearer {login}"} if login else {}
    await asyncio.to_thread(_ask, _cases(operation, known, POSITIVE), met, api.address, headers)
    if wrongly and (operation.named or operation.needs or operation.takes or operation.body):
        whose = {"profile": known["profile"]} if "profile" in operation.needs else {}
        cases = _cases(operation, whose, NEGATIVE)
        await asyncio.to_thread(_ask, cases, met, api.address, headers)
    return met


def _cases(
    operation: Operation, known: Mapping[str, list[Any]], mode: GenerationMode
) -> SearchStrategy[Case[Any]]:
    told = schemathesis.openapi.from_dict(narrowed(known), config=CONFIG)
    return told[operation.path][operation.method].as_strategy(generation_mode=mode)


def _ask(cases: SearchStrategy[Case[Any]], met: Met, address: str, headers: dict[str, str]) -> None:
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def ask(case: Case[Any]) -> None:
        try:
            answer = case.call_and_validate(base_url=address, headers=headers)
        except BaseExceptionGroup as group:
            sent = case.as_curl_command()
            met.problems.extend(
                f"{case.operation.label}: {one}\n{sent}" for one in group.exceptions
            )
        else:
            met.statuses.add(answer.status_code)

    ask()


async def test_nobody_may_what_takes_a_login(api: Api) -> None:
    known = await known_to(api, await api.person(), "city")
    problems = []
    for operation in ALL.values():
        is_open = operation.by == "anybody"
        met = await meet(api, operation, None, known, wrongly=is_open)
        problems += met.problems
        if not is_open:
            assert met.statuses == {401}, operation.at
        elif operation.name not in WITHOUT_SUCCESS:
            assert met.statuses & SUCCESS, operation.at
    assert problems == []


async def test_a_viewer_is_answered_as_the_document_says(api: Api) -> None:
    problems = []
    for operation in ALL.values():
        if operation.by == "anybody":
            continue
        is_open = operation.by != "admin"
        someone = await api.person()
        known = await known_to(api, someone, "city")
        met = await meet(api, operation, someone.login, known, wrongly=is_open)
        problems += met.problems
        if not is_open:
            assert met.statuses - {503} == {403}, operation.at
        else:
            assert met.statuses & SUCCESS, operation.at
    assert problems == []


async def test_an_administrator_is_answered_as_the_document_says(api: Api) -> None:
    problems = []
    for operation in ALL.values():
        if operation.by != "admin":
            continue
        title = f"a-{operation.name}"
        await api.database.titles.put(TitleDraft(title))
        someone = await api.person("admin")
        met = await meet(api, operation, someone.login, await known_to(api, someone, title))
        problems += met.problems
        if operation.name not in WITHOUT_SUCCESS:
            assert met.statuses & SUCCESS, operation.at
    assert problems == []


@pytest.fixture
def apps(monkeypatch: pytest.MonkeyPatch) -> list[web.Application]:
    """Those that are made from now on."""
    made: list[web.Application] = []

    def make(*parts: Any) -> web.Application:
        made.append(control_app(*parts))
        return made[-1]

    monkeypatch.setattr("origin.app.control_app", make)
    return made


async def test_each_route_is_in_the_document_and_each_operation_is_a_route(
    apps: list[web.Application], api: Api
) -> None:
    [app] = apps
    routes = {
        f"{route.method} {_unnamed(route.resource.canonical)}"
        for route in app.router.routes()
        if route.resource is not None and route.resource.canonical.startswith("/api/")
    }
    answer = await api.get("/api/openapi.json")
    told = {
        f"{method.upper()} {_unnamed(path)}"
        for path, operations in answer.json["paths"].items()
        for method in operations
    }
    assert told == {route for route in routes if not route.startswith("HEAD ")}


def _unnamed(path: str) -> str:
    return re.sub(r"{\w+}", "{}", path)


def test_it_is_what_openapi_says_a_document_is() -> None:
    schemathesis.openapi.from_dict(document()).validate()


async def test_it_is_sent_again_only_if_it_is_another(api: Api) -> None:
    first = await api.get("/api/openapi.json")
    assert first.status == 200
    assert first.headers["content-type"] == "application/json"
    held = {"If-None-Match": first.headers["etag"]}
    assert (await api.get("/api/openapi.json", headers=held)).status == 304
    other = {"If-None-Match": '"another"'}
    assert (await api.get("/api/openapi.json", headers=other)).json == first.json


def test_the_page_lists_each_operation_and_each_rate() -> None:
    page = PAGE.read_text(encoding="utf-8")
    operations = "".join(f"| `{one.at}` | {one.summary} |\n" for one in ALL.values())
    assert operations in page
    rates = re.findall(r"^\|[^|]+\|[^|]+\| (\d+) \| ([0-9.]+) \|$", page, re.MULTILINE)
    known = (
        accounts.SIGN_UPS,
        accounts.SIGN_INS,
        accounts.SIGN_INS_OF_NETWORK,
        accounts.SIGN_INS,
        playbacks.BEATS,
    )
    assert [Rate(int(times), float(minutes) * 60) for times, minutes in rates] == list(known)
