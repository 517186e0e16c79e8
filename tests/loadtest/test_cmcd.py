"""What is sent is what the origin reads."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.cmcd import as_fields, as_query
from origin.cmcd.parse import read_request

PAYLOAD: dict[str, int | bool | str] = {
    "br": 3200,
    "bl": 4149,
    "bs": True,
    "cid": 'a "b"\\c',
    "d": 4004,
    "mtp": 25_449,
    "nor": "seg/2.m4s",
    "ot": "v",
    "sid": "6e2fb550-c457-11e9-bb97-0800200c9a66",
    "sta": "p",
    "su": False,
    "msd": 812,
}


def test_version_1_is_a_dictionary_of_plain_values() -> None:
    query = as_query(PAYLOAD, 1)
    assert query.startswith("CMCD=bl%3D4100%2Cbr%3D3200%2Cbs%2C")
    assert unquote(query) == (
        'CMCD=bl=4100,br=3200,bs,cid="a \\"b\\"\\\\c",d=4004,mtp=25400,nor="seg%2F2.m4s",ot=v,'
        'sid="6e2fb550-c457-11e9-bb97-0800200c9a66"'
    )


def test_version_2_has_lists_and_says_so() -> None:
    assert unquote(as_query(PAYLOAD, 2)) == (
        'CMCD=bl=(4100),br=(3200),bs,cid="a \\"b\\"\\\\c",d=4004,msd=812,mtp=(25400),'
        'nor=("seg/2.m4s"),ot=v,sid="6e2fb550-c457-11e9-bb97-0800200c9a66",sta=p,v=2'
    )


def test_keys_stand_in_the_field_of_their_group() -> None:
    assert as_fields(PAYLOAD, 1).split("\r\n") == [
        "CMCD-Object: br=3200,d=4004,ot=v",
        'CMCD-Request: bl=4100,mtp=25400,nor="seg%2F2.m4s"',
        'CMCD-Session: cid="a \\"b\\"\\\\c",sid="6e2fb550-c457-11e9-bb97-0800200c9a66"',
        "CMCD-Status: bs",
        "",
    ]
    assert "CMCD-Session: " in as_fields({}, 2)
    assert "v=2" in as_fields({}, 2)


@given(st.text(max_size=40))
@pytest.mark.parametrize("version", [1, 2])
def test_any_name_can_be_sent_and_the_rest_still_be_read(version: int, name: str) -> None:
    payload: dict[str, int | bool | str] = {"cid": name, "sid": "s", "sta": "p", "msd": 812}
    query = as_query(payload, version)
    assert query.isascii()
    report = read_request(unquote(query.removeprefix("CMCD=")))
    assert (report.sid, report.version) == ("s", version)
    assert report.startup == (0.812 if version == 2 else None)
    assert "\r" not in as_fields(payload, version).replace("\r\n", "")
    assert as_fields(payload, version).count("\n") == (2 if version == 2 else 1)


@pytest.mark.parametrize("version", [1, 2])
def test_the_origin_reads_what_a_viewer_sends(version: int) -> None:
    report = read_request(unquote(as_query(PAYLOAD, version).removeprefix("CMCD=")))
    assert report.sid == PAYLOAD["sid"]
    assert report.next == ("seg/2.m4s",)
    assert report.object_type == "v"
