from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from hypothesis import given
from hypothesis import strategies as st

from origin.storage.s3.sigv4 import Credentials, encode_path, encode_query, sign

EXAMPLE = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
HOST = "examplebucket.s3.amazonaws.com"
THEN = datetime(2013, 5, 24, tzinfo=UTC).timestamp()

keys = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
words = st.text("abc+/=", min_size=1, max_size=30)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=10)


def signature(fields: dict[str, str]) -> str:
    return fields["authorization"].rpartition("Signature=")[2]


@pytest.mark.parametrize(
    ("path", "query", "headers", "expected"),
    [
        (
            "test.txt",
            [],
            {"range": "bytes=0-9"},
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            "",
            [("lifecycle", "")],
            {},
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        ),
        (
            "",
            [("prefix", "J"), ("max-keys", "2")],
            {},
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ],
)
def test_the_examples_of_amazons_manual(
    path: str, query: list[tuple[str, str]], headers: dict[str, str], expected: str
) -> None:
    fields = {"host": HOST, **headers}
    signed = sign(EXAMPLE, "us-east-1", f"/{encode_path(path)}", encode_query(query), fields, THEN)
    assert signature(signed) == expected


@given(
    key=keys,
    query=st.lists(st.tuples(names, names), max_size=3, unique_by=lambda pair: pair[0]),
    secret=words,
    token=st.none() | words,
    region=st.sampled_from(["us-east-1", "eu-central-1", "auto"]),
    at=st.integers(0, 4_000_000_000),
)
def test_botocore_signs_the_same(
    key: str,
    query: list[tuple[str, str]],
    secret: str,
    token: str | None,
    region: str,
    at: int,
) -> None:
    credentials = Credentials("AKID", secret, token)
    path, line = f"/bucket/{encode_path(key)}", encode_query(query)
    fields = {"host": HOST, "range": "bytes=5-9", "if-match": '"a1"'}
    signed = sign(credentials, region, path, line, fields, at)

    theirs = AWSRequest("GET", f"https://{HOST}{path}" + (f"?{line}" if line else ""), fields)
    theirs.headers["x-amz-content-sha256"] = signed["x-amz-content-sha256"]
    theirs.headers["x-amz-date"] = signed["x-amz-date"]
    if token is not None:
        theirs.headers["x-amz-security-token"] = token
    theirs.context["timestamp"] = signed["x-amz-date"]
    auth = S3SigV4Auth(ReadOnlyCredentials("AKID", secret, token), "s3", region)
    wanted = auth.string_to_sign(theirs, auth.canonical_request(theirs))
    assert signature(signed) == auth.signature(wanted, theirs)
    assert f"/{region}/s3/aws4_request" in signed["authorization"]


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("a/b c+d.mp4", "a/b%20c%2Bd.mp4"),
        ("100%25", "100%2525"),
        ("~tilde_-.", "~tilde_-."),
        ("ü/\u2603", "%C3%BC/%E2%98%83"),
        ("a//b/../c", "a//b/../c"),
        ("?&=#;:@!$'()*,", "%3F%26%3D%23%3B%3A%40%21%24%27%28%29%2A%2C"),
        ("line\nbreak\x00", "line%0Abreak%00"),
    ],
)
def test_a_key_is_encoded_once(key: str, path: str) -> None:
    assert encode_path(key) == path


@given(keys)
def test_a_path_is_what_a_key_is_read_from(key: str) -> None:
    assert encode_path(key) == quote(key, safe="/-_.~")


def test_yesterdays_key_does_not_sign_today() -> None:
    fields = {"host": HOST}
    first = sign(EXAMPLE, "us-east-1", "/", "", fields, THEN)
    second = sign(EXAMPLE, "us-east-1", "/", "", fields, THEN + 86_400)
    again = sign(EXAMPLE, "us-east-1", "/", "", fields, THEN)
    assert signature(first) == signature(again) != signature(second)


def test_credentials_do_not_show_what_they_are() -> None:
    secret = Credentials("AKIDEXAMPLE", "the secret", "the token")
    shown = f"{secret} {secret!r}"
    assert "secret" not in shown.replace("Credentials", "")
    assert "token" not in shown
    assert "AKIDEXAMPLE" not in shown
