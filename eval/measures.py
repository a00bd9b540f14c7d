"""The field's measures over runs and judgements, computed by ir_measures.

A run maps query → product → score (higher is better), qrels map query → product → grade (0 is not relevant). Answers
are ordered by score, highest first, and equal scores by id: ir_measures' providers break ties each in their own way,
so they are handed ranks instead of scores. A query of the qrels that the run does not answer counts zero.
"""

from collections.abc import Mapping
from math import isnan

import ir_measures
from ir_measures import RR, R, Success, nDCG

from eval.errors import EmptyQrels, EmptyRun, NotANumber
from eval.suites.suite import Qrels

Run = Mapping[str, Mapping[str, float]]


def ndcg(run: Run, qrels: Qrels, k: int) -> float:
    """Mean nDCG@k in [0, 1], grades as gains, discount 1/log2(rank + 1) (Järvelin and Kekäläinen 2002)."""
    return _mean(each(nDCG @ k, run, qrels))


def success(run: Run, qrels: Qrels, k: int) -> float:
    """Hit rate: the share of queries with a relevant product among the first k."""
    return _mean(each(Success @ k, run, qrels))


def recall(run: Run, qrels: Qrels, k: int) -> float:
    """Mean share of a query's relevant products that are among the first k."""
    return _mean(each(R @ k, run, qrels))


def reciprocal_rank(run: Run, qrels: Qrels, k: int) -> float:
    """Mean of 1/rank of the first relevant product, zero beyond k."""
    return _mean(each(RR @ k, run, qrels))


def each(measure: ir_measures.measures.Measure, run: Run, qrels: Qrels) -> dict[str, float]:
    """The measure's value for every query of the qrels, in their order.

    Raises EmptyRun, EmptyQrels or NotANumber.
    """
    _check(run, qrels)
    ranked = {query: _as_ranks(run[query]) for query in qrels if run.get(query)}
    values = {row.query_id: float(row.value) for row in ir_measures.iter_calc([measure], dict(qrels), ranked)}
    return {query: values.get(query, 0.0) for query in qrels}


def ranking(scores: Mapping[str, float]) -> list[str]:
    """Ids by score, highest first, then by id."""
    return sorted(scores, key=lambda doc: (-scores[doc], doc))


def _as_ranks(scores: Mapping[str, float]) -> dict[str, float]:
    """Strictly falling scores in the same order."""
    return {doc: float(len(scores) - place) for place, doc in enumerate(ranking(scores))}


def _check(run: Run, qrels: Qrels) -> None:
    if not qrels:
        raise EmptyQrels("there are no judgements to measure against")
    if not any(run.values()):
        raise EmptyRun("the run answers no query")
    unjudged = [query for query, grades in qrels.items() if not any(grade > 0 for grade in grades.values())]
    if unjudged:
        raise EmptyQrels(f"query {unjudged[0]} has no relevant product ({len(unjudged)} such queries)")
    for query, scores in run.items():
        for doc, score in scores.items():
            if isnan(score):
                raise NotANumber(f"query {query} scores product {doc} with NaN")


def _mean(values: Mapping[str, float]) -> float:
    return sum(values.values()) / len(values)
