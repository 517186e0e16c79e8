from __future__ import annotations

import re
from xml.etree import ElementTree

import orjson
import pytest

from loadtest.capacity import pages
from loadtest.capacity.caches import Ratios
from loadtest.capacity.inputs import Inputs, load, rows
from loadtest.capacity.model import estimate
from loadtest.capacity.simulation import Point

INPUTS = load(None, {"viewers": "20000,3000000"})
MADE = [estimate(INPUTS, viewers) for viewers in INPUTS.audience.viewers]
POINTS = [Point(n, Ratios(n / 50, 0.5), Ratios(n / 50 + 0.01, 0.52), 1000) for n in (10, 20)]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (0.0004, "4.0e-04"), (27.16, "27.2"), (1234.5, "1,234"), (12_345, "12.3 k"),
        (999_999, "1,000 k"), (6.36e12, "6.36 T"), (8.7e18, "8,700 P"),
    ],
)  # fmt: skip
def test_numbers_are_short(value: float, text: str) -> None:
    assert pages.plain(value) == text


def test_the_table_names_every_input_and_what_it_is_paid_for() -> None:
    said = "\n".join(pages.text(INPUTS, MADE))
    for row in rows(INPUTS):
        if row.table == "prices":
            assert row.quantity.meaning in said
        assert row.table == "simulation" or f" {row.option} " in said
    assert re.search(r"viewers a day +20,000 +3,000,000\n", said)
    for made in MADE:
        assert f"${made.total:,.0f}" in said
        assert f"${made.origin_total:,.0f}" in said
    assert "us-east-1" in said
    assert max(map(len, said.splitlines())) <= 110


def test_json_has_all_of_it() -> None:
    data = orjson.loads(orjson.dumps(pages.data(INPUTS, MADE)))
    first = data["estimates"][0]
    assert first["viewers"] == 20_000
    assert first["total"] == pytest.approx(sum(first["costs"].values()))
    assert data["inputs"]["prices"]["s3_get_1k"]["value"] == 0.0004
    assert {len(table) for table in data["inputs"].values()} >= {4}
    assert sum(map(len, data["inputs"].values())) == len(list(rows(Inputs())))


@pytest.mark.parametrize("name", ["pods.svg", "cost.svg", "bill.svg", "hits.svg"])
def test_plots_are_drawn_inside_their_frame(name: str) -> None:
    drawn = pages.plots(INPUTS, MADE) | {"hits.svg": pages.simulated_plot(POINTS)}
    tree = ElementTree.fromstring(drawn[name])
    _, _, wide, high = map(float, tree.attrib["viewBox"].split())
    places = [
        tuple(map(float, place.split(",")))
        for line in tree.iter(f"{SVG}polyline")
        for place in line.attrib["points"].split()
    ]
    places += [(float(d.attrib["cx"]), float(d.attrib["cy"])) for d in tree.iter(f"{SVG}circle")]
    bars = [b for b in tree.iter(f"{SVG}rect") if float(b.attrib["height"]) == 30]
    places += [(float(b.attrib["x"]) + float(b.attrib["width"]), 1.0) for b in bars]
    assert len(places) > 6
    assert all(0 <= x <= wide and 0 <= y <= high for x, y in places)


def test_what_is_free_can_be_drawn() -> None:
    free = {row.option: "1:0" for row in rows(Inputs()) if row.table == "prices"}
    free = {o: v if o in ("price-cdn-gb", "price-s3-gb") else "0" for o, v in free.items()}
    inputs = load(None, free)
    made = [estimate(inputs, 1000)]
    assert made[0].total == 0
    for drawn in pages.plots(inputs, made).values():
        assert "nan" not in drawn
        ElementTree.fromstring(drawn)


def test_better_edges_are_drawn_lower() -> None:
    tree = ElementTree.fromstring(pages.plots(INPUTS, MADE)["cost.svg"])
    for line in tree.iter(f"{SVG}polyline"):
        heights = [float(place.split(",")[1]) for place in line.attrib["points"].split()]
        assert heights == sorted(heights, reverse=True)


@pytest.mark.parametrize(
    "page", [pages.page(INPUTS, MADE), pages.simulated_page(INPUTS, POINTS)], ids=["page", "hits"]
)
def test_a_page_needs_nothing_beside_it(page: str) -> None:
    assert not re.search(r'(?:src|href)="|url\(|@import', page)
    assert "<svg" in page
    for row in rows(INPUTS):
        assert f"<code>--{row.option}</code>" in page


def test_a_simulation_ends_in_a_command() -> None:
    said = "\n".join(pages.simulated_text(POINTS))
    assert "vod-origin capacity --edge-hit 0.400 --shield-hit 0.500" in said
    assert "20.00% /   21.00%" in said
    data = orjson.loads(orjson.dumps(pages.simulated_data(INPUTS, POINTS)))
    assert data["points"][0]["counted"] == {"edge": 0.2, "shield": 0.5}
