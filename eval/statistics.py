"""How sure a mean is, and whether two runs differ: resampling over queries.

Intervals are percentile bootstraps (Efron 1979; for search engines Sakai 2006), tests are paired sign-flip
randomisation (Smucker, Allan and Carterette 2007). Both are scipy's, seeded: the same figures every time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
import numpy.typing as npt
from scipy.stats import bootstrap, permutation_test

RESAMPLES = 10_000
CONFIDENCE = 0.95
SEED = 20_061

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
    """Mean of `after − before` over `queries` pairs, its interval, and the two-sided p-value of no difference."""

    interval: Interval
    p_value: float
    queries: int

    @property
    def shown(self) -> bool:
        """Whether a difference is shown at all: the interval leaves zero out."""
        return not self.interval.crosses_zero


def mean_interval(values: Sequence[float]) -> Interval:
    """The mean with its bootstrap interval."""
    array = np.asarray(values, np.float64)
    mean = float(array.mean()) if len(array) else nan
    if len(array) < 2:
        return Interval(mean, nan, nan)
    if np.ptp(array) == 0:
        return Interval(mean, mean, mean)
    found = bootstrap(
        (array,),
        np.mean,
        confidence_level=CONFIDENCE,
        n_resamples=RESAMPLES,
        method="percentile",
        batch=_batch(array),
        rng=np.random.default_rng(SEED),
    ).confidence_interval
    return Interval(mean, float(found.low), float(found.high))


def difference(before: Sequence[float], after: Sequence[float]) -> Difference:
    """Of two runs' values for the same queries in the same order. Raises ValueError for unequal lengths."""
    pairs = np.asarray(after, np.float64) - np.asarray(before, np.float64)
    interval = mean_interval(pairs.tolist())
    return Difference(interval, _p_value(pairs), len(pairs))


def _p_value(pairs: Values) -> float:
    """Chance of a mean at least as far from zero when the sign of every pair is thrown anew; exact for few pairs.

    Pairs that are equal say nothing and only cost time; one pair alone is as far from zero with either sign.
    """
    changed = pairs[pairs != 0]
    if len(changed) < 2:
        return 1.0
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
