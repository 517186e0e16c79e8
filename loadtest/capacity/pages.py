"""What an estimate, or a simulation, is shown as: a table, JSON, plots, and a page with all of it
that needs nothing beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from html import escape
from typing import Any

from loadtest.capacity import chart
from loadtest.capacity.chart import Bar, Curve, Scale
from loadtest.capacity.inputs import PRICED, Inputs, rows, shown
from loadtest.capacity.model import CDN, MONTH, MONTH_HOURS, Estimate, estimate, to_origin
from loadtest.capacity.simulation import Point
from loadtest.plot import Axis

MISSES = (0.005, 0.007, 0.01, 0.014, 0.02, 0.03, 0.05, 0.07, 0.1, 0.14, 0.2, 0.3, 0.5, 0.7, 1.0)
"""Of the edge, in the plots."""
PREFIXES = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
STYLE = """
body{margin:0 auto;max-width:1000px;padding:2rem 1.25rem;background:#fff;color:#0f172a;
font:15px/1.5 system-ui,sans-serif}
h1{margin:0;font-size:1.6rem}h2{margin:2rem 0 .75rem;font-size:1.15rem}p{max-width:46rem}
.wide{overflow-x:auto}table{border-collapse:collapse;min-width:100%}
th,td{padding:.3rem .7rem;text-align:left;border-bottom:1px solid #e2e8f0;vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
tr.h th{padding-top:1rem}tr.sum td{font-weight:600;border-top:2px solid #64748b}
svg{width:100%;height:auto;border:1px solid #e2e8f0;border-radius:8px;margin-bottom:1rem}
code{font-size:.9em;white-space:nowrap}td{overflow-wrap:anywhere}
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One of the table; without ``of`` it is a heading."""

    label: str
    of: Callable[[Estimate], str] | None = None


def plain(value: float) -> str:
    """Three digits and a prefix: 27.2, 2,720, 272 k."""
    if 0 < value < 0.001:
        return f"{value:.1e}"
    if value < 10_000:
        return f"{round(value):,}" if value >= 1000 else f"{value:.3g}"
    size, letter = next((size, letter) for size, letter in PREFIXES if value >= size)
    scaled = value / size
    return f"{scaled:,.0f} {letter}" if scaled >= 100 else f"{scaled:.3g} {letter}"


def unit(value: float, name: str) -> str:
    text = plain(value)
    return f"{text}{name}" if text[-1].isalpha() else f"{text} {name}"


def _count(value: float) -> str:
    return f"{value:,.0f}"


def _bits(value: float) -> str:
    return unit(value * 8, "bit/s")


def dollars(value: float) -> str:
    return f"${value:,.0f}"


def _table(inputs: Inputs) -> Iterator[Line]:
    yield Line("At the peak")
    yield Line("watching", lambda e: _count(e.peak.watching))
    yield Line("viewers' requests/s", lambda e: plain(e.peak.viewer_requests))
    yield Line("to viewers", lambda e: _bits(e.peak.viewer_bytes))
    yield Line("requests/s past the edges", lambda e: plain(e.peak.shield_requests))
    yield Line("requests/s at the origin", lambda e: plain(e.peak.origin_requests))
    yield Line("origin egress", lambda e: _bits(e.peak.origin_bytes))
    yield Line("API calls/s at the origin", lambda e: plain(e.peak.api_calls))
    yield Line("titles read/s, not in memory", lambda e: plain(e.peak.title_loads))
    yield Line("S3 GET/s", lambda e: plain(e.peak.s3_gets))
    yield Line("S3 LIST/s", lambda e: plain(e.stores.s3_lists))
    yield Line("from S3", lambda e: _bits(e.peak.s3_bytes))
    yield Line("Pods")
    yield Line("cores in use", lambda e: plain(e.pods.cores_used))
    yield Line("connections", lambda e: plain(e.pods.connections))
    yield Line("pods", lambda e: _count(e.pods.count))
    yield Line("  decided by", lambda e: e.pods.limit)
    yield Line("Stores, at the peak")
    yield Line("Redis, calls/s", lambda e: plain(e.stores.redis_calls))
    yield Line("  primaries", lambda e: _count(e.stores.redis_nodes))
    yield Line("PostgreSQL, queries/s", lambda e: plain(e.stores.postgres_queries))
    yield Line("  servers", lambda e: _count(e.stores.postgres_nodes))
    yield Line("A month")
    yield Line("bytes to viewers", lambda e: unit(e.mean.viewer_bytes * MONTH, "B"))
    yield Line("origin egress", lambda e: unit(e.mean.origin_bytes * MONTH, "B"))
    yield Line("S3 GET", lambda e: plain(e.mean.s3_gets * MONTH))
    yield Line("bytes from S3", lambda e: unit(e.mean.s3_bytes * MONTH, "B"))
    yield Line("Cost a month, list prices")
    for name in estimate(inputs, 1).costs:
        yield Line(name, _cost(name))
    yield Line("all", lambda e: dollars(e.total))
    yield Line("without the CDN", lambda e: dollars(e.origin_total))
    yield Line("of 1,000 hours watched", lambda e: f"${e.total / _hours(e) * 1e3:.2f}")
    yield Line("  without the CDN", lambda e: f"${e.origin_total / _hours(e) * 1e3:.3f}")


def _cost(name: str) -> Callable[[Estimate], str]:
    return lambda e: dollars(e.costs[name])


def _hours(made: Estimate) -> float:
    return made.mean.watching * MONTH_HOURS


def text(inputs: Inputs, made: Sequence[Estimate]) -> Iterator[str]:
    """For a terminal."""
    columns = [max(14, len(_viewers(e)) + 2) for e in made]
    heads = "".join(f"{_viewers(e):>{width}}" for e, width in zip(made, columns, strict=True))
    yield f"{'viewers a day':<32}{heads}"
    for line in _table(inputs):
        if line.of is None:
            yield f"\n{line.label}"
        else:
            cells = zip(made, columns, strict=True)
            yield f"  {line.label:<30}" + "".join(f"{line.of(e):>{width}}" for e, width in cells)
    yield "\nWith"
    for row in rows(inputs):
        if row.table not in ("simulation", "prices"):
            yield f"  {row.option:<22} {shown(row.value):<28} {row.quantity.unit}"
    yield f"\nPrices: {PRICED}, before discounts"
    for row in rows(inputs):
        if row.table == "prices":
            yield f"  {row.option:<22} {row.quantity.meaning}"
            yield f"{'':<25}{shown(row.value)} {row.quantity.unit}"


def _viewers(made: Estimate) -> str:
    return _count(made.viewers)


def settings(inputs: Inputs) -> dict[str, Any]:
    tables: dict[str, dict[str, Any]] = {}
    for row in rows(inputs):
        told = row.quantity
        tables.setdefault(row.table, {})[row.key] = {
            "value": row.value,
            "unit": told.unit,
            "meaning": told.meaning,
            "source": told.source,
        }
    return tables


def data(inputs: Inputs, made: Sequence[Estimate]) -> dict[str, Any]:
    """Rates are for each second, bytes and dollars plain."""
    return {
        "inputs": settings(inputs),
        "estimates": [
            asdict(e) | {"total": e.total, "total_without_cdn": e.origin_total} for e in made
        ],
    }


def plots(inputs: Inputs, made: Sequence[Estimate]) -> dict[str, str]:
    """SVG, by the name of its file."""
    sweeps = [
        (e, [(miss, estimate(_missing(inputs, miss), e.viewers)) for miss in MISSES]) for e in made
    ]
    across = Scale(
        Axis(MISSES[0], 1, logarithmic=True),
        "hit ratio of the edge",
        lambda miss: f"{1 - miss:.4g}",
        (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1),
    )
    drawn = {
        "pods": (
            "Pods, by the hit ratio of the edge",
            "pods at the peak",
            plain,
            [[(x, float(e.pods.count)) for x, e in sweep] for _, sweep in sweeps],
        ),
        "cost": (
            "Cost without the CDN, by the hit ratio of the edge",
            "$ a month",
            lambda y: f"${plain(y)}",
            [[(x, e.origin_total) for x, e in sweep] for _, sweep in sweeps],
        ),
    }
    names = [f"{plain(e.viewers)} viewers a day" for e in made]
    files = {
        f"{name}.svg": chart.curves(
            title,
            [Curve(names[n], line, n % len(chart.COLOURS)) for n, line in enumerate(lines)],
            across,
            Scale(_decades(lines), up, show),
        )
        for name, (title, up, show, lines) in drawn.items()
    }
    return files | {"bill.svg": _bill(made, names)}


def _missing(inputs: Inputs, miss: float) -> Inputs:
    return replace(inputs, hits=replace(inputs.hits, edge_hit=1 - miss))


def _decades(lines: Sequence[Sequence[tuple[float, float]]]) -> Axis:
    values = [y for line in lines for _, y in line]
    low = max(min(values), 1e-3)
    return Axis(low / 1.3, max(max(values), low) * 1.3, logarithmic=True)


def _bill(made: Sequence[Estimate], names: Sequence[str]) -> str:
    items = [name for name in made[0].costs if name not in CDN]
    items = [name for name in items if any(e.costs[name] for e in made)]
    bars = [
        Bar(plain(e.viewers), [e.costs[item] for item in items], f"${plain(e.origin_total)}")
        for e in made
    ]
    return chart.shares("What the cost without the CDN is made of", items, bars)


def page(inputs: Inputs, made: Sequence[Estimate]) -> str:
    hits = inputs.hits
    intro = (
        f"<p>At hit ratios of {hits.edge_hit:.1%} at the edge and {hits.shield_hit:.1%} at the "
        f"shield {to_origin(hits):.2%} of what viewers ask for comes to the origin.</p>"
    )
    heads = "".join(f'<th class="n">{_viewers(e)}</th>' for e in made)
    body = "".join(_row(line, made) for line in _table(inputs))
    table = f'<div class="wide"><table><tr><th>viewers a day</th>{heads}</tr>{body}</table></div>'
    return _page("What it takes", intro + table + "".join(plots(inputs, made).values()), inputs)


def _row(line: Line, made: Sequence[Estimate]) -> str:
    if line.of is None:
        return f'<tr class="h"><th colspan="{len(made) + 1}">{escape(line.label)}</th></tr>'
    cells = "".join(f'<td class="n">{escape(line.of(e))}</td>' for e in made)
    style = ' class="sum"' if line.label == "all" else ""
    return f"<tr{style}><td>{escape(line.label)}</td>{cells}</tr>"


def _page(title: str, body: str, inputs: Inputs) -> str:
    told = "".join(
        f"<tr><td><code>--{row.option}</code></td><td>{escape(shown(row.value))}</td>"
        f"<td>{escape(row.quantity.unit)}</td><td>{escape(row.quantity.meaning)}</td>"
        f"<td>{escape(row.quantity.source)}</td></tr>"
        for row in rows(inputs)
    )
    head = (
        "<tr><th>option</th><th>value</th><th>unit</th><th>meaning</th><th>default from</th></tr>"
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head><body><h1>{title}</h1>{body}"
        f'<h2>What went in</h2><div class="wide"><table>{head}{told}</table></div></body></html>\n'
    )


RATIOS = (
    ("edge", "at the edges"),
    ("shield", "at the shield"),
    ("to_origin", "left for the origin"),
)


def simulated_text(points: Sequence[Point]) -> Iterator[str]:
    yield "Hit ratios, simulated and by Che's approximation"
    yield f"{'edge GB':>9}" + "".join(f"{title:>24}" for _, title in RATIOS) + f"{'apart':>9}"
    for point in points:
        cells = "".join(
            f"{getattr(point.counted, name):>13.2%} / {getattr(point.expected, name):>8.2%}"
            for name, _ in RATIOS
        )
        yield f"{point.edge_gb:>9g}{cells}{point.apart:>9.2%}"
    last = points[-1].counted
    yield "\nThe last of them as an estimate:"
    yield f"  vod-origin capacity --edge-hit {last.edge:.3f} --shield-hit {last.shield:.3f}"


def simulated_data(inputs: Inputs, points: Sequence[Point]) -> dict[str, Any]:
    return {
        "inputs": settings(inputs),
        "points": [
            asdict(point)
            | {name: asdict(getattr(point, name)) for name in ("counted", "expected")}
            | {"apart": point.apart}
            for point in points
        ],
    }


def simulated_plot(points: Sequence[Point]) -> str:
    drawn = []
    for number, (name, title) in enumerate(RATIOS):
        for what, dots in (("expected", False), ("counted", True)):
            line = [(p.edge_gb, getattr(getattr(p, what), name)) for p in points]
            source = "simulated" if dots else "Che"
            drawn.append(Curve(f"{title}, {source}", line, number, dots))
    return chart.curves(
        "LRU caches: Che's approximation and a simulation",
        drawn,
        Scale(
            Axis(0, max(p.edge_gb for p in points) * 1.05), "GB of each edge", lambda x: f"{x:g}"
        ),
        Scale(Axis(0, 1), "share of requests", lambda y: f"{y:.0%}", (0, 0.25, 0.5, 0.75, 1)),
    )


def simulated_page(inputs: Inputs, points: Sequence[Point]) -> str:
    lines = "\n".join(simulated_text(points))
    return _page("Hit ratios", f"{simulated_plot(points)}<pre>{escape(lines)}</pre>", inputs)
