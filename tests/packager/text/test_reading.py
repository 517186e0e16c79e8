"""Every reader, on files of every kind: what is read can be written and read again."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from packager.errors import BadText
from packager.model import TextRendition
from packager.text import READERS, TextDocument, read_text, webvtt_file
from packager.text import document as limits

MEDIA = Path(__file__).parents[4] / "shared/media/text"

ENDINGS = [ending for ending, _ in READERS]

# What a parser of either format decides by.
PIECES = st.sampled_from(
    [
        *("WEBVTT", "STYLE", "REGION", "NOTE", "1", "00:01.000", "00:00:02,500", " --> ", "-->"),
        *("\n", "\n\n", "\r", "\r\n", " ", "\t", "\0", "\x0c", "\x1c", "\x85", "\u2028"),
        *("<i>", "</i>", "<font x>", "{\\an8}", "{\\", "&", "<", ">", "line:0"),
        *("x", "é", "\ufeff", "\ud800"),
    ]
)


def written(document: TextDocument) -> bytes:
    return webvtt_file(
        TextRendition(
            "text1", "x", "en", "", False, False, document.header, document.cues, (0, 1 << 60)
        )
    )


def check(ending: str, data: bytes) -> None:
    try:
        document = read_text(f"x{ending}", data)
    except BadText:
        return
    again = read_text("x.vtt", written(document))
    assert (again.header, again.cues, again.skipped) == (document.header, document.cues, ())
    for cue in document.cues:
        assert 0 <= cue.start < cue.end
        assert cue.payload
        assert "-->" not in cue.payload
        assert all(line == line.rstrip() != "" for line in cue.payload.split("\n"))


@pytest.mark.parametrize("ending", ENDINGS)
@given(data=st.binary(max_size=200))
@example(data=b"")
@example(data=b"\xff\xfe")
@example(data=b"\xfe\xff\xd8")
@example(data=b"\xff\xfe\0\0")
def test_bytes(ending: str, data: bytes) -> None:
    check(ending, data)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
@given(pieces=st.lists(PIECES, max_size=40))
@example(
    pieces=["WEBVTT", "\n\n", "00:01.000", "-->", "01:00.000", "\n", "a\x0c", "\n", "b", "\x1c"]
)
def test_pieces_of_subtitles(ending: str, encoding: str, pieces: list[str]) -> None:
    head = "WEBVTT\n\n" if ending == ".vtt" else ""
    check(ending, (head + "".join(pieces)).encode(encoding, "ignore"))


@pytest.mark.parametrize("ending", ENDINGS)
def test_limits(ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cue = "00:01.000 --> 00:02.000\nx\n\n"
    data = ("WEBVTT\n\n" + cue * 3 if ending == ".vtt" else cue * 3).encode()
    assert len(read_text(f"x{ending}", data).cues) == 3
    for limit, value in (("MAX_CUES", 2), ("MAX_LINES", 4), ("MAX_BYTES", len(data) - 1)):
        with monkeypatch.context() as patch:
            patch.setattr(limits, limit, value)
            with pytest.raises(BadText, match="more than"):
                read_text(f"x{ending}", data)


@pytest.mark.parametrize("ending", ENDINGS)
def test_broken_cues_count_too(ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_CUES", 2)
    with pytest.raises(BadText, match="more than 2 cues"):
        read_text(f"x{ending}", b"WEBVTT\n\n" + b"1 --> 2\n\n" * 3)


def test_the_name_chooses_the_reader() -> None:
    assert read_text("A.VTT", b"WEBVTT").cues == ()
    with pytest.raises(BadText, match=r"none of \.vtt, \.srt"):
        read_text("a.ttml", b"WEBVTT")


# Cues read, lines of those that cannot be.
REAL = {
    "subrip-typical": (3, ()),
    "subrip-typical_bad_timestamps": (1, (6, 10)),
    "subrip-typical_utf16le": (3, ()),
    "subrip-typical_with_byte_order_mark": (3, ()),
    "webvtt-typical": (2, ()),
    "webvtt-typical_with_comments": (2, ()),
    "webvtt-with_bom": (2, ()),
    "webvtt-with_overlapping_timestamps": (4, ()),
    "webvtt-with_positioning": (8, ()),
}


@pytest.mark.skipif(not MEDIA.is_dir(), reason="no ../shared/media/text")
@pytest.mark.parametrize("name", REAL)
def test_real_files(name: str) -> None:
    ending = ".srt" if name.startswith("subrip") else ".vtt"
    data = (MEDIA / name).read_bytes()
    document = read_text(name + ending, data)
    assert (len(document.cues), document.skipped) == REAL[name]
    assert document.cues[0].payload.endswith((" subtitle.", " 3 seconds."))
    check(ending, data)
