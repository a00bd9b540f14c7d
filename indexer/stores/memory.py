"""The exact reference store: numpy arrays that live and die with their process."""

from array import array
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Final, TypeVar
from uuid import UUID

import numpy as np
import numpy.typing as npt

from indexer.domain import VECTOR_CHANNELS, Channel, Hit, PayloadValue, Point, StoreQuery, Vector, VectorQuery, Where
from indexer.stores.columns import Columns, renumber
from indexer.stores.exact import Postings, RowNumbers, Scores, best, bm25, order_of
from indexer.stores.filters import check
from indexer.stores.lexical import Sparse
from indexer.stores.rows import Rows, halves, query_row
from indexer.stores.seam import Layout

FIRST_CAPACITY: Final = 256
Scalar = TypeVar("Scalar", bound=np.generic)


class MemoryStore:
    """A replaced or deleted point leaves a dead row; dead rows are squeezed out when the arrays are full."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._lock = Lock()
        self._rows: dict[UUID, int] = {}
        self._used = 0
        self._names: list[tuple[UUID, str, str]] = []
        self._dense = np.empty((FIRST_CAPACITY, len(VECTOR_CHANNELS) * layout.dim), dtype=np.float32)
        self._order = np.zeros((FIRST_CAPACITY, 2), dtype=np.uint64)
        """Upper and lower half of the point ids."""
        self._lacks = np.zeros(FIRST_CAPACITY, dtype=np.uint8)
        self._alive = np.zeros(FIRST_CAPACITY, dtype=np.bool_)
        self._columns = Columns(layout.fields, FIRST_CAPACITY)
        self._payloads: list[Mapping[str, PayloadValue]] = []
        self._postings: dict[int, tuple[array[int], array[float]]] = {}

    def upsert(self, points: Sequence[Point]) -> None:
        rows = Rows.of(points, self._layout)
        sparse = [self._layout.lexicon.document(words) for words in rows.words]
        with self._lock:
            self._make_room(len(rows.ids))
            start, end = self._used, self._used + len(rows.ids)
            self._bury(rows.ids)
            self._dense[start:end] = rows.dense
            self._order[start:end] = order_of(rows.ids)
            self._lacks[start:end] = rows.lacks
            self._alive[start:end] = True
            self._columns.write(start, rows.payload)
            self._rows.update(zip(rows.ids, range(start, end), strict=True))
            self._payloads += rows.payload
            self._names += [(id, *names) for id, names in zip(rows.ids, rows.names, strict=True)]
            for row, document in enumerate(sparse, start):
                for token, value in zip(document.indices.tolist(), document.values.tolist(), strict=True):
                    listed, values = self._postings.setdefault(token, (array("q"), array("f")))
                    listed.append(row)
                    values.append(value)
            self._used = end

    def delete(self, ids: Sequence[UUID]) -> None:
        with self._lock:
            self._bury(ids)

    def search(
        self, query: StoreQuery, top_k: int, where: Where | None = None, among: Sequence[UUID] | None = None
    ) -> list[Hit]:
        if where is not None:
            check(where, self._layout.fields)
        with self._lock:
            rows = self._candidates(where, among)
            if isinstance(query, VectorQuery):
                scores = self._dots(query_row(query, self._layout.dim), rows)
            else:
                rows, scores = self._bm25(self._layout.lexicon.query(query.words), rows)
            return self._best(rows, scores, top_k)

    def fetch(self, ids: Sequence[UUID]) -> dict[UUID, Mapping[Channel, Vector]]:
        with self._lock:
            found = {id: self._rows[id] for id in ids if id in self._rows}
            return {id: halves(self._dense[row].copy(), int(self._lacks[row])) for id, row in found.items()}

    def read(self, ids: Sequence[UUID]) -> dict[UUID, Mapping[str, PayloadValue]]:
        with self._lock:
            return {id: self._payloads[self._rows[id]] for id in ids if id in self._rows}

    def count(self) -> int:
        return len(self._rows)

    def close(self) -> None:
        """There is nothing to give up."""

    def _bury(self, ids: Sequence[UUID]) -> None:
        for id in ids:
            row = self._rows.pop(id, None)
            if row is not None:
                self._alive[row] = False

    def _candidates(self, where: Where | None, among: Sequence[UUID] | None) -> RowNumbers:
        mask = self._alive[: self._used].copy()
        if where is not None:
            mask &= self._columns.mask(where, self._used)
        if among is not None:
            listed = np.zeros(self._used, dtype=np.bool_)
            listed[[self._rows[id] for id in among if id in self._rows]] = True
            mask &= listed
        return np.flatnonzero(mask)

    def _dots(self, query: Vector, rows: RowNumbers) -> Scores:
        if rows.size < self._used // 4:
            return (self._dense[rows] @ query).astype(np.float64)
        return (self._dense[: self._used] @ query)[rows].astype(np.float64)

    def _bm25(self, query: Sparse, rows: RowNumbers) -> tuple[RowNumbers, Scores]:
        matched, scores = bm25(query, self._listed, self._used)
        rows = rows[matched[rows]]
        return rows, scores[rows]

    def _listed(self, token: int) -> Postings | None:
        if token not in self._postings:
            return None
        listed, values = self._postings[token]
        return np.frombuffer(listed, np.int64), np.frombuffer(values, np.float32)

    def _best(self, rows: RowNumbers, scores: Scores, top_k: int) -> list[Hit]:
        rows, scores = best(rows, scores, self._order, top_k)
        hits = []
        for row, score in zip(rows.tolist(), scores.tolist(), strict=True):
            id, product_id, image_id = self._names[row]
            hits.append(Hit(id, product_id, image_id, score))
        return hits

    def _make_room(self, more: int) -> None:
        if self._used + more <= self._alive.size:
            return
        if len(self._rows) < self._used // 2:
            self._squeeze()
        capacity = self._alive.size
        while capacity < self._used + more:
            capacity *= 2
        if capacity > self._alive.size:
            self._dense = _grown(self._dense, capacity)
            self._order = _grown(self._order, capacity)
            self._lacks = _grown(self._lacks, capacity)
            self._alive = _grown(self._alive, capacity)
            self._columns.resize(capacity)

    def _squeeze(self) -> None:
        kept = np.flatnonzero(self._alive[: self._used])
        for part in (self._dense, self._order, self._lacks, self._alive):
            part[: kept.size] = part[kept]
        self._alive[kept.size :] = False
        self._columns.squeeze(kept)
        for token, (listed, values) in list(self._postings.items()):
            rows, stays = renumber(listed, kept)
            self._postings[token] = rows, array("f", np.frombuffer(values, np.float32)[stays].tobytes())
        self._names = [self._names[row] for row in kept.tolist()]
        self._payloads = [self._payloads[row] for row in kept.tolist()]
        self._rows = {id: row for row, (id, _, _) in enumerate(self._names)}
        self._used = kept.size


def _grown(part: npt.NDArray[Scalar], capacity: int) -> npt.NDArray[Scalar]:
    grown = np.zeros((capacity, *part.shape[1:]), dtype=part.dtype)
    grown[: part.shape[0]] = part
    return grown
