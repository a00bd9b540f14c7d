"""Candidates from every channel by union, each with its exact score in every channel (never a missing one as zero)."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from indexer.domain import Channel, Hit, Spread, Vector, VectorQuery, Where, WordsQuery
from indexer.stores.seam import VectorStore
from service.search.fusion import RAW, Scores, weighted_vectors
from service.search.weights import Weights

MAX_DEPTH = 2_000
"""Points that a search looks at, however many results are wanted."""


@dataclass(frozen=True, eq=False)
class Question:
    """An encoded query: unit vectors per channel, words for the lexical channel, the product to leave out.

    `also` are points that are candidates whatever finds them, as long as they satisfy `where`.
    """

    vectors: Mapping[Channel, Vector]
    words: str
    weights: Weights
    spreads: Mapping[Channel, Spread]
    where: Where | None
    exclude: str | None
    depth: int
    also: tuple[UUID, ...] = ()


@dataclass(frozen=True, eq=False)
class Candidates:
    """`raw[channel]` has one exact score per hit (n,). `exhausted`: the stores have no more to give."""

    hits: list[Hit]
    raw: Mapping[Channel, Scores]
    exhausted: bool


def retrieve(store: VectorStore, question: Question) -> Candidates:
    """At most `depth` points by their vectors, as many by words, and `also`."""
    weighted = weighted_vectors(question.vectors, question.weights, question.spreads)
    dense = store.search(VectorQuery(weighted), question.depth, question.where) if weighted else []
    lexical = _lexical(store, question)
    named = _named(store, question, weighted)
    summed = {hit.point_id.int: hit.score for hit in (*dense, *named)}
    pool = {hit.point_id.int: hit for hit in (*dense, *lexical, *named) if hit.product_id != question.exclude}
    hits = list(pool.values())
    raw = _vector_scores(store, hits, summed, question, weighted) if weighted else {}
    if Channel.LEXICAL in question.weights:
        raw[Channel.LEXICAL] = _lexical_scores(store, hits, lexical, question)
    return Candidates(hits, raw, exhausted=max(len(dense), len(lexical)) < question.depth)


def _named(store: VectorStore, question: Question, weighted: Mapping[Channel, Vector]) -> list[Hit]:
    if not question.also:
        return []
    query = VectorQuery(weighted or question.vectors)
    return store.search(query, len(question.also), question.where, question.also)


def _lexical(store: VectorStore, question: Question) -> list[Hit]:
    if Channel.LEXICAL not in question.weights:
        return []
    return store.search(WordsQuery(question.words), question.depth, question.where)


def _vector_scores(
    store: VectorStore,
    hits: list[Hit],
    summed: Mapping[int, float],
    question: Question,
    weighted: Mapping[Channel, Vector],
) -> dict[Channel, Scores]:
    """The cosine of each hit in each channel, with one look-up less than there are channels.

    `summed` has the weighted sums that are known, by the points' ids as numbers, which are hashed far faster. What is
    left of a sum once the other channels are taken away is the weightiest channel's part, the one that rounding harms
    least.
    """
    unknown = [hit for hit in hits if hit.point_id.int not in summed]
    found = _backfill(store, unknown, VectorQuery(weighted))
    sums = {**summed, **dict(zip((hit.point_id.int for hit in unknown), found.tolist(), strict=True))}
    scales = {channel: question.weights[channel] / question.spreads.get(channel, RAW).deviation for channel in weighted}
    weightiest = max(scales, key=lambda channel: scales[channel])
    others = {
        channel: _backfill(store, hits, VectorQuery({channel: question.vectors[channel]}))
        for channel in weighted
        if channel is not weightiest
    }
    left = np.array([sums[hit.point_id.int] for hit in hits])
    for channel, scores in others.items():
        left = left - scales[channel] * scores
    rest: Scores = (left / scales[weightiest]).round(6)
    return {channel: others.get(channel, rest) for channel in weighted}


def _lexical_scores(store: VectorStore, hits: list[Hit], lexical: list[Hit], question: Question) -> Scores:
    """BM25 of every hit; fewer found by words than asked for means that all others truly score 0."""
    known = {hit.point_id.int: hit.score for hit in lexical}
    unknown = [hit for hit in hits if hit.point_id.int not in known] if len(lexical) >= question.depth else []
    left = _backfill(store, unknown, WordsQuery(question.words))
    known |= zip((hit.point_id.int for hit in unknown), left.tolist(), strict=True)
    return np.array([known.get(hit.point_id.int, 0.0) for hit in hits])


def _backfill(store: VectorStore, hits: list[Hit], query: VectorQuery | WordsQuery) -> Scores:
    """The exact score of each hit for one channel's query; no shared word scores 0."""
    found = store.search(query, len(hits), among=[hit.point_id for hit in hits]) if hits else []
    scores = {hit.point_id.int: hit.score for hit in found}
    return np.array([scores.get(hit.point_id.int, 0.0) for hit in hits])
