"""Builds on a Qdrant server: a collection each, PREFIX_BUILD, and an alias PREFIX_CATALOG on the published one.

A collection whose build did not finish is told by its metadata, whatever stopped the build.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

from qdrant_client import QdrantClient, models

from indexer.breaker import Breaker
from indexer.errors import BuildInProgress, StoreMismatch, StoreUnavailable
from indexer.store_settings import QdrantSettings
from indexer.stores.qdrant import QdrantStore, count
from indexer.stores.qdrant_calls import Server, connect
from indexer.stores.qdrant_shape import Shape, create
from indexer.stores.qdrant_snapshots import recover, save, save_shard
from indexer.stores.qdrant_writing import QdrantWriter
from indexer.stores.seam import Layout

FIRST_LOOK: Final = 0.05
SLOWEST_LOOK: Final = 2.0
"""Seconds between two looks at a collection that is not green yet."""


class QdrantStores:
    """`client` replaces the one that the settings describe: the client's local mode in tests. While the `breaker` rests
    the server is asked nothing."""

    kind = "qdrant"
    keeps = True
    durable = True

    def __init__(
        self,
        settings: QdrantSettings,
        client: QdrantClient | None = None,
        sleep: Callable[[float], None] = time.sleep,
        breaker: Breaker | None = None,
    ) -> None:
        parts = urlsplit(settings.url)
        address = f"{parts.scheme}://{parts.netloc}"
        self._settings = settings
        self._sleep = sleep
        self._server = Server(
            client or connect(settings, settings.timeout), address, settings.retries, sleep, breaker=breaker
        )
        self._patient = Server(client or connect(settings, settings.patience), address, 0, sleep)

    @contextmanager
    def write(self, build: str, layout: Layout, expected: int) -> Iterator[QdrantWriter]:
        name = self.collection(build)
        shape = Shape.of(layout, self._settings, expected)
        finished = False

        def complete() -> int:
            nonlocal finished
            held = self._complete(name, shape)
            finished = True
            return held

        self._server.ask(lambda: create(self._server.client, name, layout, shape, self._settings))
        writer = QdrantWriter(self._server, name, layout, self._settings, complete)
        try:
            yield writer
        except BuildInProgress:
            finished = True  # another process has taken the build over: the collection is its own now
            raise
        finally:
            writer.stop()
            if not finished:
                with suppress(StoreUnavailable):  # the mark of a finished build is missing all the same
                    self.remove(build)

    @contextmanager
    def attach(self, build: str, layout: Layout) -> Iterator[QdrantWriter]:
        """Write into the collection that another process has open by `write`, and that it will finish.

        `finish` returns when the points of this writer are in, with the number of points of all.
        Raises StoreMismatch when there is no such collection, or it is finished.
        """
        name = self.collection(build)
        _, finished = self._shape(name, layout)
        if finished:
            raise StoreMismatch(f"The collection {name} is finished: nothing can be added to build {build}.")
        writer = QdrantWriter(self._server, name, layout, self._settings, lambda: count(self._server, name))
        try:
            yield writer
        finally:
            writer.stop()

    def open(self, build: str, layout: Layout) -> QdrantStore:
        name = self.collection(build)
        shape, finished = self._shape(name, layout)
        if not finished:
            raise StoreMismatch(f"The build that filled the collection {name} did not finish: build again.")
        return QdrantStore(self._server, name, layout, shape, self._settings)

    def holds(self, build: str) -> bool:
        found = self._look(self.collection(build))
        return found is not None and _is_finished(found)

    def describe(self, build: str) -> str:
        name = self.collection(build)
        found = self._look(name)
        shape = None if found is None else Shape.read(found.config.metadata)
        if shape is None:
            raise StoreMismatch(f"There is no collection {name} on {self._server.address}: build the index again.")
        coded = "" if shape.coding == "none" else f" over {shape.coding} codes, scored by the vectors"
        return f"Qdrant scans collection {name}." if shape.exact else f"Qdrant walks a graph of {name}{coded}."

    def remove(self, build: str) -> None:
        client, name = self._server.client, self.collection(build)
        self._server.ask(lambda: client.delete_collection(name) if client.collection_exists(name) else False)

    def publish(self, catalog: str, build: str) -> None:
        """One request moves the alias, so that a reader finds the former build or this one."""
        name, alias = self.collection(build), self.alias(catalog)
        client = self._server.client
        former = [
            found.collection_name for found in self._server.ask(client.get_aliases).aliases if found.alias_name == alias
        ]
        if former == [name]:
            return
        moves: list[models.AliasOperations] = [
            models.CreateAliasOperation(create_alias=models.CreateAlias(collection_name=name, alias_name=alias))
        ]
        if former:
            moves.insert(0, models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=alias)))
        self._server.ask(lambda: client.update_collection_aliases(moves))

    def snapshot(self, build: str, path: Path) -> None:
        """Write the build's collection to a new file `path`, and its SHA-256 to `path`.sha256 beside it.

        Raises StoreMismatch when the collection is missing, unfinished or spread over several nodes.
        """
        save(self._patient, self._finished(build), path, self._settings)

    def snapshot_shard(self, build: str, path: Path) -> None:
        """The same of the collection's only shard: what `edge_replica.unpack_replica` makes an Edge store of."""
        save_shard(self._patient, self._finished(build), path, self._settings)

    def restore(self, build: str, path: Path, layout: Layout) -> None:
        """Make the build's collection from a file that `snapshot` wrote, in place of what the build had.

        Raises StoreMismatch when the file is not the one its checksum was taken of, or is of another layout.
        """
        recover(self._patient, self.collection(build), path)
        try:
            self.open(build, layout).close()
        except StoreMismatch:
            self.remove(build)
            raise

    def close(self) -> None:
        """Give the connections up."""
        self._server.client.close()
        self._patient.client.close()

    def collection(self, build: str) -> str:
        """The name of the build's collection."""
        return f"{self._settings.prefix}_{quote(build, safe='')}"

    def alias(self, catalog: str) -> str:
        """The name under which the catalog's published collection is found; what a name may not hold is escaped."""
        return f"{self._settings.prefix}_{quote(catalog, safe='')}"

    def _finished(self, build: str) -> str:
        """The name of the build's collection."""
        if not self.holds(build):
            raise StoreMismatch(f"{self._server.address} holds no finished build {build}: there is nothing to save.")
        return self.collection(build)

    def _look(self, name: str) -> models.CollectionInfo | None:
        client = self._server.client
        return self._server.ask(lambda: client.get_collection(name) if client.collection_exists(name) else None)

    def _shape(self, name: str, layout: Layout) -> tuple[Shape, bool]:
        """Of a collection with this layout, and whether it is finished."""
        found = self._look(name)
        if found is None:
            raise StoreMismatch(
                f"There is no collection {name} at {self._server.address}: build again, or copy the build there."
            )
        shape = Shape.read(found.config.metadata)
        if shape is None or shape.layout != layout.fingerprint():
            raise StoreMismatch(f"The collection {name} was not made for this build: build the index again.")
        return shape, _is_finished(found)

    def _complete(self, name: str, shape: Shape) -> int:
        """Have the graph built, wait until it is, and mark the collection as finished; the number of its points."""
        client = self._server.client
        if not shape.exact:
            graph = models.HnswConfigDiff(m=self._settings.m)
            self._server.ask(lambda: client.update_collection(name, hnsw_config=graph))
        self._await_green(name)
        held = count(self._server, name)
        self._server.ask(lambda: client.update_collection(name, metadata=shape.metadata(finished=True)))
        return held

    def _await_green(self, name: str) -> None:
        """Two looks in a row must find the collection optimised and its queue of changes empty."""
        client = self._server.client
        deadline = time.monotonic() + self._settings.patience
        pause, greens = FIRST_LOOK, 0
        while True:
            found = self._server.ask(lambda: client.get_collection(name))
            if found.status is models.CollectionStatus.RED or found.optimizer_status != models.OptimizersStatusOneOf.OK:
                raise StoreUnavailable(f"Qdrant cannot optimise the collection {name}: {found.optimizer_status}.")
            idle = found.update_queue is None or not found.update_queue.length
            greens = greens + 1 if found.status is models.CollectionStatus.GREEN and idle else 0
            if greens == 2:
                return
            if found.status is models.CollectionStatus.GREY:
                self._wake(name)
            if time.monotonic() > deadline:
                raise StoreUnavailable(
                    f"The collection {name} is {found.status} after {self._settings.patience} seconds: "
                    "set VITRINE_STORE__QDRANT__PATIENCE higher, or give the server more cores."
                )
            self._sleep(pause)
            pause = min(2 * pause, SLOWEST_LOOK)

    def _wake(self, name: str) -> None:
        """After a restart the server puts optimising off until something changes: an empty change of settings does."""
        nothing = models.OptimizersConfigDiff()
        self._server.ask(lambda: self._server.client.update_collection(name, optimizers_config=nothing))


def _is_finished(found: models.CollectionInfo) -> bool:
    return bool((found.config.metadata or {}).get("finished"))
