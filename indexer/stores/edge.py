"""Qdrant Edge: the Qdrant engine in this process, on one directory that it owns.

A point is one dense vector [image ; text] under plain dot product, one sparse vector of BM25 document weights, and a
payload of the two names and the filterable fields. Up to EXACT_BELOW expected points the vectors are kept as they are
and scanned; above, a graph over 4-bit codes finds candidates, and the original vectors give the scores.

The engine holds the GIL in every call and gains nothing from a second thread, so calls are serialised by a lock.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Final, cast
from uuid import UUID

import numpy as np
import qdrant_edge as engine

from indexer.domain import VECTOR_CHANNELS, Channel, Hit, PayloadValue, Point, StoreQuery, Vector, VectorQuery, Where
from indexer.errors import StoreMismatch, StoreUnavailable
from indexer.stores.edge_shard import create_shard, load_shard, mark_sealed, retrieve, translated
from indexer.stores.edge_where import translate
from indexer.stores.filters import check
from indexer.stores.owner import Ownership
from indexer.stores.points import (
    DENSE,
    EXACT_BELOW,
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
from indexer.stores.rows import Rows, halves, query_row
from indexer.stores.seam import Layout

WRITTEN_TOGETHER: Final = 256
"""Points of one engine call: keeps an entry of the write-ahead log, whose segments hold 32 MB, small."""
NAMES_KEPT: Final = 65_536
"""Hits whose names are remembered (about 25 MB): reading a payload costs the engine 3 µs a hit, a third of a search."""
PAYLOADS_KEPT: Final = 32_768
"""Points whose fields are remembered (about 45 MB): reading and turning them costs 10 µs a point."""
NUMBERS_KEPT: Final = 8_388_608
"""Numbers of vectors that are remembered (32 MB): the engine gives each vector as a list, at 30 µs for 400 numbers."""

APPROXIMATE: Final = engine.SearchParams(
    hnsw_ef=256, quantization=engine.QuantizationSearchParams(rescore=True, oversampling=6.0)
)
"""With 4 times the candidates a search 100 deep by photos or texts alone would miss one in seventy of the first ten
products, with 6 times one in 300, for a third more time (`make bench-fusion`)."""
EXACT: Final = engine.SearchParams(exact=True, quantization=engine.QuantizationSearchParams(ignore=True))


class EdgeStore:
    """Made by `create` or `open`; owns its directory until `close`, after which every call is StoreUnavailable."""

    def __init__(self, path: Path, layout: Layout, shard: engine.EdgeShard, exact: bool, owned: Ownership) -> None:
        self._path = path
        self._layout = layout
        self._shard: engine.EdgeShard | None = shard
        self._params = EXACT if exact else APPROXIMATE
        self._owned = owned
        self._keys = keys_of(layout)
        self._fields = fields_of(layout)
        self._names: dict[int, tuple[str, str]] = {}
        self._payloads: dict[int, Mapping[str, PayloadValue]] = {}
        self._vectors: dict[int, Mapping[Channel, Vector]] = {}
        self._vectors_kept = NUMBERS_KEPT // (len(VECTOR_CHANNELS) * layout.dim)
        self._lock = Lock()

    @classmethod
    def create(cls, path: Path, layout: Layout, expected: int = 0) -> "EdgeStore":
        """An empty store for about `expected` points, in place of whatever unowned store the directory held.

        Raises StoreOwned when a process has the directory open.
        """
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreUnavailable(f"The directory {path} cannot be made: {error.strerror}.") from error
        exact = expected <= EXACT_BELOW
        with _owning(path) as owned, translated(path, StoreUnavailable):
            return cls(path, layout, create_shard(path, layout, exact), exact, owned)

    @classmethod
    def open(cls, path: Path, layout: Layout) -> "EdgeStore":
        """Raises StoreMismatch for a missing, damaged or differently laid out store, StoreOwned for one in use."""
        if not path.is_dir():
            raise StoreMismatch(f"There is no store in {path}: build the index again, or publish another build.")
        with _owning(path) as owned, translated(path, StoreMismatch):
            return cls(path, layout, *load_shard(path, layout), owned)

    def upsert(self, points: Sequence[Point]) -> None:
        self.write(Rows.of(points, self._layout))

    def write(self, rows: Rows) -> None:
        """What `upsert` does, for points that are columns already."""
        for start in range(0, len(rows.ids), WRITTEN_TOGETHER):
            points = self._points(rows, start, start + WRITTEN_TOGETHER)
            with self._calling() as shard:
                self._forget(rows.ids[start : start + WRITTEN_TOGETHER])
                shard.update(engine.UpdateOperation.upsert_points(points))

    def delete(self, ids: Sequence[UUID]) -> None:
        with self._calling() as shard:
            self._forget(ids)
            shard.update(engine.UpdateOperation.delete_points(list(ids)))

    def search(
        self, query: StoreQuery, top_k: int, where: Where | None = None, among: Sequence[UUID] | None = None
    ) -> list[Hit]:
        condition = self._filter(where, among)
        nearest = self._nearest(query)
        if top_k <= 0:
            return []
        params = self._params if among is None else EXACT
        with self._calling() as shard:
            found = _past_ties(shard, nearest, condition, params, top_k)
            return self._hits(shard, found, top_k)

    def fetch(self, ids: Sequence[UUID]) -> dict[UUID, Mapping[Channel, Vector]]:
        """The vectors are read-only: others are given the same ones."""
        with self._calling() as shard:
            if len(self._vectors) > self._vectors_kept:
                self._vectors.clear()
            missing = [id for id in ids if id.int not in self._vectors]
            for record in retrieve(shard, missing, [LACKS], [DENSE]) if missing else ():
                row = np.array(record.vector[DENSE], dtype=np.float32)
                row.flags.writeable = False
                self._vectors[record.id.int] = halves(row, record.payload.get(LACKS, 0))
            return {id: self._vectors[id.int] for id in ids if id.int in self._vectors}

    def read(self, ids: Sequence[UUID]) -> dict[UUID, Mapping[str, PayloadValue]]:
        with self._calling() as shard:
            if len(self._payloads) > PAYLOADS_KEPT:
                self._payloads.clear()
            missing = [id for id in ids if id.int not in self._payloads]
            if missing:
                for record in retrieve(shard, missing, list(self._fields), []):
                    self._payloads[record.id.int] = read_of(record.payload, self._fields)
            return {id: self._payloads[id.int] for id in ids if id.int in self._payloads}

    def count(self) -> int:
        with self._calling() as shard:
            return shard.count(engine.CountRequest(exact=True))

    def flush(self) -> None:
        """Put everything on the disk (about 10 ms, GIL held): needed against loss of power, not of the process."""
        with self._calling() as shard:
            shard.flush()

    def seal(self) -> None:
        """Merge, index and flush what was written. Blocks every thread of the process: for a building child only."""
        with self._calling() as shard:
            shard.flush()
            shard.optimize()
            shard.flush()
            mark_sealed(self._path)

    def close(self) -> None:
        """Give the directory up; closing twice is fine."""
        with self._lock:
            shard, self._shard = self._shard, None
            if shard is not None:
                try:
                    with translated(self._path, StoreUnavailable):
                        shard.close()
                finally:
                    self._owned.release()

    def __enter__(self) -> "EdgeStore":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _calling(self) -> Iterator[engine.EdgeShard]:
        with self._lock:
            if self._shard is None:
                raise StoreUnavailable(f"The store in {self._path} is closed.")
            with translated(self._path, StoreUnavailable):
                yield self._shard

    def _forget(self, ids: Sequence[UUID]) -> None:
        for id in ids:
            self._payloads.pop(id.int, None)
            self._vectors.pop(id.int, None)

    def _points(self, rows: Rows, start: int, end: int) -> list[engine.Point]:
        dense = rows.dense[start:end].tolist()  # one call a batch: four times faster than row by row
        points = []
        for row, vector in enumerate(dense, start):
            words = self._layout.lexicon.document(rows.words[row])
            lexical = engine.SparseVector(words.indices.tolist(), words.values.tolist())
            payload = payload_of(rows, row, self._keys)
            points.append(engine.Point(rows.ids[row], {DENSE: vector, LEXICAL: lexical}, payload))
        return points

    def _nearest(self, query: StoreQuery) -> engine.Query:
        if isinstance(query, VectorQuery):
            return engine.Query.Nearest(query_row(query, self._layout.dim).tolist(), DENSE)
        words = self._layout.lexicon.query(query.words)
        return engine.Query.Nearest(engine.SparseVector(words.indices.tolist(), words.values.tolist()), LEXICAL)

    def _filter(self, where: Where | None, among: Sequence[UUID] | None) -> engine.Filter | None:
        must: list[engine.ConditionType] = []
        if where is not None:
            check(where, self._layout.fields)
            must.append(translate(where, self._keys))
        if among is not None:
            must.append(engine.HasIdCondition(set(among)))
        return engine.Filter(must=must) if must else None

    def _hits(self, shard: engine.EdgeShard, found: Sequence[engine.ScoredPoint], top_k: int) -> list[Hit]:
        # rounded at once: a million times a number of 24 bits is exact, so that this is what `round` gives
        scores = np.array([point.score for point in found], np.float64).round(6).tolist()
        if len(scores) > top_k:  # ids cost more than all else: only those that score no less than the last hit are read
            scores = scores[: top_k + scores[top_k:].count(scores[top_k - 1])]
        ids = cast("list[UUID]", [point.id for point in found[: len(scores)]])
        if len(set(scores)) < len(scores):
            ranked = sorted(zip(scores, ids, strict=True), key=lambda scored: (-scored[0], scored[1].int))[:top_k]
            scores, ids = [score for score, _ in ranked], [id for _, id in ranked]
        names = self._named(shard, ids[:top_k])
        return [Hit(id, product, image, score) for id, (product, image), score in zip(ids, names, scores, strict=False)]

    def _named(self, shard: engine.EdgeShard, ids: list[UUID]) -> list[tuple[str, str]]:
        """(product_id, image_id) of points that are in the shard; what they are named never changes."""
        if len(self._names) > NAMES_KEPT:
            self._names.clear()
        try:
            return [self._names[id.int] for id in ids]
        except KeyError:
            missing = [id for id in ids if id.int not in self._names]
            for record in retrieve(shard, missing, [PRODUCT, IMAGE], []):
                self._names[record.id.int] = record.payload[PRODUCT], record.payload[IMAGE]
            return [self._names[id.int] for id in ids]


@contextmanager
def _owning(directory: Path) -> Iterator[Ownership]:
    """Ownership that outlives the block unless the block fails."""
    owned = Ownership(directory)
    try:
        yield owned
    except BaseException:
        owned.release()
        raise


def _past_ties(
    shard: engine.EdgeShard,
    nearest: engine.Query,
    condition: engine.Filter | None,
    params: engine.SearchParams,
    top_k: int,
) -> list[engine.ScoredPoint]:
    """At least the best `top_k`, and on until the scores differ: the engine leaves the order of ties open."""
    limit = top_k + 1
    while True:
        found = shard.query(engine.QueryRequest(limit=limit, query=nearest, filter=condition, params=params))
        if len(found) < limit or limit >= TIES_AT_MOST or found[-1].score < found[top_k - 1].score - 1e-6:
            return found
        limit = min(limit * 4, TIES_AT_MOST)
