"""Whether a measure differs between two runs, and how sure one may be when many are looked at."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from enum import StrEnum
from math import isnan, nan

import numpy as np

from eval.measured import Measured
from eval.statistics import Difference, difference
from eval.suites.groups import ALL, groups_of
from eval.suites.suite import Suite


class Verdict(StrEnum):
    """What may be said of the second run."""

    BETTER = "better"
    WORSE = "worse"
    NOT_SHOWN = "no difference shown"
    UNKNOWN = "cannot be told"
    """One value or none: there is no interval."""


@dataclass(frozen=True)
class MeasureDifference:
    """One measure of both runs over the queries that it has a value for in both.

    `difference` is of the plain values: below zero is better where `higher_is_better` is not set. `adjusted_p` is the
    p-value by Holm over the family it was computed with.
    """

    measure: str
    before: float
    after: float
    difference: Difference
    higher_is_better: bool
    adjusted_p: float

    @property
    def verdict(self) -> Verdict:
        """By the interval alone; p-values are beside it."""
        interval = self.difference.interval
        if isnan(interval.low):
            return Verdict.UNKNOWN
        if interval.crosses_zero:
            return Verdict.NOT_SHOWN
        return Verdict.BETTER if (interval.mean > 0) is self.higher_is_better else Verdict.WORSE


def compare_measure(before: Measured, after: Measured, queries: Set[str] | None = None) -> MeasureDifference | None:
    """Over all queries, or the named; None when there is no query that both have a value for.

    `adjusted_p` is the p-value itself until `adjusted` has seen the family.
    """
    names = [name for name in before.values if name in after.values and (queries is None or name in queries)]
    if not names:
        return None
    a, b = ([one.values[name] for name in names] for one in (before, after))
    found = difference(a, b, after.questions(names))
    return MeasureDifference(
        before.name, float(np.mean(a)), float(np.mean(b)), found, before.higher_is_better, found.p_value
    )


def by_group(suite: Suite, pairs: Sequence[tuple[Measured, Measured]]) -> dict[str, tuple[MeasureDifference, ...]]:
    """Measures of two runs of the suite: `all`, the kinds of query, then tags.

    Holm's family is the measures for `all`, and every measure of every other group for those.
    """
    groups = {group: {query.id for query in queries} for group, queries in groups_of(suite).items()}
    found: dict[str, list[MeasureDifference]] = {}
    for group, names in groups.items():
        each = (compare_measure(a, b, None if group == ALL else names) for a, b in pairs)
        found[group] = [one for one in each if one is not None]
    parts = {group: differences for group, differences in found.items() if group != ALL and differences}
    return adjusted({ALL: found[ALL]}) | adjusted(parts)


def adjusted(groups: Mapping[str, Sequence[MeasureDifference]]) -> dict[str, tuple[MeasureDifference, ...]]:
    """All differences of the groups taken as one family."""
    p_values = iter(holm([one.difference.p_value for found in groups.values() for one in found]))
    return {group: tuple(replace(one, adjusted_p=next(p_values)) for one in found) for group, found in groups.items()}


def holm(p_values: Sequence[float]) -> list[float]:
    """The step-down adjustment (Holm 1979): the chance of any false finding in the family stays below each value.

    In the order given; NaN is none of the family.
    """
    order = sorted((number for number, p in enumerate(p_values) if not isnan(p)), key=lambda number: p_values[number])
    found, worst = [nan] * len(p_values), 0.0
    for place, number in enumerate(order):
        worst = max(worst, min(1.0, (len(order) - place) * p_values[number]))
        found[number] = worst
    return found
