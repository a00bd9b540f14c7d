"""FAISS stores, each in a directory of its own that any number of processes may open."""

from pathlib import Path
from typing import Final

from indexer.store_settings import FaissSettings
from indexer.stores.faiss import FaissStore
from indexer.stores.faiss_choice import Sizes
from indexer.stores.faiss_files import MANIFEST, reaching, read_manifest
from indexer.stores.faiss_index import load_faiss
from indexer.stores.faiss_writing import FaissWriter, clear
from indexer.stores.pointer import write_pointer
from indexer.stores.seam import Layout

SIZES: Final = Sizes()


class FaissStores:
    """Raises SettingsError when FAISS is not installed."""

    kind = "faiss"
    keeps = True
    durable = False

    def __init__(self, home: Path, settings: FaissSettings, sizes: Sizes = SIZES) -> None:
        self._faiss = load_faiss()
        self._home = home
        self._settings = settings
        self._sizes = sizes

    def write(self, build: str, layout: Layout, expected: int) -> FaissWriter:
        """How many points there are is counted: `expected` is not needed."""
        return FaissWriter(self._faiss, self.path(build), layout, self._settings, self._sizes)

    def open(self, build: str, layout: Layout) -> FaissStore:
        return FaissStore.open(self.path(build), layout, self._settings)

    def holds(self, build: str) -> bool:
        return (self.path(build) / MANIFEST).is_file()

    def remove(self, build: str) -> None:
        with reaching(self.path(build)):
            clear(self.path(build))

    def publish(self, catalog: str, build: str) -> None:
        with reaching(self._home):
            write_pointer(self._home, catalog, build)

    def describe(self, build: str) -> str:
        """Which index the build has, and why, as a sentence. Raises StoreMismatch when there is no such build."""
        with reaching(self.path(build)):
            return read_manifest(self.path(build)).reason

    def path(self, build: str) -> Path:
        """The directory of one build's store."""
        return self._home / "stores" / "faiss" / build
