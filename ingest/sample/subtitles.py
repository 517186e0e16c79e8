"""Subtitles that name the span of time they are shown in, as WebVTT and as SRT."""

from __future__ import annotations

CUE_SECONDS = 3
PAUSE_SECONDS = 0.5  # before the next cue

Cue = tuple[float, float, str]


def cues(words: str, seconds: float) -> list[Cue]:
    """``words`` has places for ``start`` and ``end``."""
    spans = [
        (float(start), min(start + CUE_SECONDS - PAUSE_SECONDS, seconds))
        for start in range(0, int(seconds), CUE_SECONDS)
    ]
    return [(start, end, words.format(start=start, end=end)) for start, end in spans]


def webvtt(lines: list[Cue]) -> str:
    blocks = [
        f"{_clock(start, '.')} --> {_clock(end, '.')}\n{text}\n" for start, end, text in lines
    ]
    return "\n".join(["WEBVTT\n", *blocks])


def srt(lines: list[Cue]) -> str:
    return "\n".join(
        f"{number}\n{_clock(start, ',')} --> {_clock(end, ',')}\n{text}\n"
        for number, (start, end, text) in enumerate(lines, 1)
    )


def _clock(seconds: float, point: str) -> str:
    minutes, rest = divmod(round(seconds * 1000), 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{point}{rest % 1000:03}"
