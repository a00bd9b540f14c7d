"""Filling a FAISS build: everything goes to the disk as it comes, and is indexed at the end."""

import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType, TracebackType

import numpy as np
import numpy.typing as npt

from indexer.domain import VECTOR_CHANNELS, Point
from indexer.errors import BuildInProgress, StoreUnavailable
from indexer.store_settings import FaissSettings
from indexer.stores.exact import Order
from indexer.stores.faiss_choice import Choice, Kind, Sizes, choose
from indexer.stores.faiss_files import INDEX, MANIFEST, POINTS, REPLACED, VECTORS, mapped, reaching, seal
from indexer.stores.faiss_index import build_index, wants_gpu
from indexer.stores.faiss_postings import SPOOL, invert, spool
from indexer.stores.faiss_sidecar import SidecarWriter, read_order
from indexer.stores.rows import Rows
from indexer.stores.seam import Layout


class FaissWriter:
    """Leaving the block without `finish` removes what was written; a killed one leaves files without a manifest.

    Raises StoreUnavailable when the directory cannot be written, StoreMismatch for points that do not fit the layout.
    """

    def __init__(self, faiss: ModuleType, path: Path, layout: Layout, settings: FaissSettings, sizes: Sizes) -> None:
        self._faiss = faiss
        self._path = path
        self._layout = layout
        self._settings = settings
        self._sizes = sizes
        self._rows = 0
        self._finished = False
        self._files = ExitStack()
        with reaching(path):
            clear(path)
            path.mkdir(parents=True)
            self._vectors = self._files.enter_context((path / VECTORS).open("xb"))
            self._spool = self._files.enter_context((path / SPOOL).open("xb"))
            self._sidecar = self._files.enter_context(SidecarWriter(path / POINTS, layout.fields))

    def upsert(self, points: Sequence[Point]) -> None:
        rows = Rows.of(points, self._layout)
        with reaching(self._path):
            self._vectors.write(rows.dense.tobytes())
            spool(self._spool, self._layout.lexicon, self._rows, rows.words)
            self._sidecar.add(rows)
        self._rows += len(rows.ids)

    def finish(self) -> int:
        with reaching(self._path):
            self._files.close()
            invert(self._path)
            replaced = _replaced(read_order(self._path / POINTS))
            replaced.tofile(self._path / REPLACED)
            chosen = self._index(self._rows - replaced.size)
            points = self._rows - replaced.size
            seal(self._path, self._layout.fingerprint(), self._rows, points, chosen.kind, chosen.reason)
        self._finished = True
        return points

    def __enter__(self) -> "FaissWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Another process that has taken the build over meanwhile has its files here."""
        if not self._finished and not isinstance(error, BuildInProgress):
            with reaching(self._path):
                try:
                    self._files.__exit__(kind, error, trace)
                finally:
                    clear(self._path)

    def _index(self, points: int) -> Choice:
        width = len(VECTOR_CHANNELS) * self._layout.dim
        chosen = choose(points, width, self._settings, wants_gpu(self._faiss, self._settings), self._sizes)
        if chosen.kind is not Kind.FLAT:
            vectors = mapped(self._path / VECTORS, np.float32, width)
            try:
                build_index(self._faiss, chosen.kind, vectors, self._path / INDEX)
            except RuntimeError as error:
                raise StoreUnavailable(f"FAISS could not index {self._path}: {error}") from error
        return chosen


def clear(path: Path) -> None:
    """Remove a build's directory, its manifest first: whatever remains holds nothing."""
    (path / MANIFEST).unlink(missing_ok=True)
    shutil.rmtree(path, ignore_errors=True)


def _replaced(order: Order) -> npt.NDArray[np.int64]:
    """Rows whose id comes again further down."""
    sort = np.lexsort((order[:, 1], order[:, 0]))
    again = np.all(order[sort[1:]] == order[sort[:-1]], axis=1)
    return np.sort(sort[:-1][again]).astype(np.int64)
