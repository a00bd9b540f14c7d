"""Exact ranking over rows, shared by the stores that keep their rows in this process."""

from collections.abc import Callable
from uuid import UUID

import numpy as np
import numpy.typing as npt

from indexer.domain import Hit
from indexer.stores.columns import Mask
from indexer.stores.lexical import Sparse

RowNumbers = npt.NDArray[np.intp]
Scores = npt.NDArray[np.float64]
Order = npt.NDArray[np.uint64]
"""(rows, 2) upper and lower half of each row's point id."""
Postings = tuple[npt.NDArray[np.signedinteger | np.unsignedinteger], npt.NDArray[np.float32]]
"""The rows that hold a token, and the token's weight in each."""


def order_of(ids: list[UUID]) -> Order:
    return np.array([divmod(id.int, 1 << 64) for id in ids], dtype=np.uint64).reshape(-1, 2)


def bm25(query: Sparse, postings: Callable[[int], Postings | None], rows: int) -> tuple[Mask, Scores]:
    """(rows,) whether each row shares a token with the query, and its sum of products."""
    scores = np.zeros(rows)
    matched = np.zeros(rows, dtype=np.bool_)
    for token, weight in zip(query.indices.tolist(), query.values.tolist(), strict=True):
        found = postings(token)
        if found is not None:
            listed, values = found
            scores[listed] += weight * values
            matched[listed] = True
    return matched, scores


def best(rows: RowNumbers, scores: Scores, order: Order, top_k: int) -> tuple[RowNumbers, Scores]:
    """The first `top_k` of the rows by rounded score descending, then point id ascending."""
    if top_k <= 0:
        return rows[:0], scores[:0]
    scores = scores.round(6)
    if rows.size > top_k:
        contenders = scores >= np.partition(scores, -top_k)[-top_k]
        rows, scores = rows[contenders], scores[contenders]
    ranked = np.lexsort((order[rows, 1], order[rows, 0], -scores))[:top_k]
    return rows[ranked], scores[ranked]


def merged(one: list[Hit], other: list[Hit], top_k: int) -> list[Hit]:
    """The first `top_k` of two rankings of different points."""
    if not one or not other:
        return (one or other)[:top_k]
    return sorted([*one, *other], key=lambda hit: (-hit.score, hit.point_id.int))[:top_k]
