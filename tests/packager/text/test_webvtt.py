from __future__ import annotations

import pytest

from packager.errors import BadText
from packager.model import Cue
from packager.text.webvtt import read_webvtt

FIRST = "00:01.000 --> 00:02.000\nFirst\n"
FIRST_CUE = Cue(1000, 2000, "First")


def cues(text: str) -> tuple[Cue, ...]:
    return read_webvtt(text.encode()).cues


@pytest.mark.parametrize(
    "data",
    [
        b"WEBVTT\n\n00:01.000 --> 00:02.000\nFirst\n",
        b"WEBVTT\r\n\r\n00:01.000 --> 00:02.000\r\nFirst\r\n",
        b"WEBVTT\r\r00:01.000 --> 00:02.000\rFirst",
        b"\xef\xbb\xbfWEBVTT\n\n00:01.000 --> 00:02.000\nFirst",
        "\ufeffWEBVTT\n\n00:01.000 --> 00:02.000\nFirst".encode("utf-16-le"),
        "\ufeffWEBVTT\n\n00:01.000 --> 00:02.000\nFirst".encode("utf-16-be"),
        b"WEBVTT - a title\nKind: captions\nLanguage: en\n\n00:01.000 --> 00:02.000\nFirst",
        b"WEBVTT\tX\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n\n00:01.000 --> 00:02.000\nFirst",
        b"WEBVTT\n00:01.000 --> 00:02.000\nFirst",  # nothing sets the header apart
        b"WEBVTT\n\n\n\n7\n00:01.000 --> 00:02.000\nFirst",
        b"WEBVTT\n\nNOTE\nnot\nshown\n\nNOTE nor this\n\n0:00:01.000-->000:00:02.000\nFirst",
        b"WEBVTT\n\n \t00:01.000\t-->  00:02.000 \nFirst  \n   \n",
    ],
)
def test_reads_the_same_cue_however_it_is_written(data: bytes) -> None:
    assert read_webvtt(data).cues == (FIRST_CUE,)


def test_hours_may_have_many_digits() -> None:
    assert cues("WEBVTT\n\n100:00:00.000 --> 101:59:59.999\nLate")[0] == Cue(
        360_000_000, 367_199_999, "Late"
    )


@pytest.mark.parametrize(
    "timing",
    [
        "00:01.000 -> 00:02.000",  # not even an arrow: the block is passed over
        "00:01.000 --> ",
        "00:01,000 --> 00:02,000",
        "00:61.000 --> 01:02.000",
        "75:00.000 --> 76:00.000",
        "1:00.000 --> 2:00.000",
        "00:01.00 --> 00:02.00",
        "00:01.0000 --> 00:02.000",
        "-00:01.000 --> 00:02.000",
        "\u0660\u0660:01.000 --> 00:02.000",  # digits, but not ASCII
        "9999999999:00:01.000 --> 9999999999:00:02.000",
    ],
)
def test_a_cue_with_broken_times_is_passed_over(timing: str) -> None:
    document = read_webvtt(f"WEBVTT\n\n{FIRST}\n{timing}\nBroken\nto its end\n".encode())
    assert document.cues == (FIRST_CUE,)
    assert document.skipped == ((6,) if "-->" in timing else ())


def test_settings_are_kept_and_nonsense_is_not() -> None:
    line = (
        "00:01.000 --> 00:02.000 line:0 \tposition:60%,end nonsense foo:bar align:start line:a-->b"
    )
    assert cues(f"WEBVTT\n\n{line}\nFirst")[0].settings == "line:0 position:60%,end align:start"


def test_markup_stays_as_it_is_written() -> None:
    payload = "<v Ann>Tom &amp; <i>Jerry</i>\n<00:00:01.500>&lt;3"
    assert cues(f"WEBVTT\n\n00:01.000 --> 00:02.000\n{payload}\n")[0].payload == payload


def test_an_arrow_ends_a_cue_where_no_blank_line_does() -> None:
    text = f"WEBVTT\n\n{FIRST}00:03.000 --> 00:04.000\nSecond"
    assert cues(text) == (FIRST_CUE, Cue(3000, 4000, "Second"))


def test_styles_and_regions_are_kept_up_to_the_first_cue() -> None:
    style = "STYLE\n::cue { color: red }"
    region = "REGION \nid:a\nwidth:40%"
    document = read_webvtt(
        f"WEBVTT\n\n{style}  \n\n{region}\n\nSTYLE\n\nSTYLES\nno\n\n{FIRST}\n{style}\n".encode()
    )
    assert document.header == f"{style}\n\n{region.replace(' ', '')}"
    assert document.cues == (FIRST_CUE,)


def test_cues_come_in_order_of_start_and_may_overlap() -> None:
    spans = {
        "C": "00:03.000 --> 00:09.000",
        "A": "00:01.000 --> 00:05.000",
        "B": "00:01.000 --> 00:02.000",
    }
    blocks = [f"{span}\n{payload}" for payload, span in spans.items()]
    assert [cue.payload for cue in cues("\n\n".join(("WEBVTT", *blocks)))] == ["A", "B", "C"]


@pytest.mark.parametrize(
    "cue", ["00:01.000 --> 00:02.000\n", "00:02.000 --> 00:01.000\nX", "00:01.000 --> 00:01.000\nX"]
)
def test_what_never_shows_is_dropped(cue: str) -> None:
    document = read_webvtt(f"WEBVTT\n\n{cue}\n".encode())
    assert (document.cues, document.skipped) == ((), ())


def test_a_file_without_cues_is_a_file() -> None:
    assert cues("WEBVTT") == ()


def test_nul_is_replaced() -> None:
    assert cues("WEBVTT\n\n00:01.000 --> 00:02.000\na\0b")[0].payload == "a\ufffdb"


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"", 1),
        (b"webvtt\n\n", 1),
        (b"WEBVTTX\n", 1),
        (b"1\n00:00:01,000 --> 00:00:02,000\nSubRip", 1),
        (b"WEBVTT\r\n\r\n00:01.000 --> 00:02.000\r\nCaf\xe9", 4),
        ("\ufeffWEBVTT\n\n".encode("utf-16-le") + b"x", 3),
        (b"WEBVTT\n\nNOTE\n\n1\n0 --> 1\nOnly this", 6),
    ],
)
def test_says_where_a_file_cannot_be_read(data: bytes, line: int) -> None:
    with pytest.raises(BadText) as caught:
        read_webvtt(data)
    assert caught.value.line == line
