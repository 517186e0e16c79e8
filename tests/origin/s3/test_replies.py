from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.errors import Archived, ObjectChanged, StorageError
from origin.storage.s3.connection import Head
from origin.storage.s3.faults import Missing, NotAccepted, Passing, Reason, Refusal
from origin.storage.s3.replies import ObjectInfo, Wanted, check, is_etag, refusal, refusal_of

ETAG = '"0123-4"'


def head(status: int = 206, length: int | None = 5, **fields: str) -> Head:
    lines = [f"HTTP/1.1 {status} Whatever"]
    lines.append("Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return Head(("\r\n".join(lines) + "\r\n\r\n").encode())


def wanted(start: int = 10, stop: int = 15, version: str = ETAG, **more: bool) -> Wanted:
    return Wanted("film", start, stop, version, **more)


def test_a_good_reply() -> None:
    good = head(content_range="bytes 10-14/100", etag=ETAG)
    assert check(good, wanted()) == ObjectInfo(100, ETAG, None)


def test_versions() -> None:
    def reply(**version: str) -> Head:
        return head(206, 5, content_range="bytes 10-14/100", etag=ETAG, **version)

    assert check(reply(x_amz_version_id="null"), wanted()).version_id is None
    versioned = reply(x_amz_version_id="v.1")
    for version in ("", "v.1", ETAG):
        assert check(versioned, wanted(version=version)) == ObjectInfo(100, ETAG, "v.1")
    for version in ("v.2", '"other"', "null"):
        with pytest.raises(ObjectChanged):
            check(versioned, wanted(version=version))
    with pytest.raises(ObjectChanged):
        check(reply(), wanted(version="v.1"))  # a server that knows no versions


@pytest.mark.parametrize(
    "reply",
    [
        head(etag=ETAG),
        head(content_range="bytes 10-14/100"),
        head(content_range="bytes 10-14/100", etag='W/"0123-4"'),
        head(content_range="bytes 10-14/100", etag="0123-4"),
        head(content_range="bytes 9-13/100", etag=ETAG),
        head(content_range="bytes 10-15/100", etag=ETAG),
        head(content_range="bytes 10-14/*", etag=ETAG),
        head(content_range="items 10-14/100", etag=ETAG),
        head(content_range="bytes 10-14/100, bytes 10-14/100", etag=ETAG),
        head(content_range="bytes 10-14/100", etag=ETAG, length=4),
        head(content_range="bytes 10-14/100", etag=ETAG, length=None),
        head(200, etag=ETAG),
        head(200, etag=ETAG, length=100),
        head(200, etag=ETAG, length=None),
    ],
)
def test_a_reply_to_something_else(reply: Head) -> None:
    with pytest.raises(Passing) as failed:
        check(reply, wanted())
    assert failed.value.reason is Reason.BAD_REPLY


def test_the_beginning_of_an_object_of_any_size() -> None:
    peek = wanted(0, 50, "", open_ended=True)
    assert check(head(content_range="bytes 0-4/5", etag=ETAG), peek).size == 5
    assert check(head(200, etag=ETAG), peek).size == 5
    assert check(head(content_range="bytes 0-49/99", etag=ETAG, length=50), peek).size == 99
    for wrong in ("bytes 0-3/5", "bytes 1-5/6"):
        with pytest.raises(Passing):
            check(head(content_range=wrong, etag=ETAG), peek)
    with pytest.raises(Passing):
        check(head(200, etag=ETAG, length=51), peek)
    peek.hold(ObjectInfo(5, ETAG, None))
    assert (peek.version, peek.stop, peek.open_ended) == (ETAG, 5, False)


def test_a_get_is_held_to_the_first_version_it_meets() -> None:
    get = wanted(version="")
    get.hold(ObjectInfo(100, ETAG, "v.1"))
    get.hold(ObjectInfo(100, ETAG, "v.2"))
    assert get.version == "v.1"


@pytest.mark.parametrize(
    ("status", "code", "kind", "told"),
    [
        (404, "NoSuchKey", Missing, "film is gone"),
        (404, "NoSuchVersion", Missing, "film is gone"),
        (404, "", Missing, "film is gone"),
        (412, "PreconditionFailed", ObjectChanged, "film has changed"),
        (416, "InvalidRange", ObjectChanged, "film has changed"),
        (404, "NoSuchBucket", Refusal, "film: the storage says 404 NoSuchBucket"),
        (403, "InvalidObjectState", Archived, "film is archived"),
        (403, "AccessDenied", Refusal, "film: the storage says 403 AccessDenied"),
        (403, "", Refusal, "film: the storage says 403"),
        (304, "", Refusal, "film: the storage says 304"),
        (403, "InvalidAccessKeyId", NotAccepted, "InvalidAccessKeyId"),
        (400, "ExpiredToken", NotAccepted, "ExpiredToken"),
    ],
)
def test_what_an_error_means(status: int, code: str, kind: type[StorageError], told: str) -> None:
    error = refusal("film", status, code)
    assert type(error) is kind
    assert told in str(error)


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (503, "SlowDown", Reason.BUSY),
        (503, "", Reason.BUSY),
        (429, "", Reason.BUSY),
        (400, "RequestTimeout", Reason.SERVER),
        (500, "InternalError", Reason.SERVER),
        (502, "", Reason.SERVER),
    ],
)
def test_what_passes(status: int, code: str, reason: Reason) -> None:
    error = refusal("film", status, code)
    assert isinstance(error, Passing)
    assert error.reason is reason


