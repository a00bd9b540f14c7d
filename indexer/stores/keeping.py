"""Where the stores of one kind are kept: one per build, written once by a build and opened by whoever searches it."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from indexer.domain import Point
from indexer.stores.seam import Layout, VectorStore


class Writer(Protocol):
    """A build's store while it is filled, from one thread. An error of an earlier call may be raised by a later one."""

    def upsert(self, points: Sequence[Point]) -> None:
        """Take the points in; of equal ids the last stays."""

    def finish(self) -> int:
        """Merge, index and put everything on the disk; the number of points held. Nothing can be added afterwards."""


class OpenStore(VectorStore, Protocol):
    """A build's store while it is searched and changed."""

    def close(self) -> None:
        """Give it up, so that another process may own it; closing twice is fine."""


class Stores(Protocol):
    """The stores of one kind. Raises StoreOwned, StoreMismatch, StoreUnavailable and SettingsError only."""

    @property
    def kind(self) -> str:
        """As the setting `store.kind` names it."""

    @property
    def keeps(self) -> bool:
        """Whether what is written outlives the process; if not, a build is filled from the ledger whenever it opens."""

    @property
    def durable(self) -> bool:
        """Whether changes of an open store outlive the process; if not, they are applied again whenever it opens."""

    def write(self, build: str, layout: Layout, expected: int) -> AbstractContextManager[Writer]:
        """An empty store for about `expected` points, in place of what the build had.

        Leaving the block without `finish` leaves nothing that `holds` would report.
        """

    def open(self, build: str, layout: Layout) -> OpenStore:
        """Raises StoreMismatch when the store is missing, damaged or of another layout."""

    def holds(self, build: str) -> bool:
        """Whether a finished store of the build is there."""

    def describe(self, build: str) -> str:
        """How the build's points are found, and why so, as a sentence. Raises StoreMismatch when it is not there."""

    def remove(self, build: str) -> None:
        """Delete the build's store; one that is not there is fine."""

    def publish(self, catalog: str, build: str) -> None:
        """Point the catalog's name at the build, for readers who do not ask the ledger. Repeating it is harmless."""
