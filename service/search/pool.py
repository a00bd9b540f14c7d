"""The candidates of an edit: all its routes search, every candidate gets its exact score in every route, and the routes
of a channel become one score.

A channel's score is the weighted mean of its routes' cosines, so that calibration, weights and every method of fusion
go on as for any other query.

Texts count as much as they agree with the photos. Variants that share their words are found by them almost alone; where
the words say nothing of the thing (an article number, a slogan) they are noise as loud as any signal. What tells the
two apart is whether the products whose words are nearest look like the reference, its changed attribute aside.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from indexer.domain import VECTOR_CHANNELS, Channel, Hit, Matrix, PayloadValue, Vector, VectorQuery
from indexer.images.names import SYNONYMS
from indexer.stores.seam import VectorStore
from service.changes import COLOUR, Change
from service.search.feedback import fed_back, followed, marked
from service.search.fusion import RAW, Scores, weighted_vectors
from service.search.questions import Edit, Encoded, Route
from service.search.retrieve import Candidates, Question
from service.search.weights import Weights, usable
from service.vectors import without

SAME_PHOTO = 1 - 1e-5
"""Cosine from which two photos are one: the encoder gives equal pixels equal vectors but for rounding."""
_WITNESSES = 10
"""Products by whose photos the words are judged."""
_SHARPNESS = 2
"""Power of the agreement that the text channel's weight is multiplied with; 1 let too much noise in."""


@dataclass(frozen=True, eq=False)
class Pooled:
    """`candidates` as `retrieve` gives them, and the weights to fuse them with.

    `ranks` has for each route the products it found with their rank in it. `agreement` of words and photos is 0 to 1.
    """

    candidates: Candidates
    weights: Weights
    ranks: Mapping[str, Mapping[str, int]]
    agreement: float

    def routes_of(self, product_id: str) -> dict[str, int]:
        return {name: found[product_id] for name, found in self.ranks.items() if product_id in found}


def pool(
    store: VectorStore, question: Question, encoded: Encoded, fill: Mapping[Channel, Vector], as_weighed: bool = False
) -> Pooled:
    """`fill` are the build's mean vectors (dim,), which stand in for what a product lacks.

    `as_weighed`: the question's weights are used as they are, however little texts agree with photos.

    Each route searches `question.depth` points. Left out are `question.exclude` and photos that are the reference's
    own, unless they are of a product that has what is wanted. `encoded` is of an edit.
    """
    assert encoded.edit is not None
    edit = encoded.edit
    found: dict[str, list[Hit]] = {route.name: _search(store, question, route) for route in edit.routes}
    listed = [hit for hits in found.values() for hit in hits] + _named(store, question, encoded)
    hits = list({hit.point_id: hit for hit in listed if hit.product_id != question.exclude}.values())
    stored = _Stored.of(store, hits, fill)
    stored = stored.only(_others(store, stored, encoded))
    edit = _taught(store, edit, encoded.changes, found, stored)
    channels = {channel for route in edit.routes for channel in route.vectors}
    weights = usable(question.weights, channels)
    agreement = _agreement(edit, stored, fill) if {*VECTOR_CHANNELS} <= {*weights} else 1.0
    raw = {channel: _scores(edit, channel, stored, question, fill) for channel in weights}
    exhausted = all(len(one) < question.depth for one in found.values())
    if Channel.TEXT in weights and len(weights) > 1 and not as_weighed:
        text = weights[Channel.TEXT] * edit.wording * agreement**_SHARPNESS
        weights = usable({**weights, Channel.TEXT: text}, channels)
        raw = {channel: raw[channel] for channel in weights}
    return Pooled(Candidates(stored.hits, raw, exhausted), weights, _ranks(found, stored.hits), agreement)


def _taught(
    store: VectorStore, edit: Edit, changes: Sequence[Change], found: Mapping[str, Sequence[Hit]], stored: "_Stored"
) -> Edit:
    """The edit after a look at what its routes found, where the settings want one."""
    if not changes or not (edit.follow or edit.feedback):
        return edit
    points = [hit.point_id for hit in stored.hits]
    payloads = store.read(points)
    marks = marked([payloads.get(point, {}) for point in points], changes)
    if edit.follow:
        edit = followed(edit, found, {point: place for place, point in enumerate(points)}, marks)
    return fed_back(edit, stored.vectors, marks, edit.feedback) if edit.feedback else edit


@dataclass(frozen=True, eq=False)
class _Stored:
    """Candidates with their vectors (n, dim) per channel, `fill` where they have none of their own (n,)."""

    hits: list[Hit]
    vectors: Mapping[Channel, Matrix]
    has: Mapping[Channel, npt.NDArray[np.bool_]]

    @classmethod
    def of(cls, store: VectorStore, hits: list[Hit], fill: Mapping[Channel, Vector]) -> "_Stored":
        stored = store.fetch([hit.point_id for hit in hits])
        kept = [hit for hit in hits if hit.point_id in stored]
        vectors, has = {}, {}
        for channel in VECTOR_CHANNELS:
            rows = [stored[hit.point_id].get(channel, fill[channel]) for hit in kept]
            vectors[channel] = np.array(rows, np.float32).reshape(len(kept), len(fill[channel]))
            has[channel] = np.array([channel in stored[hit.point_id] for hit in kept], bool)
        return cls(kept, vectors, has)

    def only(self, kept: Sequence[bool]) -> "_Stored":
        at = np.flatnonzero(kept)
        vectors = {channel: matrix[at] for channel, matrix in self.vectors.items()}
        return _Stored([self.hits[place] for place in at], vectors, {one: has[at] for one, has in self.has.items()})


