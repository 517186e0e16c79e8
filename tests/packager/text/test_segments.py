from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packager.model import Cue, TextRendition
from packager.text import read_text, text_edges, webvtt_file, webvtt_segment

HEADER = "STYLE\n::cue { color: red }\n\nREGION\nid:a"


def rendition(
    *cues: Cue, edges: tuple[int, ...] = (0, 60_000, 120_000), header: str = ""
) -> TextRendition:
    return TextRendition("text1", "text.vtt", "en", "English", False, False, header, cues, edges)


@pytest.mark.parametrize(
    ("duration", "edges"),
    [
        (1, (0, 1)),
        (59_999, (0, 59_999)),
        (60_000, (0, 60_000)),
        (89_999, (0, 89_999)),
        (90_000, (0, 60_000, 90_000)),
        (120_000, (0, 60_000, 120_000)),
        (149_999, (0, 60_000, 149_999)),
        (150_000, (0, 60_000, 120_000, 150_000)),
    ],
)
def test_edges(duration: int, edges: tuple[int, ...]) -> None:
    assert text_edges(duration) == edges


def test_a_segment_in_full() -> None:
    text = rendition(
        Cue(0, 1500, "First\nline two", "line:0"),
        Cue(3_723_004, 3_800_000, "Later"),
        header=HEADER,
        edges=(0, 4_000_000),
    )
    assert webvtt_segment(text, 0).decode() == (
        "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n\n"
        f"{HEADER}\n\n"
        "00:00:00.000 --> 00:00:01.500 line:0\nFirst\nline two\n\n"
        "01:02:03.004 --> 01:03:20.000\nLater\n"
    )


def test_the_whole_file_has_no_timestamp_map_and_ends_with_the_presentation() -> None:
    assert webvtt_file(rendition(Cue(0, 1, "x"), Cue(120_000, 120_001, "too late"))) == (
        b"WEBVTT\n\n00:00:00.000 --> 00:00:00.001\nx\n"
    )


def test_a_cue_across_a_boundary_is_in_both_segments() -> None:
    text = rendition(Cue(59_000, 61_000, "Crossing"), Cue(119_999, 500_000, "To the end"))
    first, second = (webvtt_segment(text, index).split(b"\n\n") for index in (0, 1))
    assert first[1:] == [b"00:00:59.000 --> 00:01:01.000\nCrossing\n"]
    assert [block.rstrip(b"\n") for block in second[1:]] == [
        first[1].rstrip(b"\n"),
        b"00:01:59.999 --> 00:08:20.000\nTo the end",
    ]


def test_a_cue_that_ends_at_a_boundary_is_in_the_segment_before_it() -> None:
    text = rendition(Cue(0, 60_000, "Before"), Cue(60_000, 61_000, "After"))
    assert b"After" not in webvtt_segment(text, 0)
    assert b"Before" not in webvtt_segment(text, 1)


def test_a_segment_without_cues_is_a_file() -> None:
    segment = webvtt_segment(rendition(), 1)
    assert segment == b"WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n"
    assert read_text("x.vtt", segment).cues == ()


@given(
    st.lists(st.tuples(st.integers(0, 400_000), st.integers(1, 200_000)), max_size=20),
    st.integers(1, 400_000),
)
def test_the_segments_together_hold_every_cue_that_starts_in_time(
    spans: list[tuple[int, int]], duration: int
) -> None:
    cues = sorted(
        (Cue(start, start + length, f"cue {n}") for n, (start, length) in enumerate(spans)),
        key=lambda cue: cue.start,
    )
    text = rendition(*cues, edges=text_edges(duration))
    segments = [
        read_text("x.vtt", webvtt_segment(text, index)).cues for index in range(len(text.edges) - 1)
    ]
    assert {cue for segment in segments for cue in segment} == {
        c for c in cues if c.start < duration
    }
    for cue in cues:
        places = [index for index, segment in enumerate(segments) if cue in segment]
        assert places == list(range(places[0], places[-1] + 1)) if places else cue.start >= duration
