from __future__ import annotations

import pytest

from ingest.sample.subtitles import cues, srt, webvtt


def test_cues_cover_the_length_without_overlap() -> None:
    assert cues("{start:g} to {end:g}", 7) == [
        (0.0, 2.5, "0 to 2.5"),
        (3.0, 5.5, "3 to 5.5"),
        (6.0, 7, "6 to 7"),
    ]


@pytest.mark.parametrize(
    ("render", "text"),
    [
        (webvtt, "WEBVTT\n\n01:00:03.250 --> 01:00:05.500\nHola\n"),
        (srt, "1\n01:00:03,250 --> 01:00:05,500\nHola\n"),
    ],
)
def test_formats(render: type, text: str) -> None:
    assert render([(3603.25, 3605.5, "Hola")]) == text
