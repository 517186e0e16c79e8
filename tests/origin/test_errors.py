from __future__ import annotations

import orjson
import pytest

from catalog.unlisted import Unlisted
from origin.errors import (
    STATUS,
    Elsewhere,
    Invalid,
    ObjectChanged,
    StorageError,
    TooMany,
    TooManyStreams,
    Unauthenticated,
    UnknownTitle,
    WeakPassword,
    describe,
)
from origin.problem import Problem
from packager.errors import BadMedia, BadText, NotFound, PackagerError

MADE = {
    Elsewhere: Elsewhere(307, "/sorry"),
    Invalid: Invalid("email", "not an e-mail address"),
    TooMany: TooMany(7),
    TooManyStreams: TooManyStreams(()),
    WeakPassword: WeakPassword("password", "too easy to guess"),
}
"""Errors that are made of more than their message."""


@pytest.mark.parametrize("kind", STATUS)
def test_every_row_is_answered_as_it_says(kind: type[Exception]) -> None:
    error = MADE.get(kind) or kind("what happened")
    problem, row = describe(error), STATUS[kind]
    assert problem.status == row.status
    assert problem.cache_control == row.cache_control
    assert problem.retry_after == (7 if kind is TooMany else row.retry_after)
    assert (problem.code, problem.detail) == (error.code, str(error))  # type: ignore[attr-defined]


def test_an_answer_has_the_fields_that_its_error_brings() -> None:
    assert describe(Elsewhere(302, "https://x.example/")).status == 302
    assert describe(Elsewhere(302, "/x")).fields == (("Location", "/x"),)
    assert describe(Unauthenticated("who?")).fields == (("WWW-Authenticate", "Bearer"),)


def test_a_body_has_the_members_that_its_error_brings() -> None:
    assert orjson.loads(describe(Invalid("email", "none")).body())["field"] == "email"


@pytest.mark.parametrize("kind", STATUS)
def test_only_faults_that_last_are_stored(kind: type[Exception]) -> None:
    """A refusal is one viewer's: at the same path the next may be let in."""
    row = STATUS[kind]
    lasts = issubclass(kind, PackagerError | Unlisted)
    assert ("no-store" in row.cache_control) is not lasts
    assert (row.retry_after is not None) is (row.status in (429, 503) and kind is not TooMany)


def test_an_error_is_its_nearest_rows() -> None:
    class Newer(BadMedia):
        code = "newer"

    assert describe(Newer("x", box="moov", offset=8)) == Problem(
        422, "newer", "x in box 'moov' at byte 8", "public, max-age=5"
    )
    assert describe(UnknownTitle("x")).cache_control != describe(NotFound("x")).cache_control
    assert describe(ObjectChanged("x")).code != describe(StorageError("x")).code


def test_a_defect_is_logged_and_not_told(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise KeyError("secret")
    except KeyError as error:
        problem = describe(error)
    assert (problem.status, problem.code, problem.cache_control) == (
        500,
        "internal-error",
        "no-store",
    )
    assert "secret" not in problem.detail
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert "KeyError: 'secret'" in caplog.text


def test_an_error_of_the_table_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    describe(BadText("no cue", line=3))
    assert caplog.records == []


def test_a_body_is_problem_details() -> None:
    assert orjson.loads(Problem(404, "not-found", "no “Ünï”").body()) == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "code": "not-found",
        "detail": "no “Ünï”",
    }


def test_a_file_name_that_is_no_text_is_shown_as_its_bytes() -> None:
    problem = describe(PackagerError("title/\udcff.mp4 “é” is broken"))
    assert orjson.loads(problem.body())["detail"] == r"title/\udcff.mp4 “é” is broken"
