"""What exact search over a made-up shop finds, by nothing that a store is made of."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, TypeVar
from uuid import UUID

import numpy as np
import numpy.typing as npt

from eval.benchmarks.synthetic import FILTERS, Shop
from indexer.domain import Frozen, Matrix, VectorQuery, Where
from indexer.stores.rows import query_row

K: Final = 10
KEPT: Final = 32
"""Points looked at for ties with the K-th."""
SLACK: Final = 1e-5
"""Of the query's length: a score this close to the K-th best is as good, so that rounding costs nothing."""

Named = TypeVar("Named", UUID, str)
Right = Sequence[frozenset[UUID]]
"""Of each question, the points that may be among its first K."""


class Case(Frozen):
    """One way of asking: the kind of question, and under which of FILTERS."""

    asked: Literal["words", "photo"]
    under: Literal["10 %", "1 %"] | None = None

    @property
    def where(self) -> Where | None:
        return FILTERS[self.under] if self.under else None

    def __str__(self) -> str:
        return f"{self.asked}, {self.under}" if self.under else self.asked


CASES: Final = (
    Case(asked="words"),
    Case(asked="words", under="10 %"),
    Case(asked="words", under="1 %"),
    Case(asked="photo"),
    Case(asked="photo", under="10 %"),
    Case(asked="photo", under="1 %"),
)


def exact_answers(shop: Shop, questions: Mapping[str, Sequence[VectorQuery]]) -> dict[Case, Right]:
    """One pass over the shop; memory does not grow with it."""
    queries = {kind: np.array([query_row(one, shop.dim) for one in asked]) for kind, asked in questions.items()}
    found = {case: _Best(len(queries[case.asked])) for case in CASES}
    for block in shop.blocks():
        every = {kind: rows @ block.vectors.T for kind, rows in queries.items()}
        for case in CASES:
            scores = every[case.asked]
            found[case].take(
                block.start, np.where(block.passing[case.under], scores, -np.inf) if case.under else scores
            )
    return {case: found[case].right(shop, queries[case.asked]) for case in CASES}


def recall(answer: Sequence[Named], right: frozenset[Named]) -> float:
    """The share of the first K, or of the fewer that there are, that the answer holds."""
    wanted = min(K, len(right))
    return min(len(right.intersection(answer[:K])), wanted) / wanted if wanted else 1.0


class _Best:
    """The KEPT best points of each question, by score and place."""

    def __init__(self, questions: int) -> None:
        self._scores: Matrix = np.full((questions, KEPT), -np.inf, dtype=np.float32)
        self._places: npt.NDArray[np.int64] = np.full((questions, KEPT), -1, dtype=np.int64)

    def take(self, start: int, scores: Matrix) -> None:
        """Scores (questions, n) of the points from `start` on."""
        places = np.broadcast_to(np.arange(start, start + scores.shape[1]), scores.shape)
        both, both_places = np.hstack([self._scores, scores]), np.hstack([self._places, places])
        best = np.argpartition(-both, KEPT - 1, axis=1)[:, :KEPT]
        self._scores = np.take_along_axis(both, best, axis=1)
        self._places = np.take_along_axis(both_places, best, axis=1)

    def right(self, shop: Shop, queries: Matrix) -> Right:
        kth = -np.sort(-self._scores, axis=1)[:, K - 1 : K]
        enough = kth - SLACK * np.linalg.norm(queries, axis=1, keepdims=True)
        good = np.isfinite(self._scores) & (self._scores >= enough)
        return [
            frozenset(shop.point_id(place) for place in places[chosen].tolist())
            for places, chosen in zip(self._places, good, strict=True)
        ]
