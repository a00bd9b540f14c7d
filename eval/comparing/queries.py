"""Which queries changed between two runs, and where their right answers went."""

from collections.abc import Sequence
from dataclasses import dataclass

from eval.measured import Measured, scored
from eval.measures import Run, ranking
from eval.suites.suite import Suite, SuiteQuery

OVERLAP_AT = 10
LEAST = 1e-9
"""A smaller change of a measure is the arithmetic's."""


@dataclass(frozen=True)
class RankChange:
    """Where one relevant product stands in each run, from 1; None where the run does not have it."""

    product: str
    grade: int
    before: int | None
    after: int | None


@dataclass(frozen=True)
class QueryChange:
    """One query's headline value in each run. `gain` is above zero where the second run is better."""

    query: SuiteQuery
    before: float
    after: float
    gain: float
    ranks: tuple[RankChange, ...]
    """The relevant products, those first that moved most."""


def query_changes(suite: Suite, before: Run, after: Run, headline: tuple[Measured, Measured]) -> list[QueryChange]:
    """Every judged query that the headline measure has a value for in both runs, in the suite's order."""
    a, b = headline
    ranks = [_ranks(scored(suite, run)) for run in (before, after)]
    changes = []
    for query in suite.judged:
        if query.id in a.values and query.id in b.values:
            was, became = a.values[query.id], b.values[query.id]
            gain = became - was if a.higher_is_better else was - became
            moved = _rank_changes(suite, query, ranks[0][query.id], ranks[1][query.id])
            changes.append(QueryChange(query, was, became, gain, moved))
    return changes


def wins(changes: Sequence[QueryChange]) -> list[QueryChange]:
    """The queries the second run is better at, greatest gain first."""
    return sorted((one for one in changes if one.gain > LEAST), key=lambda one: (-one.gain, one.query.id))


def losses(changes: Sequence[QueryChange]) -> list[QueryChange]:
    """The queries the second run is worse at, greatest loss first."""
    return sorted((one for one in changes if one.gain < -LEAST), key=lambda one: (one.gain, one.query.id))


def tally(changes: Sequence[QueryChange]) -> tuple[int, int, int]:
    """How many queries the second run is better at, worse at, and equal at."""
    better, worse = len(wins(changes)), len(losses(changes))
    return better, worse, len(changes) - better - worse


def overlap(suite: Suite, before: Run, after: Run, k: int = OVERLAP_AT) -> dict[str, float]:
    """Share of the first `k` products that both runs have, per judged query that either answers.

    Where both answers are shorter than `k`, of the longer one.
    """
    found = {}
    runs = scored(suite, before), scored(suite, after)
    for query in suite.judged:
        a, b = (ranking(run[query.id])[:k] for run in runs)
        if a or b:
            found[query.id] = len(set(a) & set(b)) / max(len(a), len(b))
    return found


def _ranks(run: Run) -> dict[str, dict[str, int]]:
    return {
        query: {product: rank for rank, product in enumerate(ranking(scores), start=1)} for query, scores in run.items()
    }


def _rank_changes(
    suite: Suite, query: SuiteQuery, before: dict[str, int], after: dict[str, int]
) -> tuple[RankChange, ...]:
    grades = suite.qrels[query.id]
    relevant = [product for product, grade in grades.items() if grade > 0]
    changes = [RankChange(product, grades[product], before.get(product), after.get(product)) for product in relevant]
    behind = max([*before.values(), *after.values()], default=0) + 1
    return tuple(sorted(changes, key=lambda one: (-abs((one.before or behind) - (one.after or behind)), one.product)))
