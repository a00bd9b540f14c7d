"""How time, memory, disk, latency and recall grow with the catalogue, by the benchmark of stores.

The whole report is kept beside the figures for the plots of docs/performance.md. A store that failed at a size is
missing; so is one that is not for so many points, or that free memory has no room for, which is no failure.
"""

from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

from eval.benchmarks.figures import Figure, Given, Missing
from eval.benchmarks.report import Figures, Gap, Report
from eval.benchmarks.stores import measure
from eval.benchmarks.truth import CASES

STORES: Final = ("edge", "faiss")
TOLD: Final = "edge"
"""The store whose growth is told in figures; the others are in the plots."""
DIM: Final = 256
QUESTIONS: Final = 100
WORDS: Final = str(CASES[0])
UNITS: Final = {WORDS: ("ms", 1.0), "memory": ("MB", 1e-6), "disk": ("MB", 1e-6)}


def figures(given: Given) -> Iterator[Figure | Missing]:
    report = measure(given.sizes, STORES, DIM, QUESTIONS)
    report_of(given.work).write_text(report.model_dump_json(indent=1) + "\n", "utf-8")
    yield from grown(report)


def report_of(work: Path) -> Path:
    return work / "growth.json"


def grown(report: Report) -> Iterator[Figure | Missing]:
    """Of the store that is told, each cost at each size beside that at the size before."""
    told = sorted((one for one in report.figures if one.store == TOLD), key=lambda one: one.points)
    for small, large in pairwise(told):
        for cost in UNITS:
            yield from _grown(small, large, cost)
    for gap in report.gaps:
        for name in _missing(gap, sorted({*(one.points for one in told), *_gaps(report, TOLD)})):
            yield Missing(name=name, why=gap.why, failed=gap.failed)


def _gaps(report: Report, store: str) -> list[int]:
    return [gap.points for gap in report.gaps if gap.store == store]


def _missing(gap: Gap, sizes: Sequence[int]) -> list[str]:
    """The figures that a gap leaves out, of the store that is told; of another one, its own name."""
    if gap.store != TOLD:
        return [f"growth.{gap.store}.{gap.points}"]
    pairs = [f"{small}-{large}" for small, large in pairwise(sizes) if gap.points in (small, large)]
    return [f"growth.{TOLD}.{cost}.{pair}" for cost in UNITS for pair in pairs]


def asked_for(figure: Figure, sizes: Collection[int]) -> bool:
    """Whether a run at these sizes would have this figure; of other groups, always."""
    group, _, rest = figure.name.partition(".")
    return group != "growth" or {int(size) for size in rest.rpartition(".")[2].split("-")} <= set(sizes)


def _grown(small: Figures, large: Figures, cost: str) -> Iterator[Figure]:
    before, after = small.costs()[cost], large.costs()[cost]
    if not before or after is None:
        return
    unit, scale = UNITS[cost]
    yield Figure.of(
        f"growth.{TOLD}.{cost}.{small.points}-{large.points}",
        f"{cost} at {large.points:,} points",
        [after * scale],
        unit=unit,
        against=f"at {small.points:,}",
        baseline=[before * scale],
        beside={"recall@10": recall_of(large)},
        beside_baseline={"recall@10": recall_of(small)},
    )


def recall_of(figures: Figures) -> float:
    """Of shoppers' words without a filter."""
    return next(one.recall for one in figures.answers if one.case == CASES[0])
