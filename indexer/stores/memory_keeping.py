"""Memory stores are kept nowhere: whoever opens one gets it empty and fills it from the ledger."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from indexer.domain import Point
from indexer.stores.memory import MemoryStore
from indexer.stores.seam import Layout


class _Filling:
    def __init__(self, layout: Layout) -> None:
        self._store = MemoryStore(layout)

    def upsert(self, points: Sequence[Point]) -> None:
        self._store.upsert(points)

    def finish(self) -> int:
        return self._store.count()


class MemoryStores:
    kind = "memory"
    keeps = False
    durable = False

    @contextmanager
    def write(self, build: str, layout: Layout, expected: int) -> Iterator[_Filling]:
        yield _Filling(layout)

    def open(self, build: str, layout: Layout) -> MemoryStore:
        return MemoryStore(layout)

    def holds(self, build: str) -> bool:
        """Of no build there is more than what the ledger has."""
        return True

    def describe(self, build: str) -> str:
        return "Every point is scanned, in memory."

    def remove(self, build: str) -> None:
        """There is nothing to delete."""

    def publish(self, catalog: str, build: str) -> None:
        """There is no name to point anywhere."""
