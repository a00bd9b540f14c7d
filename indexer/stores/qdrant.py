"""A Qdrant server's collection as a vector store: the Edge store's layout, kept and searched by another process.

Calls of several threads run side by side; a call that changes points returns when searches see the change.
"""

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

import numpy as np
from qdrant_client import models

from indexer.domain import Channel, Hit, PayloadValue, Point, StoreQuery, Vector, VectorQuery, Where
from indexer.errors import StoreUnavailable
from indexer.store_settings import QdrantSettings
from indexer.stores.filters import check
from indexer.stores.points import (
    DENSE,
    IMAGE,
    LACKS,
    LEXICAL,
    PRODUCT,
    TIES_AT_MOST,
    fields_of,
    keys_of,
    payload_of,
    read_of,
)
from indexer.stores.qdrant_calls import Server
from indexer.stores.qdrant_shape import EXACT, Shape
from indexer.stores.qdrant_where import translate
from indexer.stores.rows import Rows, halves, query_row
from indexer.stores.seam import Layout

FETCHED_TOGETHER = 1_000
"""Vectors of one answer: 4 MB at 2 × 512 dimensions."""

Nearest = list[float] | models.SparseVector


class QdrantStore:
    """Made by `QdrantStores`; after `close` every call is StoreUnavailable."""

    def __init__(self, server: Server, name: str, layout: Layout, shape: Shape, settings: QdrantSettings) -> None:
        self._server = server
        self._name = name
        self._layout = layout
        self._settings = settings
        self._params = shape.search(settings)
        self._keys = keys_of(layout)
        self._fields = fields_of(layout)
        self._closed = False

    def upsert(self, points: Sequence[Point]) -> None:
        server = self._open()
        rows = Rows.of(points, self._layout)
        for start in range(0, len(rows.ids), self._settings.batch):
            put(server, self._name, structs(rows, self._layout, start, start + self._settings.batch))

    def delete(self, ids: Sequence[UUID]) -> None:
        server = self._open()
        for start in range(0, len(ids), FETCHED_TOGETHER):
            chosen = models.PointIdsList(points=[str(id) for id in ids[start : start + FETCHED_TOGETHER]])

            def remove(chosen: models.PointIdsList = chosen) -> models.UpdateResult:
                return server.client.delete(self._name, chosen, wait=True)

            completed(server, server.ask(remove))

    def search(
        self, query: StoreQuery, top_k: int, where: Where | None = None, among: Sequence[UUID] | None = None
    ) -> list[Hit]:
        server = self._open()
        condition = self._filter(where, among)
        nearest = self._nearest(query)
        if top_k <= 0 or nearest is None or (among is not None and not among):
            return []
        return _best(self._past_ties(server, nearest, condition, among is not None, top_k), top_k)

    def fetch(self, ids: Sequence[UUID]) -> dict[UUID, Mapping[Channel, Vector]]:
        found: dict[UUID, Mapping[Channel, Vector]] = {}
        for id, record in self._records(ids, [LACKS], [DENSE]):
            vectors = record.vector if isinstance(record.vector, dict) else {}
            lacks = int((record.payload or {}).get(LACKS, 0))
            found[id] = halves(np.array(vectors[DENSE], dtype=np.float32), lacks)
        return found

    def read(self, ids: Sequence[UUID]) -> dict[UUID, Mapping[str, PayloadValue]]:
        found = {
            id: read_of(record.payload or {}, self._fields) for id, record in self._records(ids, list(self._fields), [])
        }
        return {id: found[id] for id in ids if id in found}

    def count(self) -> int:
        return count(self._open(), self._name)

    def close(self) -> None:
        """Stop answering; the collection stays. Closing twice is fine."""
        self._closed = True

    def _open(self) -> Server:
        if self._closed:
            raise StoreUnavailable(f"The store {self._name} at {self._server.address} is closed.")
        return self._server

    def _records(
        self, ids: Sequence[UUID], payload: list[str], vectors: list[str]
    ) -> Iterator[tuple[UUID, models.Record]]:
        """Those of the points that exist, with these payload keys and vectors."""
        server = self._open()
        for start in range(0, len(ids), FETCHED_TOGETHER):
            asked = [str(id) for id in ids[start : start + FETCHED_TOGETHER]]

            def retrieve(left: int, asked: list[str] = asked) -> list[models.Record]:
                return server.client.retrieve(
                    self._name, asked, with_payload=payload, with_vectors=vectors, timeout=left
                )

            found = server.ask_within(self._settings.search_timeout, retrieve)
            yield from ((UUID(str(record.id)), record) for record in found)

    def _nearest(self, query: StoreQuery) -> Nearest | None:
        """None for words of which nothing is left to look for."""
        if isinstance(query, VectorQuery):
            vector: list[float] = query_row(query, self._layout.dim).tolist()
            return vector
        words = self._layout.lexicon.query(query.words)
        if not words.indices.size:
            return None
        return models.SparseVector(indices=words.indices.tolist(), values=words.values.tolist())

    def _filter(self, where: Where | None, among: Sequence[UUID] | None) -> models.Filter | None:
        must: list[models.Condition] = []
        if where is not None:
            check(where, self._layout.fields)
            must.append(translate(where, self._keys))
        if among is not None:
            must.append(models.HasIdCondition(has_id=[str(id) for id in among]))
        return models.Filter(must=must) if must else None

    def _past_ties(
        self, server: Server, nearest: Nearest, condition: models.Filter | None, exact: bool, top_k: int
    ) -> list[models.ScoredPoint]:
        """At least the best `top_k`, and on until the scores differ: the server leaves the order of ties open."""
        dense = isinstance(nearest, list)
        params = (EXACT if exact else self._params) if dense else None

        def query(left: int) -> list[models.ScoredPoint]:
            return server.client.query_points(
                self._name,
                query=nearest,
                using=DENSE if dense else LEXICAL,
                query_filter=condition,
                search_params=params,
                limit=limit,
                with_payload=[PRODUCT, IMAGE],
                timeout=left,
            ).points

        limit = top_k + 1
        while True:
            found = server.ask_within(self._settings.search_timeout, query)
            if len(found) < limit or limit >= TIES_AT_MOST or found[-1].score < found[top_k - 1].score - 1e-6:
                return found
            limit = min(limit * 4, TIES_AT_MOST)


