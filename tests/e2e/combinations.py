"""The players and formats that are tested together."""

from __future__ import annotations

from typing import NamedTuple


class Combination(NamedTuple):
    """``engine`` and ``format`` as the page's address spells them."""

    engine: str
    format: str

    def __str__(self) -> str:
        return f"{self.engine}-{self.format}"


LIBRARIES = (
    Combination("hls.js", "hls"),
    Combination("shaka", "hls"),
    Combination("shaka", "dash"),
    Combination("dash.js", "dash"),
)
# The browser plays HLS by itself too, but offers no menus of what there is to choose.
EVERY = (*LIBRARIES, Combination("native", "hls"))
