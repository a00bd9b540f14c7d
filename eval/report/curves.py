"""How figures grow with the number of products looked at, over a suite's judged queries, with their 95 % bands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eval.measured import scored
from eval.measures import Run, ranking
from eval.statistics import CONFIDENCE, SEED
from eval.suites.suite import Suite

RECALLS = tuple(level / 10 for level in range(11))
RESAMPLES = 2_000
"""Enough for a band that is looked at; figures in tables have five times as many."""

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """Points (x, mean over queries), and the ends of the bootstrap interval at each x by itself."""

    points: Sequence[tuple[float, float]]
    band: Sequence[tuple[float, float]]


def by_depth(suite: Suite, run: Run, most: int) -> Mapping[str, Curve]:
    """`Success@k` (the hit rate) and `R@k` for k from 1 to `most`, as `eval.measures` has them at each k."""
    found = [np.cumsum(_hits(right, ranked, most)) for right, ranked in _answers(suite, run)]
    relevant = np.array([len(right) for right, _ in _answers(suite, run)], np.float64)
    cumulated = np.stack(found)
    ks = np.arange(1, most + 1, dtype=np.float64)
    return {
        "Success@k": _curve(ks, (cumulated > 0).astype(np.float64)),
        "R@k": _curve(ks, cumulated / relevant[:, None]),
    }


def precision_recall(suite: Suite, run: Run) -> Curve:
    """Interpolated precision at eleven levels of recall, the mean over queries (Manning et al. 2008, section 8.4).

    A level that the answer does not reach has precision 0.
    """
    rows = []
    for right, ranked in _answers(suite, run):
        cumulated = np.cumsum(_hits(right, ranked, len(ranked)))
        precision = cumulated / np.arange(1, len(ranked) + 1)
        recall = cumulated / len(right)
        rows.append([float(precision[recall >= level - 1e-9].max(initial=0.0)) for level in RECALLS])
    return _curve(np.array(RECALLS), np.array(rows))


def leads(suite: Suite, run: Run) -> Mapping[str, Sequence[float]]:
    """Kind of query → by how much the best right product's score leads the best other one's; below zero it trails.

    Queries whose answer lacks one of the two are left out.
    """
    found: dict[str, list[float]] = {}
    answers = scored(suite, run)
    for query in suite.judged:
        scores, grades = answers[query.id], suite.qrels[query.id]
        right, other = (
            [s for one, s in scores.items() if (grades.get(one, 0) > 0) is wanted] for wanted in (True, False)
        )
        if right and other:
            found.setdefault(query.kind.value, []).append(max(right) - max(other))
    return found


def _answers(suite: Suite, run: Run) -> list[tuple[set[str], list[str]]]:
    """Per judged query the relevant products, and the products of the answer in order."""
    return [
        ({product for product, grade in suite.qrels[query].items() if grade > 0}, ranking(scores))
        for query, scores in scored(suite, run).items()
    ]


def _hits(right: set[str], ranked: Sequence[str], most: int) -> Values:
    """1 at every rank with a relevant product, (most,)."""
    hits = np.zeros(most)
    hits[[place for place, product in enumerate(ranked[:most]) if product in right]] = 1.0
    return hits


def _curve(xs: Values, values: Values) -> Curve:
    """Of values (queries, points): queries are drawn anew, whole rows at once."""
    queries = len(values)
    counts = np.random.default_rng(SEED).multinomial(queries, np.full(queries, 1 / queries), RESAMPLES)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(counts @ values / queries, (tail, 1 - tail), axis=0)
    means = values.mean(axis=0)
    return Curve(_pairs(xs, means), _pairs(low, high))


def _pairs(one: Values, other: Values) -> tuple[tuple[float, float], ...]:
    return tuple((float(a), float(b)) for a, b in zip(one, other, strict=True))
