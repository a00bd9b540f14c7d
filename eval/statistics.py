"""How sure a mean is, and whether two runs differ: resampling over queries.

Intervals are percentile bootstraps (Efron 1979; for search engines Sakai 2006), tests are paired sign-flip
randomisation (Smucker, Allan and Carterette 2007). Both are seeded: the same figures every time.

Wordings of one question succeed and fail together, so what is drawn, or has its sign thrown, are questions with all
their wordings (Davison and Hinkley 1997, §3.8): as many draws as there are queries would promise too narrow intervals.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import nan

import numpy as np
import numpy.typing as npt

RESAMPLES = 10_000
CONFIDENCE = 0.95
SEED = 20_061
KEPT = 500
"""Draws of so many questions stay in memory: 40 MB."""

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A mean and the ends of its 95 % interval; the ends are NaN with fewer than two values."""

    mean: float
    low: float
    high: float

    @property
    def half(self) -> float:
        """Half of the interval's width."""
        return (self.high - self.low) / 2

    @property
    def crosses_zero(self) -> bool:
        """Whether zero is inside, or nothing can be said."""
        return not (self.low > 0 or self.high < 0)


@dataclass(frozen=True)
class Difference:
    """Mean of `after − before` over `queries` pairs, its interval, and the two-sided p-value of no difference.

    `questions` are the pairs that are independent of each other.
    """

    interval: Interval
    p_value: float
    queries: int
    questions: int

    @property
    def shown(self) -> bool:
        """Whether a difference is shown at all: the interval leaves zero out."""
        return not self.interval.crosses_zero


def mean_interval(values: Sequence[float], questions: Sequence[str] | None = None) -> Interval:
    """The mean with its bootstrap interval; `questions` names what each value is a wording of."""
    array = np.asarray(values, np.float64)
    mean = float(array.mean()) if len(array) else nan
    sums, counts = _by_question(array, questions)
    if len(sums) < 2:
        return Interval(mean, nan, nan)
    if np.ptp(array) == 0:
        return Interval(mean, mean, mean)
    means = np.concatenate([drawn @ sums / (drawn @ counts) for drawn in _draws(len(sums))])
    low, high = np.percentile(means, (50 * (1 - CONFIDENCE), 50 * (1 + CONFIDENCE)))
    return Interval(mean, float(low), float(high))


def _draws(questions: int) -> Iterable[Values]:
    """How often each question is drawn in each resample: blocks of (n, questions), RESAMPLES rows in all."""
    return _kept_draws(questions) if questions <= KEPT else _drawn(questions)


@lru_cache(maxsize=4)
def _kept_draws(questions: int) -> tuple[Values, ...]:
    """Every measure of a report is resampled in the same way; drawing anew would take most of the time."""
    return tuple(_drawn(questions))


def _drawn(questions: int) -> Iterator[Values]:
    rng, even = np.random.default_rng(SEED), np.full(questions, 1 / questions)
    block = max(1, min(RESAMPLES, 4_000_000 // questions))
    for start in range(0, RESAMPLES, block):
        rows = min(block, RESAMPLES - start)
        yield rng.multinomial(questions, even, size=rows).astype(np.float64)


def difference(before: Sequence[float], after: Sequence[float], questions: Sequence[str] | None = None) -> Difference:
    """Of two runs' values for the same queries in the same order. Raises ValueError for unequal lengths."""
    pairs = np.asarray(after, np.float64) - np.asarray(before, np.float64)
    sums, _ = _by_question(pairs, questions)
    return Difference(mean_interval(pairs.tolist(), questions), _p_value(sums), len(pairs), len(sums))


def _by_question(values: Values, questions: Sequence[str] | None) -> tuple[Values, Values]:
    """Sum and number of the values of each question."""
    if questions is None:
        return values, np.ones_like(values)
    _, places = np.unique(np.asarray(questions, dtype=np.str_), return_inverse=True)
    if len(places) != len(values):
        raise ValueError(f"{len(values)} values of {len(places)} queries")
    return np.bincount(places, values).astype(np.float64), np.bincount(places).astype(np.float64)


def _p_value(sums: Values) -> float:
    """Chance of a mean at least as far from zero when the sign of every question is thrown anew; exact for few.

    Questions without a difference say nothing and only cost time; one alone is as far from zero with either sign.
    """
    changed = sums[sums != 0]
    if len(changed) < 2:
        return 1.0
    from scipy.stats import permutation_test

    found = permutation_test(
        (changed,),
        np.mean,
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=_batch(changed),
        alternative="two-sided",
        rng=np.random.default_rng(SEED),
    )
    return float(found.pvalue)


def _batch(values: Values) -> int:
    """Resamples held at once: some 32 MB."""
    return max(1, min(RESAMPLES, 4_000_000 // len(values)))
