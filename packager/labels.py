"""What menus call the sound and text tracks of a title.

A track is called by its language. Several of one language and sound in one file are different
tracks, so the handler's name, or a number, tells them apart; in different files without such names
they are bit rates of one track, and keep one label.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from packager.language import label as language_label
from packager.model import AudioConfig, Rendition, Track

# Words of the names that writers put where a person put none.
_WRITERS = ("handle", "media", "gpac", "google", "(c)", "apple", "mainconcept", "stereo", "mono")


def sound(track: Track) -> object:
    """Equal for tracks that sound alike but for language and bit rate."""
    config = track.config
    return config.rfc6381, config.channels if isinstance(config, AudioConfig) else 0


def label_sounds(renditions: Iterable[Rendition]) -> list[Rendition]:
    """The renditions with their ``label``, in their order."""
    sources: dict[object, list[str]] = {}
    labelled = []
    for rendition in renditions:
        label = _language(rendition.language, "Audio")
        before = sources.setdefault((sound(rendition.track), label), [])
        name = rendition.track.name
        if before and _is_human(name):
            label = f"{label} ({name})"
        elif rendition.source in before:
            label = f"{label} {1 + before.count(rendition.source)}"
        before.append(rendition.source)
        labelled.append(replace(rendition, label=label))
    return labelled


def text_label(language: str, forced: bool, hearing_impaired: bool) -> str:
    purpose = " (forced)" if forced else " (SDH)" if hearing_impaired else ""
    return _language(language, "Subtitles") + purpose


def _language(tag: str, unknown: str) -> str:
    return unknown if tag == "und" else language_label(tag)


def _is_human(name: str) -> bool:
    return bool(name) and not any(word in name.lower() for word in _WRITERS)