def test_what_is_told_is_not_all_that_s3_says() -> None:
    body = (
        b"<Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>AKIDEXAMPLE</AWSAccessKeyId>"
        b"<StringToSign>AWS4-HMAC-SHA256 0123</StringToSign></Error>"
    )
    error = refusal_of("film", head(403), body, "us-east-1", 0)
    said = "film: the storage says 403 SignatureDoesNotMatch (the secret key is wrong)"
    assert str(error) == said


@pytest.mark.parametrize(
    ("reply", "body"),
    [
        (head(301, x_amz_bucket_region="eu-west-3"), b"<Code>PermanentRedirect</Code>"),
        (
            head(400),
            b"<Code>AuthorizationHeaderMalformed</Code><Message/><Region>eu-west-3</Region>",
        ),
    ],
)
def test_a_wrong_region_is_told(reply: Head, body: bytes) -> None:
    error = refusal_of("film", reply, body, "us-east-1", 0)
    assert "the bucket is in eu-west-3, not in us-east-1" in str(error)


@pytest.mark.parametrize(
    ("date", "told"),
    [
        ("Thu, 01 Jan 1970 00:50:00 GMT", "our clock is 2000 s slow"),
        ("Thu, 01 Jan 1970 00:00:00 GMT", "our clock is 1000 s fast"),
        ("yesterday", "our clock is wrong"),
    ],
)
def test_a_wrong_clock_is_told(date: str, told: str) -> None:
    body = b"<Code>RequestTimeTooSkewed</Code>"
    assert told in str(refusal_of("film", head(403, date=date), body, "us-east-1", 1000))


@given(st.binary(max_size=200), st.sampled_from([301, 400, 403, 404, 409, 418, 500, 503]))
def test_any_body_of_an_error_is_an_error(body: bytes, status: int) -> None:
    assert isinstance(refusal_of("film", head(status), body, "us-east-1", 0), StorageError)


@pytest.mark.parametrize("version", ['""', '"a"', '"0123456789abcdef-12"'])
def test_what_is_an_etag(version: str) -> None:
    assert is_etag(version)


@pytest.mark.parametrize("version", ["", "a", '"', '"a', '"a"b"', 'W/"a"', '"a\r\n"', '"a b"'])
def test_what_is_none(version: str) -> None:
    assert not is_etag(version)
