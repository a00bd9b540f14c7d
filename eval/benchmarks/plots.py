"""The plots of docs/performance.md: how each store's costs grow, as SVG files that need no style sheet."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from eval.benchmarks.drawing import plot
from eval.benchmarks.growth_figures import recall_of
from eval.benchmarks.report import Figures, Report
from eval.benchmarks.truth import CASES


def _seconds(one: Figures) -> float:
    costs = one.costs()
    return (costs["ingest"] or 0.0) + (costs["finish"] or 0.0)


def _mega(cost: float | None) -> float | None:
    return None if cost is None else cost / 1e6


Cost = Callable[[Figures], float | None]
RECALL: Final = "recall@10"
PLOTS: Final[dict[str, tuple[str, str, Cost]]] = {
    "latency": ("A search for shoppers' words, p50", "ms", lambda one: one.costs()[str(CASES[0])]),
    "recall": ("What that search finds of the first ten", RECALL, recall_of),
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
        lines: dict[str, list[tuple[int, float]]] = {}
        for one in sorted(report.figures, key=lambda figures: figures.points):
            value = cost(one)
            if value:
                lines.setdefault(one.store, []).append((one.points, value))
        yield name, plot(lines, title, unit, share=unit == RECALL)
