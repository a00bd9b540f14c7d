"""What stores must answer, worked out in plain Python."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import numpy as np

from indexer.domain import (
    AllOf,
    AnyOf,
    Channel,
    Condition,
    Hit,
    Not,
    Op,
    PayloadValue,
    Point,
    Vector,
    VectorQuery,
    Where,
    WordsQuery,
)
from indexer.stores.lexical import Lexicon


def dot_products(points: Iterable[Point], query: VectorQuery, fill: Mapping[Channel, Vector]) -> dict[UUID, float]:
    """Of every point, its missing halves filled."""
    return {
        point.id: sum(
            float(np.dot(weighted, point.vectors.get(channel, fill[channel])))
            for channel, weighted in query.vectors.items()
        )
        for point in points
    }


def bm25_scores(points: Iterable[Point], query: WordsQuery, lexicon: Lexicon) -> dict[UUID, float]:
    """Of the points that share a term with the words."""
    asked = lexicon.query(query.words)
    weights = dict(zip(asked.indices.tolist(), asked.values.tolist(), strict=True))
    scores = {}
    documents: dict[str, dict[int, float]] = {}
    for point in points:
        if point.words not in documents:
            found = lexicon.document(point.words)
            documents[point.words] = dict(zip(found.indices.tolist(), found.values.tolist(), strict=True))
        shared = documents[point.words].keys() & weights.keys()
        if shared:
            scores[point.id] = sum(weights[token] * documents[point.words][token] for token in shared)
    return scores


def check_ranking(hits: Sequence[Hit], scores: Mapping[UUID, float], top_k: int, tolerance: float = 1e-5) -> None:
    """The hits are the best `top_k` of the scores in their order; what float32 cannot tell apart may change places."""
    assert len(hits) == min(top_k, len(scores))
    found = {hit.point_id: hit.score for hit in hits}
    assert len(found) == len(hits), "a point comes twice"
    assert found.keys() <= scores.keys(), "a point that should not be found"
    assert list(hits) == sorted(hits, key=lambda hit: (-hit.score, hit.point_id.int))
    for id, score in found.items():
        assert abs(score - scores[id]) < tolerance, f"{id} has the score {score} instead of {scores[id]}"
    left = [score for id, score in scores.items() if id not in found]
    assert not hits or not left or max(left) < hits[-1].score + tolerance, "a better point was left out"


def holds(where: Where, payload: Mapping[str, PayloadValue]) -> bool:
    match where:
        case AllOf(terms):
            return all(holds(term, payload) for term in terms)
        case AnyOf(terms):
            return any(holds(term, payload) for term in terms)
        case Not(term):
            return not holds(term, payload)
        case Condition(name, Op.NE, value):
            return not holds(Condition(name, Op.EQ, value), payload)
        case Condition(name, op, value):
            return name in payload and _compares(op, payload[name], value)


def _compares(op: Op, found: PayloadValue, value: str | float | bool) -> bool:
    if isinstance(found, list) or isinstance(value, str):
        return value in found if isinstance(found, list) else value == found
    assert not isinstance(found, str)
    return {
        Op.EQ: found == value,
        Op.LT: found < value,
        Op.LE: found <= value,
        Op.GT: found > value,
        Op.GE: found >= value,
    }[op]
