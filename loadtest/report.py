"""What a run came to: a page that needs nothing beside it, and a few lines of text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from loadtest.figures import RATES, Figures, Second
from loadtest.plot import Line, distribution, timeline
from loadtest.results import HEADLINES, Results, show
from loadtest.thresholds import unit_of

FILE = "report.html"
STYLE = """
:root{color-scheme:light dark;--bg:#fff;--fg:#0f172a;--dim:#64748b;--line:#e2e8f0;--card:#f8fafc;
--ok:#15803d;--bad:#b91c1c;--warn:#b45309;--c0:#2563eb;--c1:#ea580c;--c2:#059669;--c3:#9333ea}
@media(prefers-color-scheme:dark){:root{--bg:#0b1120;--fg:#e2e8f0;--dim:#94a3b8;--line:#1e293b;
--card:#111a2e;--ok:#4ade80;--bad:#f87171;--warn:#fbbf24;--c0:#60a5fa;--c1:#fb923c;--c2:#34d399;
--c3:#c084fc}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1240px;padding:2rem 1.25rem;background:var(--bg);color:var(--fg);
font:15px/1.5 system-ui,sans-serif}
h1{margin:0;font-size:1.6rem}h2{margin:2rem 0 .75rem;font-size:1.1rem}
p.sub{margin:.25rem 0 1.25rem;color:var(--dim)}
.verdict{display:inline-block;padding:.2rem .7rem;border-radius:99px;color:#fff;font-weight:600}
.verdict.ok{background:#15803d;color:#fff}.verdict.bad{background:#b91c1c;color:#fff}
.warn{padding:.7rem 1rem;border-left:4px solid var(--warn);background:var(--card);margin:.6rem 0}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:.6rem}
.cards div{padding:.6rem .8rem;background:var(--card);border:1px solid var(--line);
border-radius:8px}
.cards b{display:block;font-size:1.15rem;font-variant-numeric:tabular-nums}
.cards span{color:var(--dim);font-size:.85rem}
table{border-collapse:collapse;width:100%}td,th{padding:.35rem .6rem;text-align:left;
border-bottom:1px solid var(--line);vertical-align:top}td.n{text-align:right;
font-variant-numeric:tabular-nums}
.ok{color:var(--ok)}.bad{color:var(--bad)}
.plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,480px),1fr));gap:1rem}
figure{margin:0;padding:.7rem;background:var(--card);border:1px solid var(--line);
border-radius:8px}
figcaption{display:flex;justify-content:space-between;font-weight:600;flex-wrap:wrap}
figcaption small{font-weight:400;color:var(--dim)}figcaption span{margin-left:.8rem}
i{display:inline-block;width:.7em;height:.7em;border-radius:2px;margin-right:.3em}
svg{width:100%;height:auto}svg text{fill:var(--dim);font-size:11px}
.g{stroke:var(--line)}polyline{fill:none;stroke-width:1.8;stroke-linejoin:round}
.s0{stroke:var(--c0)}.s1{stroke:var(--c1)}.s2{stroke:var(--c2)}.s3{stroke:var(--c3)}
.c0{background:var(--c0)}.c1{background:var(--c1)}.c2{background:var(--c2)}.c3{background:var(--c3)}
"""
WORDS = {
    "viewers.max": "viewers at most",
    "starts.count": "starts",
    "failed_starts.count": "failed starts",
    "startup.p50": "start-up, median",
    "startup.p99": "start-up, p99",
    "startup.max": "start-up, longest",
    "told_startup.count": "starts the server was told of",
    "told_startup.mean": "start-up it was told, mean",
    "told_startup.gap": "... and viewers', apart",
    "manifest.p50": "time to manifest, median",
    "manifest.p99": "time to manifest, p99",
    "segment.p50": "segment, median",
    "segment.p99": "segment, p99",
    "seek.p99": "seek, p99",
    "rebuffer.count": "stalls",
    "rebuffer.ratio": "rebuffer ratio",
    "stall.p99": "stall, p99",
    "switches.count": "switches of rung",
    "throughput.p50": "a viewer's throughput, median",
    "requests.count": "requests",
    "requests.rate": "requests/s",
    "traffic.rate": "traffic",
    "failures.count": "failures",
    "failures.ratio": "failures of requests",
    "generator.cpu": "busiest process of the load",
    "lag.p99": "lag of the load, p99",
    "server.cpu": "server CPU at most",
    "server.lag": "server loop lag at most",
}


def write(results: Results, folder: Path) -> None:
    (folder / FILE).write_text(page(results), encoding="utf-8")


def lines(results: Results) -> Iterator[str]:
    """For a terminal: figures, failures, thresholds, and what limits them."""
    yield f"{results.scenario}: {results.description}"
    for name in HEADLINES:
        figure = results.headlines.get(name)
        if figure is not None:
            yield f"  {WORDS[name]:<32} {show(name, figure):>14}"
    for what, count in results.figures.failures.most_common():
        example = next(iter(results.figures.examples.get(what, [])), "")
        yield f"  failed: {count:,} times {what}: {example}"
    if results.carried is not None:
        yield f"  no longer good at {results.carried:,} viewers"
    for limit in results.limits:
        yield f"  THE LOAD WAS THE LIMIT: {limit}; these figures are not the server's"
    for note in results.notes:
        yield f"  note: {note}"
    for verdict in results.verdicts:
        value = show(_figure_of(verdict.text), verdict.value)
        yield f"  {'met   ' if verdict.met else 'FAILED'} {verdict.text}  ({value})"


def page(results: Results) -> str:
    when = datetime.fromtimestamp(results.began, UTC)
    state = "ok" if results.met else "bad"
    word = "thresholds met" if results.met else "thresholds not met"
    parts = [
        f"<h1>Load test: {escape(results.scenario)} "
        f'<span class="verdict {state}">{word}</span></h1>',
        f'<p class="sub">{escape(results.description)}<br>{escape(results.url)}, '
        f"{when:%Y-%m-%d %H:%M:%S} UTC, {results.seconds:.0f} s</p>",
        *_warnings(results),
        "<h2>Figures</h2>" + _cards(results),
        _verdicts(results),
        _failures(results.figures),
        "<h2>Over time</h2>" + _plots(_timelines(results)),
        "<h2>Distributions</h2>" + _plots(_distributions(results.figures)),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Load test: {escape(results.scenario)}</title><style>{STYLE}</style></head><body>"
        + "\n".join(part for part in parts if part)
        + "</body></html>\n"
    )


def _warnings(results: Results) -> Iterator[str]:
    for limit in results.limits:
        yield (
            f'<p class="warn"><b>The load was the limit:</b> {escape(limit)}. '
            "These figures are not the server's.</p>"
        )
    if results.carried is not None:
        yield f'<p class="warn">No longer good at {results.carried:,} viewers.</p>'
    for note in results.notes:
        yield f'<p class="warn">{escape(note)}</p>'


def _cards(results: Results) -> str:
    cards = [
        f"<div><b>{escape(show(name, results.headlines[name]))}</b><span>{WORDS[name]}</span></div>"
        for name in HEADLINES
        if results.headlines.get(name) is not None
    ]
    return f'<div class="cards">{"".join(cards)}</div>'


def _verdicts(results: Results) -> str:
    if not results.verdicts:
        return ""
    rows = [
        f"<tr><td>{escape(verdict.text)}</td>"
        f'<td class="n">{escape(show(_figure_of(verdict.text), verdict.value))}</td>'
        + ('<td class="ok">met' if verdict.met else '<td class="bad">not met')
        + "</td></tr>"
        for verdict in results.verdicts
    ]
    return f"<h2>Thresholds</h2><table>{''.join(rows)}</table>"


def _failures(figures: Figures) -> str:
    if not figures.failures:
        return ""
    rows = [
        f'<tr><td>{escape(name)}</td><td class="n">{count:,}</td><td>'
        + "<br>".join(escape(text) for text in figures.examples.get(name, []))
        + "</td></tr>"
        for name, count in figures.failures.most_common()
    ]
    head = "<tr><th>what</th><th>how many</th><th>examples</th></tr>"
    return f"<h2>Failures</h2><table>{head}{''.join(rows)}</table>"


def _plots(charts: Iterator[str]) -> str:
    return f'<div class="plots">{"".join(charts)}</div>'


def _timelines(results: Results) -> Iterator[str]:
    over = _Over(results)
    for title, show_value, curves in TIMELINES:
        yield timeline(title, [over.line(name, value) for name, value in curves], show_value)


Curve = tuple[str, Callable[[Second], float | None]]


class _Over:
    def __init__(self, results: Results) -> None:
        self._seconds = sorted(results.figures.seconds.items())
        self._first = self._seconds[0][0] if self._seconds else 0

    def line(self, name: str, value: Callable[[Second], float | None]) -> Line:
        points = [(float(at - self._first), value(second)) for at, second in self._seconds]
        return Line(name, [(x, y) for x, y in points if y is not None])


def _gauge(prefix: str, of: Callable[[list[float]], float]) -> Callable[[Second], float | None]:
    def value(second: Second) -> float | None:
        found = [value for name, value in second.gauges.items() if name.startswith(prefix)]
        return of(found) if found else None

    return value


def _counted(name: str, scale: float = 1.0) -> Callable[[Second], float]:
    return lambda second: second.counts[name] * scale


def _percentile(name: str, share: float) -> Callable[[Second], float | None]:
    def value(second: Second) -> float | None:
        histogram = second.histograms.get(name)
        found = histogram.percentile(share) if histogram else None
        return None if found is None else found / 1e6

    return value


def _seconds(value: float) -> str:
    if value >= 1 or value == 0:
        return f"{value:g} s"
    return f"{value * 1e3:g} ms" if value >= 1e-3 else f"{value * 1e6:g} µs"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def _megabits(value: float) -> str:
    return f"{value / 1000:g} Gbit/s" if value >= 1000 else f"{value:g} Mbit/s"


def _bits(value: float) -> str:
    return f"{value / 1e9:g} Gbit/s" if value >= 1e9 else f"{value / 1e6:g} Mbit/s"


def _percentiles(name: str) -> tuple[Curve, ...]:
    return ("median", _percentile(name, 0.5)), ("p99", _percentile(name, 0.99))


TIMELINES: tuple[tuple[str, Callable[[float], str], tuple[Curve, ...]], ...] = (
    ("Viewers", _number, (("viewers", _gauge("viewers:", sum)),)),
    ("Start-up in each second", _seconds, _percentiles("startup")),
    ("Segments in each second", _seconds, _percentiles("segment")),
    ("Traffic", _megabits, (("received", _counted("bytes", 8e-6)),)),
    ("Requests/s", _number, (("asked", _counted("requests")),)),
    (
        "Seconds of stalls, and failures, in each second",
        _number,
        (("stalls", _counted("rebuffer_seconds")), ("failures", _counted("failures"))),
    ),
    (
        "CPU, cores",
        _number,
        (("server", _gauge("server:cpu", max)), ("busiest load process", _gauge("cpu:", max))),
    ),
    (
        "Lag of event loops",
        _seconds,
        (("server", _gauge("server:lag", max)), ("load", _gauge("lag:", max))),
    ),
    (
        "Memory of the server, MB",
        _number,
        (("resident", _gauge("server:memory", lambda values: max(values) / 1e6)),),
    ),
    ("Connections at the server", _number, (("open", _gauge("server:connections", max)),)),
)


def _distributions(figures: Figures) -> Iterator[str]:
    for title, names in (
        ("Start-up and time to manifest", ("startup", "manifest")),
        ("Segments", ("segment",)),
        ("Stalls and seeks", ("stall", "seek")),
        ("A viewer's throughput", ("throughput",)),
    ):
        scale = 1e3 if names[0] in RATES else 1e-6
        curves = [
            Line(name, [(max(x, 1) * scale, y) for x, y in figures.histogram(name).cumulative()])
            for name in names
        ]
        yield distribution(title, curves, _bits if names[0] in RATES else _seconds)


def _figure_of(text: str) -> str:
    """The figure a threshold is of: it was parsed, so it begins with one."""
    name = text.strip()
    for sign in ("<", ">", "="):
        name = name.partition(sign)[0]
    name = name.strip()
    unit_of(name)
    return name
