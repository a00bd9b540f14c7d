"""FAISS stores for the contract suite, whose points come by upserts: as they come, or moved into a new base first."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from indexer.domain import Channel, Hit, PayloadValue, Point, StoreQuery, Vector, Where
from indexer.store_settings import FaissSettings
from indexer.stores.faiss_keeping import FaissStores
from indexer.stores.keeping import OpenStore, Stores
from indexer.stores.seam import Layout, VectorStore

FAISS = FaissSettings(device="cpu")


@contextmanager
def upserted_faiss(path: Path, layout: Layout) -> Iterator[VectorStore]:
    store = built(FaissStores(path, FAISS), layout, [])
    yield store
    store.close()


@contextmanager
def rebuilt_faiss(path: Path, layout: Layout) -> Iterator[VectorStore]:
    yield Rebuilt(FaissStores(path, FAISS), layout)


def built(stores: Stores, layout: Layout, points: Sequence[Point], build: str = "b1") -> OpenStore:
    """The build of these points, written and opened."""
    with stores.write(build, layout, len(points)) as writer:
        for start in range(0, len(points), 1_000):
            writer.upsert(points[start : start + 1_000])
        writer.finish()
    return stores.open(build, layout)


class Rebuilt:
    """Everything read comes from a base that a build wrote, and what was deleted since is marked in it."""

    def __init__(self, stores: Stores, layout: Layout) -> None:
        self._stores = stores
        self._layout = layout
        self._points: dict[UUID, Point] = {}
        self._store = built(stores, layout, [])
        self._stale = False

    def upsert(self, points: Sequence[Point]) -> None:
        self._store.upsert(points)
        self._points |= {point.id: point for point in points}
        self._stale = True

    def delete(self, ids: Sequence[UUID]) -> None:
        self._store.delete(ids)
        for id in ids:
            self._points.pop(id, None)

    def search(
        self, query: StoreQuery, top_k: int, where: Where | None = None, among: Sequence[UUID] | None = None
    ) -> list[Hit]:
        return self._fresh().search(query, top_k, where, among)

    def fetch(self, ids: Sequence[UUID]) -> dict[UUID, Mapping[Channel, Vector]]:
        return self._fresh().fetch(ids)

    def read(self, ids: Sequence[UUID]) -> dict[UUID, Mapping[str, PayloadValue]]:
        return self._fresh().read(ids)

    def count(self) -> int:
        return self._fresh().count()

    def _fresh(self) -> OpenStore:
        if self._stale:
            self._store.close()
            self._store = built(self._stores, self._layout, list(self._points.values()))
            self._stale = False
        return self._store
