"""What the exact fusion of photo and text finds, and what other systems make of two lists, by nothing but numpy."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from eval.benchmarks.grown import Shelf
from eval.benchmarks.truth import SLACK, K, recall
from indexer.domain import VECTOR_CHANNELS, Channel, Spread, Vector, VectorQuery
from indexer.stores.rows import query_row
from service.search.fusion import weighted_vectors
from service.search.retrieve import Question
from service.search.weights import Weights, usable

LISTED: Final = 100
"""Points of each list that other systems merge."""
WEIGHTS: Final = tuple(tenths / 10 for tenths in range(11))
"""Of the image channel; the text channel has the rest."""

Scores = npt.NDArray[np.float32]
Right = frozenset[str]
"""The products that may be among the first K."""


@dataclass(frozen=True, eq=False)
class Asked:
    """What is looked for: unit vectors of both halves, and how cosines of such a query spread."""

    vectors: Mapping[Channel, Vector]
    spreads: Mapping[Channel, Spread]

    def question(self, image: float, depth: int) -> Question:
        weights = usable({Channel.IMAGE: image, Channel.TEXT: 1 - image}, VECTOR_CHANNELS)
        vectors = {channel: self.vectors[channel] for channel in weights}
        return Question(vectors, "", weights, self.spreads, None, None, depth)

    def weighted(self, weights: Weights) -> VectorQuery:
        return VectorQuery(weighted_vectors(self.vectors, weights, self.spreads))


class Truth:
    """What exact search finds of every question at every weight, by nothing that a store is made of."""

    def __init__(self, shelf: Shelf, asked: Sequence[Asked]) -> None:
        self.asked = asked
        self._starts = shelf.starts
        self._ids = [shelf.points[start].product_id for start in self._starts.tolist()]
        self._halves = dict(zip(VECTOR_CHANNELS, np.split(shelf.vectors, 2, axis=1), strict=True))
        self.right = {image: [self._right(one, image) for one in asked] for image in WEIGHTS}

    def zero_filled(self) -> dict[float, float]:
        """Recall by image weight."""
        return {
            image: statistics.fmean(
                recall(self._merged(one, image), right)
                for one, right in zip(self.asked, self.right[image], strict=True)
            )
            for image in WEIGHTS
        }

    def _scores(self, asked: Asked, image: float) -> list[Scores]:
        """(points,) of each channel that counts, weighted."""
        weighted = asked.weighted(asked.question(image, LISTED).weights)
        return [self._halves[channel] @ vector for channel, vector in weighted.vectors.items()]

    def _right(self, asked: Asked, image: float) -> Right:
        best = self._best(np.sum(self._scores(asked, image), axis=0))
        length = np.linalg.norm(query_row(asked.weighted(asked.question(image, LISTED).weights), self._dim))
        least = np.partition(best, -K)[-K] - SLACK * length
        return frozenset(self._ids[place] for place in np.flatnonzero(best >= least).tolist())

    def _merged(self, asked: Asked, image: float) -> list[str]:
        total = np.zeros(len(self._halves[Channel.IMAGE]), dtype=np.float32)
        listed = np.zeros(len(total), dtype=np.bool_)
        for scores in self._scores(asked, image):
            first = np.argpartition(-scores, LISTED)[:LISTED]
            total[first] += scores[first]
            listed[first] = True
        best = self._best(np.where(listed, total, -np.inf))
        return [self._ids[place] for place in np.argsort(-best, kind="stable")[:K].tolist()]

    def _best(self, scores: Scores) -> Scores:
        """Of each product its best photo's (products,)."""
        best: Scores = np.maximum.reduceat(scores, self._starts)
        return best

    @property
    def _dim(self) -> int:
        return int(self._halves[Channel.IMAGE].shape[1])
