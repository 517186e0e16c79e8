"""A small library of titles to try the origin with, made from nothing: no download, no camera.

    city-lights/    a ladder of four H.264 renditions, English and Spanish sound and subtitles
    lighthouse.mp4  picture and sound interleaved in one file, its index at the end
    music-box.mp4   sound alone
    small-hours-1.mp4, -2, -3
                    the episodes of a series

Beside them are artwork, and what a catalogue says of each title (``library.json``, and
``title.json`` in a title's folder): names, synopses, genres, which episode of which series.

Every picture carries its time, its rung and its frame number, so that a screenshot proves what was
played; each full second has a flash and a beep, so that sound and picture can be compared.
"""

from __future__ import annotations

from ingest.sample.library import Cancelled, make_library

__all__ = ["Cancelled", "make_library"]
