"""One figure of a benchmark: ours, what it is held against, and their ratio, measured in turn in one run.

Times of a machine say little about another one, so a ratio is what is kept, wanted and compared. A module that measures
has `figures(given: Given) -> Iterator[Figure | Missing]`.
"""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from indexer.domain import Frozen


@dataclass(frozen=True)
class Given:
    """What measuring is told: where to keep what is dear to make, and the points that growth is measured at."""

    work: Path
    sizes: tuple[int, ...] = ()


Kind: TypeAlias = Literal["speedup", "cost", "share"]
"""`speedup`: baseline's time / our time. `cost`: our time / baseline's. `share`: our rate / baseline's."""


class Spread(Frozen):
    """Median, and the distance between the quartiles (0 for a single value)."""

    median: float
    iqr: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Raises statistics.StatisticsError for no values."""
        median = statistics.median(values)
        if len(values) < 2:
            return cls(median=median, iqr=0.0)
        low, _, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(median=median, iqr=high - low)


class Wanted(Frozen):
    """What the ratio must be, or, with `within`, our own median in the figure's unit."""

    at_least: float | None = None
    at_most: float | None = None
    within: float | None = None

    def __str__(self) -> str:
        parts = [(self.at_least, "≥ {:g} ×"), (self.at_most, "≤ {:g} ×"), (self.within, "≤ {:g}")]
        return ", ".join(shape.format(value) for value, shape in parts if value is not None)


class Figure(Frozen):
    """`beside` is what has to be known with it, such as `recall@10` or `cosine`, by name."""

    name: str
    """Dotted, begins with its group: `encoders.text.vit-b-32`; the same from run to run."""
    what: str
    against: str | None
    """What the baseline is; None for a figure without one."""
    kind: Kind
    unit: str
    ours: Spread
    baseline: Spread | None = None
    ratio: float | None = None
    spread: float = 0.0
    """Of the ratio: the distance between the quartiles of the pairs' ratios, 0 where there are no pairs."""
    wanted: Wanted | None = None
    beside: Mapping[str, float] = {}
    beside_baseline: Mapping[str, float] = {}
    """The same of the baseline, where that has it: a latency without its recall says nothing."""
    rounds: int = 1
    threads: int | None = None
    """Of ours and of the baseline alike; None where neither is told a number."""

    @classmethod
    def of(
        cls,
        name: str,
        what: str,
        ours: Sequence[float],
        *,
        unit: str = "ms",
        kind: Kind = "cost",
        against: str | None = None,
        baseline: Sequence[float] = (),
        allowed: float = 0.0,
        wanted: Wanted | None = None,
        beside: Mapping[str, float] | None = None,
        beside_baseline: Mapping[str, float] | None = None,
        threads: int | None = None,
    ) -> "Figure":
        """Of what was measured, in `unit`. The ratio is the median of the pairs' where both have as many values,
        else that of the medians; `allowed` is taken off ours before, for a target of the form "so many times + 1 ms".
        """
        ratios = _ratios(kind, [value - allowed for value in ours], baseline) if baseline else None
        return cls(
            name=name,
            what=what,
            against=against,
            kind=kind,
            unit=unit,
            ours=Spread.of(ours),
            baseline=Spread.of(baseline) if baseline else None,
            ratio=ratios.median if ratios else None,
            spread=ratios.iqr if ratios else 0.0,
            wanted=wanted,
            beside=beside or {},
            beside_baseline=beside_baseline or {},
            rounds=len(ours),
            threads=threads,
        )

    @property
    def reached(self) -> bool | None:
        """None where nothing was wanted. A ratio that was not measured does not reach what is wanted of it."""
        wanted, ratio = self.wanted, self.ratio
        if wanted is None:
            return None
        return (
            (wanted.at_least is None or (ratio is not None and ratio >= wanted.at_least))
            and (wanted.at_most is None or (ratio is not None and ratio <= wanted.at_most))
            and (wanted.within is None or self.ours.median <= wanted.within)
        )

    def worsened(self, before: "Figure") -> float | None:
        """How many times worse the ratio has become: 1 for no change, below it is better; None where one has none."""
        if self.ratio is None or before.ratio is None or self.ratio <= 0 or before.ratio <= 0:
            return None
        return self.ratio / before.ratio if self.kind == "cost" else before.ratio / self.ratio

    def overlaps(self, other: "Figure") -> bool:
        """Whether what lies between the quartiles of the two ratios has anything in common."""
        if self.ratio is None or other.ratio is None:
            return False
        return abs(self.ratio - other.ratio) <= (self.spread + other.spread) / 2


class Missing(Frozen):
    """A figure, or a group of them, that could not be measured, and why."""

    name: str
    why: str
    failed: bool = True
    """False where nothing is wrong: something that this machine is free not to have."""

    def __str__(self) -> str:
        return f"{self.name}: {self.why}"


def alternate(
    ours: Callable[[], object],
    baseline: Callable[[], object],
    rounds: int,
    *,
    warm: int = 1,
    pause: float = 0.0,
    between: Callable[[], object] = lambda: None,
) -> tuple[list[float], list[float]]:
    """Milliseconds of each call of ours and of the baseline, in turn; whoever goes first changes with every round.

    The clock stands still for `between`, which is called before each call and after the last, and for `pause` seconds
    before each: threads of the one that was called keep a core for a moment after they answered.
    """
    for _ in range(warm):
        for call in (ours, baseline):
            between()
            call()
    spent: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds):
        turn = [(spent[0], ours), (spent[1], baseline)]
        for kept, call in turn if number % 2 else reversed(turn):
            between()
            time.sleep(pause)
            kept.append(milliseconds(call))
    between()
    return spent


def spelled(ratio: float) -> str:
    """Two decimals; two digits that count of what is below .1."""
    return f"{ratio:.2f}" if ratio >= 0.1 else f"{ratio:.2g}"


def milliseconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1_000


def _ratios(kind: Kind, ours: Sequence[float], baseline: Sequence[float]) -> Spread:
    if len(ours) != len(baseline):
        ours, baseline = [statistics.median(ours)], [statistics.median(baseline)]
    pairs = zip(ours, baseline, strict=True)
    return Spread.of([theirs / mine if kind == "speedup" else mine / theirs for mine, theirs in pairs])
