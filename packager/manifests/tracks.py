"""A rendition as a manifest sees it."""

from __future__ import annotations

from packager.model import AudioConfig, Rendition, VideoConfig, VideoRange


def audio_config(rendition: Rendition) -> AudioConfig:
    assert isinstance(rendition.config, AudioConfig)
    return rendition.config


def video_config(rendition: Rendition) -> VideoConfig:
    assert isinstance(rendition.config, VideoConfig)
    return rendition.config


def video_range(rendition: Rendition) -> VideoRange:
    """Colour that is not described is standard."""
    colour = video_config(rendition).colour
    return colour.video_range if colour else "SDR"