def structs(rows: Rows, layout: Layout, start: int, end: int) -> list[models.PointStruct]:
    """Points `start` to `end` as the client takes them."""
    keys = keys_of(layout)
    dense = rows.dense[start:end].tolist()
    points = []
    for row, vector in enumerate(dense, start):
        words = layout.lexicon.document(rows.words[row])
        lexical = models.SparseVector(indices=words.indices.tolist(), values=words.values.tolist())
        vectors = {DENSE: vector, LEXICAL: lexical}
        points.append(models.PointStruct(id=str(rows.ids[row]), vector=vectors, payload=payload_of(rows, row, keys)))
    return points


def put(server: Server, name: str, points: list[models.PointStruct]) -> None:
    """Write the points; searches see them when it returns."""
    completed(server, server.ask(lambda: server.client.upsert(name, points, wait=True)))


def count(server: Server, name: str) -> int:
    """The exact number of points."""
    return server.ask(lambda: server.client.count(name, exact=True)).count


def completed(server: Server, result: models.UpdateResult) -> None:
    """Raises StoreUnavailable for a change that the server has written down and not yet made."""
    if result.status is not models.UpdateStatus.COMPLETED:
        raise StoreUnavailable(f"Qdrant at {server.address} is behind with its changes ({result.status}): try again.")


def _best(found: Sequence[models.ScoredPoint], top_k: int) -> list[Hit]:
    hits = []
    for point in found:
        payload = point.payload or {}
        hits.append(Hit(UUID(str(point.id)), str(payload[PRODUCT]), str(payload[IMAGE]), round(point.score, 6)))
    return sorted(hits, key=lambda hit: (-hit.score, hit.point_id.int))[:top_k]
