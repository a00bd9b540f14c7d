"""Measures by name over a suite: ir_measures' own, and those that need to know more of a query than its judgements.

| name | what it is | better |
|---|---|---|
| `nDCG@10`, `RR@10`, `P@10`, `R@100`, `Success@1` … | as ir_measures has them; Success@k is the hit rate | higher |
| `AP@k` | precision at each relevant product among the first k, over *all* relevant products | higher |
| `APmin@k` | the same over min(k, relevant products), as CIRCO has it | higher |
| `NegRecall@k` | share of a query's hard negatives among the first k | lower |
| `Unjudged@k` | share of the first k that nobody judged | lower |
| `Oracle(nDCG@k)` | nDCG@k of the run's candidates in the best possible order: what reranking can reach | higher |
| `Range(nDCG@k)` | largest minus smallest value among paraphrases of one question | lower |
| `AbsentAUC` | chance that a query with an answer scores its first product above one without any | higher |
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import ir_measures
import numpy as np
from ir_measures import AP, Judged, nDCG

from eval.errors import UnknownMeasure
from eval.measures import Run, each, ranking
from eval.suites.suite import Suite

_OWN = re.compile(r"(?P<name>APmin|NegRecall|Unjudged)@(?P<k>[1-9]\d*)$")
_OF = re.compile(r"(?P<name>Oracle|Range)\((?P<inner>[^()]+)\)$")
ABSENT_AUC = "AbsentAUC"
LOWER_IS_BETTER = ("NegRecall", "Unjudged", "Range")


@dataclass(frozen=True)
class Measured:
    """One measure's value per query (per question for Range); their mean is the figure.

    `wordings` names the question of each query that is one of several wordings; the others are their own.
    """

    name: str
    values: Mapping[str, float]
    wordings: Mapping[str, str] = field(default_factory=dict)

    @property
    def mean(self) -> float:
        """NaN when the suite holds nothing that the measure is about."""
        return float(np.mean(list(self.values.values()))) if self.values else float("nan")

    def questions(self, queries: Iterable[str]) -> list[str]:
        """What each of the queries asks: queries of one question are not independent of each other."""
        return [self.wordings.get(query, f"query {query}") for query in queries]

    @property
    def higher_is_better(self) -> bool:
        return not self.name.startswith(LOWER_IS_BETTER)


def scored(suite: Suite, run: Run) -> dict[str, dict[str, float]]:
    """The run of the suite's judged queries, without the products each of them excludes."""
    kept = {}
    for query in suite.judged:
        left_out = set(query.exclude)
        kept[query.id] = {doc: score for doc, score in run.get(query.id, {}).items() if doc not in left_out}
    return kept


def measured(name: str, suite: Suite, run: Run) -> Measured:
    """Raises UnknownMeasure, and what `eval.measures.each` raises."""
    wordings = {query.id: query.paraphrases for query in suite.judged if query.paraphrases is not None}
    return Measured(name, _values(name, suite, run), wordings)


def _values(name: str, suite: Suite, run: Run) -> Mapping[str, float]:
    if name == ABSENT_AUC:
        return _absent_auc(suite, run)
    of = _OF.match(name)
    if of and of["name"] == "Range":
        return _ranges(suite, _values(of["inner"], suite, run))
    if of:
        return _values(of["inner"], suite, _best_order(suite, run))
    own = _OWN.match(name)
    if own:
        return _PER_QUERY[own["name"]](suite, scored(suite, run), int(own["k"]))
    return each(_parsed(name, suite), scored(suite, run), suite.qrels)


def _parsed(name: str, suite: Suite) -> ir_measures.measures.Measure:
    try:
        measure: ir_measures.measures.Measure = ir_measures.parse_measure(name)
    except (NameError, ValueError, SyntaxError) as error:
        known = "nDCG@k, RR@k, AP@k, APmin@k, P@k, R@k, Success@k, NegRecall@k, Unjudged@k, Oracle(nDCG@k), "
        raise UnknownMeasure(f"No measure {name!r}; there are {known}Range(nDCG@k), {ABSENT_AUC}.") from error
    gains = suite.card.gains
    if gains is not None and measure.NAME == nDCG.NAME and "gains" not in measure.params:
        measure = nDCG(gains=gains, **measure.params)
    return measure


def _ap_min(suite: Suite, run: Run, k: int) -> dict[str, float]:
    by_all = each(AP @ k, run, suite.qrels)
    relevant = {query: sum(grade > 0 for grade in grades.values()) for query, grades in suite.qrels.items()}
    return {query: value * relevant[query] / min(k, relevant[query]) for query, value in by_all.items()}


def _negative_recall(suite: Suite, run: Run, k: int) -> dict[str, float]:
    found = {}
    for query in suite.judged:
        if query.hard_negatives:
            first = ranking(run[query.id])[:k]
            found[query.id] = len(set(first) & set(query.hard_negatives)) / len(set(query.hard_negatives))
    return found


def _unjudged(suite: Suite, run: Run, k: int) -> dict[str, float]:
    answered = {query: scores for query, scores in run.items() if scores}
    judged = each(Judged @ k, answered, {query: suite.qrels[query] for query in answered})
    return {query: 1.0 - value for query, value in judged.items()}


_PER_QUERY: Mapping[str, Callable[[Suite, Run, int], dict[str, float]]] = {
    "APmin": _ap_min,
    "NegRecall": _negative_recall,
    "Unjudged": _unjudged,
}


def _best_order(suite: Suite, run: Run) -> dict[str, dict[str, float]]:
    gains = suite.card.gains
    best = {}
    for query, scores in scored(suite, run).items():
        grades = suite.qrels[query]
        best[query] = {doc: float((gains or {}).get(grades.get(doc, 0), grades.get(doc, 0))) for doc in scores}
    return best


def _ranges(suite: Suite, values: Mapping[str, float]) -> dict[str, float]:
    """Largest minus smallest value of every question that is asked in two ways or more."""
    asked = defaultdict(list)
    for query in suite.judged:
        if query.paraphrases is not None:
            asked[query.paraphrases].append(values[query.id])
    return {question: max(found) - min(found) for question, found in asked.items() if len(found) > 1}


def _absent_auc(suite: Suite, run: Run) -> dict[str, float]:
    """Area under the ROC curve by the Mann–Whitney statistic (Hanley and McNeil 1982), one value for the suite.

    An unanswered query scores below every answered one.
    """
    best = {query.id: max(run.get(query.id, {}).values(), default=-np.inf) for query in suite.queries}
    present, absent = ([best[q.id] for q in suite.queries if q.absent is wanted] for wanted in (False, True))
    if not present or not absent:
        return {}
    from scipy.stats import mannwhitneyu

    statistic = mannwhitneyu(present, absent).statistic
    return {suite.card.name: float(statistic) / (len(present) * len(absent))}