def _search(store: VectorStore, question: Question, route: Route) -> list[Hit]:
    vectors = {channel: vector for channel, vector in route.vectors.items() if question.weights.get(channel, 0) > 0}
    weighted = weighted_vectors(vectors, question.weights, question.spreads)
    return store.search(VectorQuery(weighted), question.depth, question.where) if weighted else []


def _named(store: VectorStore, question: Question, encoded: Encoded) -> list[Hit]:
    """Points that are candidates whatever finds them, as long as they satisfy the filters."""
    if not question.also:
        return []
    return store.search(VectorQuery(encoded.vectors), len(question.also), question.where, question.also)


def _others(store: VectorStore, stored: _Stored, encoded: Encoded) -> list[bool]:
    """Per candidate whether it is something else than the reference's photo again."""
    assert encoded.edit is not None
    reference = encoded.edit.reference.get(Channel.IMAGE)
    if reference is None:
        return [True] * len(stored.hits)
    same = (stored.vectors[Channel.IMAGE] @ reference >= SAME_PHOTO) & stored.has[Channel.IMAGE]
    payloads = store.read([hit.point_id for hit, is_same in zip(stored.hits, same, strict=True) if is_same])
    return [
        not is_same or any(_carries(change, payloads.get(hit.point_id, {})) for change in encoded.changes)
        for hit, is_same in zip(stored.hits, same, strict=True)
    ]


def _carries(change: Change, payload: Mapping[str, PayloadValue]) -> bool:
    value = payload.get(change.field)
    words = value if isinstance(value, list) else [value]
    return change.target in [SYNONYMS.get(word, word) if change.field == COLOUR else word for word in map(str, words)]


def _scores(
    edit: Edit, channel: Channel, stored: _Stored, question: Question, fill: Mapping[Channel, Vector]
) -> Scores:
    """Weighted mean over the routes of the channel (n,); a blind route's cosines have the mean that calibration
    expects."""
    routes = [route for route in edit.routes if channel in route.vectors]
    total = np.zeros(len(stored.hits))
    for route in routes:
        vector = route.vectors[channel]
        if route.blind:
            scores = _blind(edit, channel, vector, stored, fill) + question.spreads.get(channel, RAW).mean
        else:
            scores = (stored.vectors[channel] @ vector).astype(np.float64)
        total += route.weight * scores
    return total / sum(route.weight for route in routes)


def _blind(edit: Edit, channel: Channel, vector: Vector, stored: _Stored, fill: Mapping[Channel, Vector]) -> Scores:
    """Cosines without the changed attribute, less the average product's (n,); 0 for what lacks the channel.

    The average over unit vectors is the mean vector's dot product over their mean length once the attribute is gone.
    """
    rows = stored.vectors[channel]
    rest = rows - (rows @ edit.changed.T) @ edit.changed
    lengths = np.maximum(np.linalg.norm(rest, axis=1), 1e-6)
    average = float(fill[channel] @ vector) / float(lengths.mean()) if len(rows) else 0.0
    cosines = (rest @ vector) / lengths
    return np.where(stored.has[channel], cosines - average, 0.0).astype(np.float64)


def _agreement(edit: Edit, stored: _Stored, fill: Mapping[Channel, Vector]) -> float:
    """How near by photo those are that are nearest by words, as a share of how near photos come: 0 to 1."""
    if len(stored.hits) <= _WITNESSES or not {*VECTOR_CHANNELS} <= {*edit.reference}:
        return 1.0
    seen, said = (
        _blind(edit, channel, without(edit.reference[channel][None], edit.changed)[0], stored, fill)
        for channel in VECTOR_CHANNELS
    )
    nearest = np.argsort(-said, kind="stable")[:_WITNESSES]
    best = float(np.sort(seen)[-_WITNESSES:].mean())
    return float(np.clip(seen[nearest].mean() / best, 0, 1)) if best > 0 else 1.0


def _ranks(found: Mapping[str, Sequence[Hit]], kept: Sequence[Hit]) -> dict[str, dict[str, int]]:
    """Route → product → its rank among the route's products that are candidates."""
    there = {hit.product_id for hit in kept}
    ranks: dict[str, dict[str, int]] = {}
    for name, hits in found.items():
        products = dict.fromkeys(hit.product_id for hit in hits if hit.product_id in there)
        ranks[name] = {product: rank for rank, product in enumerate(products, start=1)}
    return ranks
