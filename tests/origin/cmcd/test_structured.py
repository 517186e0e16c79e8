"""Structured fields: what is written is read again, and what is none is refused with its place."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.cmcd.structured import MOST_ITEMS, MOST_MEMBERS, Bare, Item, Value, read_dictionary
from origin.errors import BadReport

KEYS = st.from_regex(r"[A-Za-z*][A-Za-z0-9_.*-]{0,20}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=30)
BARE = st.one_of(
    st.integers(-(10**15) + 1, 10**15 - 1),
    st.decimals(-(10**11), 10**11, places=3).map(float),
    TEXTS,
    st.booleans(),
    st.binary(max_size=20),
)
PARAMETERS = st.dictionaries(KEYS, BARE, min_size=1, max_size=4)
ITEMS = st.one_of(BARE, st.builds(Item, BARE, PARAMETERS))
LISTS = st.lists(ITEMS, max_size=5)
VALUES = st.one_of(ITEMS, LISTS, st.builds(Item, LISTS, PARAMETERS))


def written(value: Value) -> str:
    match value:
        case Item():
            return written(value.value) + "".join(
                f";{key}={written(bare)}" for key, bare in value.parameters.items()
            )
        case list():
            return f"({' '.join(map(written, value))})"
        case bool():
            return f"?{int(value)}"
        case str():
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
            return f'"{escaped}"'
        case bytes():
            return f":{b64encode(value).decode()}:"
        case float():
            return f"{value:.3f}"
    return str(value)


@given(st.dictionaries(KEYS, VALUES, max_size=10))
def test_what_is_written_is_read(values: dict[str, Value]) -> None:
    text = ", ".join(f"{key}={written(value)}" for key, value in values.items())
    assert read_dictionary(text) == values


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("su", {"su": True}),
        ("a=1,b=?0,a=2", {"a": 2, "b": False}),
        ('ot=av , sid="x\\"y\\\\z"', {"ot": "av", "sid": 'x"y\\z'}),
        ("a;b;c=2", {"a": Item(True, {"b": True, "c": 2})}),
        ("a=()", {"a": []}),
        ("a=( 1  2 )", {"a": [1, 2]}),
        ("a=(1 2);p", {"a": Item([1, 2], {"p": True})}),
        ("t=@1700000000", {"t": 1_700_000_000}),
        ("com.Example-X=1.5", {"com.Example-X": 1.5}),
    ],
)
def test_forms(text: str, values: dict[str, Bare]) -> None:
    assert read_dictionary(text) == values


@pytest.mark.parametrize(
    "text",
    [
        ",",
        "a=",
        "a,",
        "a,,b",
        "a b",
        "1=a",
        "a=(1",
        "a=(1,2)",
        "a=(1(2))",
        'a="',
        'a="\\x"',
        'a="\n"',
        "a=1.",
        "a=1.2345",
        "a=1234567890123456",
        "a=?2",
        "a=:!:",
        "a=:YQ",
        "a=1;",
        "a=NaN?",
        "a=-",
        "a=--1",
        "é=1",
        "a=1\x00",
    ],
)
def test_what_is_no_dictionary_is_refused(text: str) -> None:
    with pytest.raises(BadReport, match="character"):
        read_dictionary(text)


def test_much_of_anything_is_refused() -> None:
    for text, what in (
        (",".join(f"k{n}" for n in range(MOST_MEMBERS + 1)), "keys"),
        (f"a=({'1 ' * (MOST_ITEMS + 1)})", "items"),
        ("a" + "".join(f";p{n}" for n in range(MOST_ITEMS + 1)), "parameters"),
    ):
        with pytest.raises(BadReport, match=what):
            read_dictionary(text)
