from __future__ import annotations

from pathlib import Path

import pytest

from loadtest.capacity.inputs import BadInput, Inputs, load, rows, shown


def test_each_quantity_has_an_option_of_its_own_and_a_source() -> None:
    found = list(rows(Inputs()))
    assert len({row.option for row in found}) == len(found)
    for row in found:
        assert row.quantity.unit, row.option
        assert row.quantity.meaning, row.option
        assert row.quantity.source, row.option


def test_what_is_shown_can_be_given() -> None:
    assert load(None, {row.option: shown(row.value) for row in rows(Inputs())}) == Inputs()


def test_a_file_wins_over_defaults_and_options_over_both(tmp_path: Path) -> None:
    file = tmp_path / "ours.toml"
    file.write_text(
        "[hits]\nedge_hit = 0.5\nshield_hit = 0.25\n"
        "[media]\nladder = [[600, 1], [6000, 3]]\n"
        "[audience]\nviewers = 7\n",
        encoding="utf-8",
    )
    inputs = load(str(file), {"shield-hit": "0.75", "price-cdn-gb": "1:0.5,2:0.25"})
    assert (inputs.hits.edge_hit, inputs.hits.shield_hit) == (0.5, 0.75)
    assert inputs.media.ladder == ((600, 1), (6000, 3))
    assert inputs.audience.viewers == (7,)
    assert inputs.prices.cdn_gb == ((1, 0.5), (2, 0.25))
    assert inputs.pod == Inputs().pod


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hits = ", "x.toml"),
        ("[hat]\nedge_hit = 1", r"no table \[hat\]"),
        ("hits = 3", r"no table \[hits\]"),
        ("[hits]\nedge = 1", r"\[hits\] has no 'edge'"),
        ("[hits]\nedge_hit = 1.5", "edge_hit 1.5 is outside 0..1"),
        ("[hits]\nedge_hit = nan", "edge_hit nan is outside"),
        ("[hits]\nedge_hit = true", "True is no number"),
        ("[hits]\nedge_hit = [1]", "is no number"),
        ("[media]\nladder = []", "ladder must be 1 to 64"),
        ("[media]\nladder = [[1, 2, 3]]", "ladder"),
        ("[media]\nladder = [[1, 0]]", "ladder 0 is outside"),
        ('[media]\nladder = "800"', "'800' is no kbit/s:share"),
        ("[audience]\nhours = 0", "hours 0 is outside"),
        ("[audience]\nhours = 20", "peak_share 0.2 is below the mean"),
        ("[prices]\ns3_gb = [[5, 1], [5, 2]]", "s3_gb: the steps do not rise"),
    ],
)
def test_what_cannot_be_is_said_with_its_place(text: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=words):
        load(str(file), {})


def test_a_file_that_is_not_there_or_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"none\.toml"):
        load(str(tmp_path / "none.toml"), {})
    large = tmp_path / "large.toml"
    large.write_bytes(b"#" * (2 << 20))
    with pytest.raises(BadInput, match="more than"):
        load(str(large), {})
