"""Edge stores, each in a directory of its own that is never renamed, with a small file that says what is published.

What starts the child that fills one is imported when one is filled.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from indexer.errors import StoreMismatch, StoreUnavailable
from indexer.stores.edge import EdgeStore
from indexer.stores.edge_shard import is_sealed, read_description, remove_store, translated
from indexer.stores.owner import Ownership
from indexer.stores.pointer import write_pointer
from indexer.stores.points import EXACT_BELOW
from indexer.stores.seam import Layout

if TYPE_CHECKING:
    from indexer.stores.child import EdgeBuilder


class EdgeStores:
    kind = "edge"
    keeps = True
    durable = True

    def __init__(self, home: Path) -> None:
        self._home = home

    def write(self, build: str, layout: Layout, expected: int) -> "EdgeBuilder":
        from indexer.stores.child import EdgeBuilder

        return EdgeBuilder(self.path(build), layout, expected)

    def open(self, build: str, layout: Layout) -> EdgeStore:
        if not self.holds(build):
            raise StoreMismatch(f"There is no finished store in {self.path(build)}: build the index again.")
        return EdgeStore.open(self.path(build), layout)

    def holds(self, build: str) -> bool:
        return is_sealed(self.path(build))

    def describe(self, build: str) -> str:
        with translated(self.path(build), StoreMismatch):
            _, exact = read_description(self.path(build))
        if exact:
            return f"Edge scans every point, as there are no more than {EXACT_BELOW:,}."
        return f"Edge walks a graph over 4-bit codes and scores by the vectors, from {EXACT_BELOW:,} points on."

    def remove(self, build: str) -> None:
        """Raises StoreOwned when a process has it open."""
        path = self.path(build)
        if not path.is_dir():
            return
        owned = Ownership(path)
        try:
            with translated(path, StoreUnavailable):
                remove_store(path)
        finally:
            owned.release()

    def publish(self, catalog: str, build: str) -> None:
        with translated(self._home, StoreUnavailable):
            write_pointer(self._home, catalog, build)

    def path(self, build: str) -> Path:
        """The directory of one build's store."""
        return self._home / "stores" / "edge" / build
