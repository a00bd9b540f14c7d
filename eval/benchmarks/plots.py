"""The plots of docs/performance.md: how each store's costs grow, as SVG files that need no style sheet."""

from collections.abc import Callable, Iterator
from math import log10
from pathlib import Path
from typing import Final

from eval.benchmarks.growth_figures import recall_of
from eval.benchmarks.report import Figures, Report
from eval.benchmarks.truth import CASES
from eval.report.charts import line_chart

STYLE: Final = """<style>
.chart { --ink: #1d1c1a; --quiet: #69655e; --line: #e3dfd7; font: 12px system-ui, sans-serif; }
.s0 { color: #2b66a8; } .s1 { color: #c2571f; } .s2 { color: #2f7d57; } .s3 { color: #84509b; }
@media (prefers-color-scheme: dark) {
  .chart { --ink: #efece6; --quiet: #a8a298; --line: #38352f; }
  .s0 { color: #7db2ee; } .s1 { color: #f0975f; } .s2 { color: #79c9a0; } .s3 { color: #c99ae0; }
}
.chart text { fill: var(--ink); } .chart .label { fill: var(--quiet); } .chart .chart-title { font-weight: 600; }
.middle { text-anchor: middle; } .end { text-anchor: end; }
.grid { stroke: var(--line); } .axis { stroke: var(--quiet); }
.line { fill: none; stroke: currentColor; stroke-width: 2; } .dot { fill: currentColor; }
</style>"""


def _seconds(one: Figures) -> float:
    costs = one.costs()
    return (costs["ingest"] or 0.0) + (costs["finish"] or 0.0)


def _mega(cost: float | None) -> float | None:
    return None if cost is None else cost / 1e6


Cost = Callable[[Figures], float | None]
PLOTS: Final[dict[str, tuple[str, str, Cost]]] = {
    "latency": ("A search for shoppers' words, p50", "ms", lambda one: one.costs()[str(CASES[0])]),
    "recall": ("Recall@10 of it", "recall@10", recall_of),
    "time": ("From the first point to a finished store", "seconds", _seconds),
    "memory": ("Memory of the process that searches", "MB", lambda one: _mega(one.costs()["memory"])),
    "disk": ("On the disk", "MB", lambda one: _mega(one.costs()["disk"])),
}
"""Name → title, unit, and the cost."""


def write_plots(report: Report, directory: Path) -> list[Path]:
    """The files that were written, `performance-NAME.svg`; nothing for a report of fewer than two sizes."""
    if len({one.points for one in report.figures}) < 2:
        return []
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for name, drawing in drawings(report):
        path = directory / f"performance-{name}.svg"
        path.write_text(drawing, "utf-8")
        written.append(path)
    return written


def drawings(report: Report) -> Iterator[tuple[str, str]]:
    """Name and SVG of each plot."""
    for name, (title, unit, cost) in PLOTS.items():
        lines: dict[str, list[tuple[float, float]]] = {}
        for one in sorted(report.figures, key=lambda figures: figures.points):
            value = cost(one)
            if value is not None:
                lines.setdefault(one.store, []).append((log10(one.points), value))
        drawn = line_chart(lines, title=title, x_label="points, 10 to the power of", y_label=unit)
        yield (
            name,
            str(drawn)
            .replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
            .replace("<title>", STYLE + "<title>", 1)
            + "\n",
        )
