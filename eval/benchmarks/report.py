"""The figures of a benchmark of stores, and how they grow."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

from eval.benchmarks.machine import Machine
from eval.benchmarks.synthetic import VIEWS
from eval.benchmarks.trial import Answers, Asked, Memory, Written
from indexer.domain import Frozen


class Figures(Frozen):
    """Of one store at one size. What a server keeps to itself is None."""

    store: str
    points: int
    products: int
    points_per_second: float
    finish_seconds: float
    open_seconds: float
    disk_bytes_per_product: float | None
    memory: Memory | None
    answers: tuple[Answers, ...]

    @classmethod
    def of(cls, store: str, points: int, written: Written | None, asked: Asked) -> "Figures":
        """A store that is not written is filled when it opens."""
        written = written or Written(rate=points / asked.opening, finishing=0.0, disk=None)
        products = -(-points // VIEWS)
        return cls(
            store=store,
            points=points,
            products=products,
            points_per_second=written.rate,
            finish_seconds=written.finishing,
            open_seconds=asked.opening,
            disk_bytes_per_product=None if written.disk is None else written.disk / products,
            memory=asked.memory,
            answers=asked.answers,
        )

    def costs(self) -> dict[str, float | None]:
        """What grows with the catalogue, in whole amounts."""
        disk = self.disk_bytes_per_product
        return {
            "ingest": self.points / self.points_per_second,
            "finish": self.finish_seconds,
            "disk": None if disk is None else disk * self.products,
            "memory": None if self.memory is None else self.memory.own + self.memory.mapped,
            "open": self.open_seconds,
            **{str(one.case): one.p50 for one in self.answers},
        }


class Growth(Frozen):
    """Factors per tenfold catalogue from one size to the next: 10 is linear, 1 is none; None where not measured."""

    store: str
    smaller: int
    larger: int
    factors: dict[str, float | None]


class Gap(Frozen):
    """A store that was not tried at a size, or that failed there."""

    store: str
    points: int
    why: str
    failed: bool

    def __str__(self) -> str:
        return f"{self.store}, {self.points:,} points: {'failed' if self.failed else 'left out'}: {self.why}"


class Report(Frozen):
    machine: Machine
    dim: int
    questions: int
    """Of each kind."""
    figures: tuple[Figures, ...]
    growth: tuple[Growth, ...]
    gaps: tuple[Gap, ...]
    choices: dict[int, str]
    """Points → which FAISS index a catalogue of that size gets, and why."""


def growth(figures: Sequence[Figures]) -> Iterator[Growth]:
    """Of every store from each of its sizes to the next."""
    for store in dict.fromkeys(one.store for one in figures):
        sizes = sorted((one for one in figures if one.store == store), key=lambda one: one.points)
        for small, large in pairwise(sizes):
            before, after, times = small.costs(), large.costs(), large.points / small.points
            factors = {name: per_tenfold(before[name], after[name], times) for name in before}
            yield Growth(store=store, smaller=small.points, larger=large.points, factors=factors)


def per_tenfold(before: float | None, after: float | None, times: float) -> float | None:
    """The factor by which a cost grows when the size does tenfold, from its growth when the size did `times`."""
    if not before or not after:
        return None
    return float((after / before) ** (1 / math.log10(times)))
