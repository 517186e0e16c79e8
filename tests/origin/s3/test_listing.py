"""What is no listing of a bucket is an error, and not an empty library."""

from __future__ import annotations

import pytest

from origin.storage.s3.faults import Passing
from origin.storage.s3.listing import Listed, Page, query_of, read_page

SPACE = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
ONE = "<Contents><Key>a+b%2Fc</Key><ETag>&quot;e&quot;</ETag><Size>7</Size></Contents>"
MORE = "<IsTruncated>true</IsTruncated><NextContinuationToken>t/=</NextContinuationToken>"


def listing(inside: str, space: str = SPACE, name: str = "ListBucketResult") -> bytes:
    return f'<?xml version="1.0"?>\n<{name}{space}>{inside}</{name}>'.encode()


@pytest.mark.parametrize("space", [SPACE, ""])
def test_a_page(space: str) -> None:
    folder = "<CommonPrefixes><Prefix>d%C3%A9/</Prefix></CommonPrefixes>"
    inside = f"<EncodingType>url</EncodingType>{ONE}{folder}{MORE}"
    assert read_page("/", listing(inside, space)) == Page(
        [Listed("a b/c", 7, '"e"')], ["dé/"], "t/="
    )


def test_a_server_that_encodes_nothing_is_taken_at_its_word() -> None:
    assert read_page("/", listing(ONE)).objects == [Listed("a+b%2Fc", 7, '"e"')]


def test_an_empty_page() -> None:
    assert read_page("/", listing("<IsTruncated>false</IsTruncated>")) == Page([], [], None)


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<html>",
        b"<html></html>",
        listing("", name="ListAllMyBucketsResult"),
        listing(ONE)[:-5],
        listing(ONE.replace("7", "seven")),
        listing("<Contents><Size>7</Size></Contents>"),
        b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + listing("&a;"),
        listing(f"<EncodingType>url</EncodingType>{ONE}".replace("a+b", "%ff")),
    ],
)
def test_what_is_none(document: bytes) -> None:
    with pytest.raises(Passing, match="films/: no listing"):
        read_page("films/", document)


def test_what_is_asked_is_in_the_order_of_a_signature() -> None:
    assert query_of("a b", "/", "x", "t/=", 2) == (
        "continuation-token=t%2F%3D&delimiter=%2F&encoding-type=url&list-type=2&max-keys=2"
        "&prefix=a%20b"
    )
    assert query_of("", "", "x", None, 2) == (
        "encoding-type=url&list-type=2&max-keys=2&prefix=&start-after=x"
    )
