"""Filling a collection: several calls under way at a time, none of them writing a point that another one writes."""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from uuid import UUID

from indexer.domain import Point
from indexer.store_settings import QdrantSettings
from indexer.stores.qdrant import put, structs
from indexer.stores.qdrant_calls import Server
from indexer.stores.rows import Rows
from indexer.stores.seam import Layout


class QdrantWriter:
    """Filled from one thread. `upsert` returns when a stream is free for its last batch."""

    def __init__(
        self, server: Server, name: str, layout: Layout, settings: QdrantSettings, complete: Callable[[], int]
    ) -> None:
        self._server = server
        self._name = name
        self._layout = layout
        self._settings = settings
        self._complete = complete
        self._streams = ThreadPoolExecutor(settings.streams, thread_name_prefix="qdrant-stream")
        self._under_way: dict[Future[None], set[UUID]] = {}

    def upsert(self, points: Sequence[Point]) -> None:
        """An error of an earlier batch may be raised here or by `finish`."""
        rows = Rows.of(points, self._layout)
        for start in range(0, len(rows.ids), self._settings.batch):
            ids = set(rows.ids[start : start + self._settings.batch])
            while len(self._under_way) >= self._settings.streams or any(
                not ids.isdisjoint(others) for others in self._under_way.values()
            ):
                self._settle()
            self._under_way[self._streams.submit(self._put, rows, start)] = ids

    def finish(self) -> int:
        """Wait for the streams, then complete the collection; the number of points it holds."""
        while self._under_way:
            self._settle()
        return self._complete()

    def stop(self) -> None:
        """Begin no further call; returns when those under way are over."""
        self._streams.shutdown(wait=True, cancel_futures=True)

    def _put(self, rows: Rows, start: int) -> None:
        put(self._server, self._name, structs(rows, self._layout, start, start + self._settings.batch))

    def _settle(self) -> None:
        done, _ = wait(self._under_way, return_when=FIRST_COMPLETED)
        for future in done:
            del self._under_way[future]
        for future in done:
            future.result()
