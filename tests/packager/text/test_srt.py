from __future__ import annotations

import pytest

from packager.errors import BadText
from packager.model import Cue
from packager.text.srt import read_srt

FIRST = "1\n00:00:01,000 --> 00:00:02,000\nFirst\n"
FIRST_CUE = Cue(1000, 2000, "First")


def cues(text: str) -> tuple[Cue, ...]:
    return read_srt(text.encode()).cues


def payload(text: str) -> str:
    return cues(f"1\n00:00:01,000 --> 00:00:02,000\n{text}\n")[0].payload


@pytest.mark.parametrize(
    "data",
    [
        FIRST.encode(),
        FIRST.replace("\n", "\r\n").encode(),
        FIRST.replace("\n", "\r").encode(),
        f"\ufeff{FIRST}".encode(),
        f"\ufeff{FIRST}".encode("utf-16-le"),
        f"\ufeff{FIRST}".encode("utf-16-be"),
        b"\n\n1\n00:00:01,000 --> 00:00:02,000  X1:40 X2:600 Y1:20 Y2:50\nFirst\n\n\n",
        b"00:00:01,000 --> 00:00:02,000\nFirst",  # no counter
        b"1\n\n00:00:01,000 --> 00:00:02,000\nFirst",  # the counter by itself
        b"1\n00:00:01.000-->00:00:02.000\nFirst",
        b"1\n0:0:1,000 --> 0:0:2,000\nFirst",
        b"1\n00:01 --> 00:02\nFirst",
        b" 1 \n 00:00:01,000 --> 00:00:02,000 \nFirst \n \n",
    ],
)
def test_reads_the_same_cue_however_it_is_written(data: bytes) -> None:
    assert read_srt(data).cues == (FIRST_CUE,)


def test_bytes_that_are_not_utf_8_are_windows_1252() -> None:
    data = FIRST.replace("First", "Café €5").encode("cp1252")
    assert read_srt(data).cues[0].payload == "Café €5"


def test_cues_without_a_blank_line_between() -> None:
    text = FIRST + "2\n00:00:03,000 --> 00:00:04,000\nSecond\n00:00:05,000 --> 00:00:06,000\nThird"
    assert [cue.payload for cue in cues(text)] == ["First", "Second", "Third"]


def test_numbers_and_arrows_can_be_text() -> None:
    assert payload("1984\n-->\n2") == "1984\n--&gt;\n2"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<i>slanted</i> <B>bold</B> <u>line</u>", "<i>slanted</i> <b>bold</b> <u>line</u>"),
        ('<font color="#ff0000">red</font>', "red"),
        ("{\\an8}up {\\pos(1,2)}there", "up there"),
        ("Tom & Jerry <3 {smile}", "Tom &amp; Jerry &lt;3 {smile}"),
        ("<script>", "&lt;script&gt;"),
        ("00:00:01 --> x", "00:00:01 --&gt; x"),
        ("<font>\nsecond<font>", "second"),
        ("&amp;", "&amp;amp;"),
    ],
)
def test_text_is_escaped_and_known_markup_is_not(text: str, shown: str) -> None:
    assert payload(text) == shown


@pytest.mark.parametrize(
    ("position", "settings"),
    [
        (1, "align:left"),
        (2, ""),
        (3, "align:right"),
        (4, "line:50% align:left"),
        (5, "line:50%"),
        (6, "line:50% align:right"),
        (7, "line:0 align:left"),
        (8, "line:0"),
        (9, "line:0 align:right"),
    ],
)
def test_keypad_positions(position: int, settings: str) -> None:
    assert cues(FIRST.replace("First", f"{{\\an{position}}}First"))[0].settings == settings


@pytest.mark.parametrize(
    "timing",
    [
        "00:00:03,4560 --> 00:00:04,000",
        "00:00:03,45 --> 00:00:04,000",
        "00:00:03,456 -> 00:00:04,000",
        "00:60:03,456 --> 00:61:04,000",
        "00:00:03,456 --> 00:00:04,000trailing",
        "0000000000:00:03,456 --> 00:00:04,000",
    ],
)
def test_a_cue_with_broken_times_is_passed_over(timing: str) -> None:
    document = read_srt(
        f"{FIRST}\n2\n{timing}\nBroken\n\n3\n00:09,000 --> 00:10,000\nLast".encode()
    )
    assert [cue.payload for cue in document.cues] == ["First", "Last"]
    assert document.skipped == (6,)


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"", 1),
        (b"\n\n\n", 1),
        (b"\n1\n00:00 --> 00:01,00\nx", 3),
        (b"just words", 1),
        (FIRST.encode() + b"\n\x81", 5),  # no UTF-8, and no character of Windows-1252
        (f"\ufeff{FIRST}".encode("utf-16-le") + b"\0", 4),
        (b"1\n00:00:02,000 --> 00:00:01,000\nnever shown", 1),
    ],
)
def test_says_where_a_file_cannot_be_read(data: bytes, line: int) -> None:
    with pytest.raises(BadText) as caught:
        read_srt(data)
    assert caught.value.line == line
