from __future__ import annotations

import itertools
import string

import numpy as np
import pytest

from ingest.sample.lettering import glyph, text

DIGITS = string.digits + ":."


@pytest.mark.parametrize("height", [8, 16, 61])
def test_digits_differ_at_every_size(height: int) -> None:
    for one, other in itertools.combinations(string.digits, 2):
        assert np.abs(glyph(one, height) - glyph(other, height)).sum() > height / 4


@pytest.mark.parametrize("character", [*DIGITS, *"FRAMEp"])
def test_ink_lies_within_its_cell(character: str) -> None:
    ink = glyph(character, 60)
    assert ink.max() == 1
    assert ink.min() == 0
    assert not ink[:, 0].any()
    assert not ink[:, -1].any()


def test_text_sets_glyphs_side_by_side() -> None:
    assert text("10:2", 20).shape[1] == sum(glyph(character, 20).shape[1] for character in "10:2")
