"""FAISS itself: building, loading and asking an index, and exact products over memory-mapped vectors.

A query is asked with one OpenMP thread: more of them cost a single query milliseconds on a busy machine.
"""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np

from indexer.domain import Matrix, Vector
from indexer.errors import SettingsError, StoreUnavailable
from indexer.store_settings import FaissSettings
from indexer.stores.columns import Mask
from indexer.stores.exact import RowNumbers, Scores
from indexer.stores.faiss_choice import LEARNABLE, Kind

LINKS: Final = 16
LINKING_EFFORT: Final = 100
EFFORT: Final = 256
"""efSearch of an unfiltered query; a filter that leaves a share of the points is asked with that much more."""
CARE: Final = 3
"""efSearch for each candidate fetched, where that is more: with photos or texts alone a search 100 deep would miss one
in fifty of the first ten products, with this one in 500."""
SCANNED_PER_STEP: Final = 40
"""Rows scanned exactly in the time of one more efSearch: measured 5.5 µs against 0.1 to 0.2 µs a row."""
PROBES: Final = 64
"""Lists read by an unfiltered query, of those an inverted file has; a filtered one reads more, as above."""
LISTS_AT_MOST: Final = 16_384
DRAWN: Final = 64
"""Vectors to learn each list's centroid from."""
DRAWN_AT_LEAST: Final = 39
"""What FAISS warns below."""
LEARNT_FROM: Final = 2 * 2**30
"""Bytes of vectors learnt from at most."""
CODES: Final = (64, 56, 48, 40, 32, 28, 24, 20, 16, 12, 8, 4, 3, 2, 1)
"""Bytes of a product-quantised vector that a GPU accepts too."""
ADDED_TOGETHER: Final = 65_536
SHARED_FROM: Final = 50_000
"""Vectors; fewer are indexed by one thread, as several wait longer for each other on a busy machine than they save."""
GPU_ANSWERS: Final = 2_048
"""Neighbours, and lists, that FAISS on a GPU returns and reads at most."""


def load_faiss() -> ModuleType:
    """Raises SettingsError, naming the extras, when FAISS is not installed."""
    try:
        import faiss
    except ImportError as error:
        raise SettingsError(
            "The store faiss needs FAISS: pip install 'vitrine[faiss]' for CPUs, or 'vitrine[gpu]' for NVIDIA GPUs "
            "instead; both install the same module, so choose one."
        ) from error
    return faiss


def wants_gpu(faiss: ModuleType, settings: FaissSettings) -> bool:
    """Raises SettingsError when a GPU is demanded and there is none."""
    found = int(faiss.get_num_gpus()) > 0
    if settings.device == "gpu" and not found:
        raise SettingsError(
            "FAISS finds no GPU: install 'vitrine[gpu]' instead of 'vitrine[faiss]' on a machine with one, or set the "
            "device of the FAISS settings to auto."
        )
    return found and settings.device != "cpu"


def build_index(faiss: ModuleType, kind: Kind, vectors: Matrix, path: Path) -> None:
    """Learn from a sample, add all vectors (n, width) in batches, write to `path`; not for `flat`."""
    rows, width = vectors.shape
    lists = min(int(4 * math.sqrt(rows)), LISTS_AT_MOST)
    sample = min(rows, max(DRAWN * lists, LEARNABLE), LEARNT_FROM // (4 * width))
    index = _empty(faiss, kind, width, max(1, min(lists, sample // DRAWN_AT_LEAST)))
    with _threads(faiss, os.cpu_count() or 1 if rows >= SHARED_FROM else 1):
        drawn = np.sort(np.random.default_rng(0).choice(rows, sample, replace=False))
        index.train(vectors[drawn])
        for start in range(0, rows, ADDED_TOGETHER):
            index.add(np.ascontiguousarray(vectors[start : start + ADDED_TOGETHER]))
    faiss.write_index(index, str(path))


def dots(faiss: ModuleType, query: Vector, vectors: Matrix, rows: RowNumbers | None) -> Scores:
    """The products with these rows, in their order, or with all: exact, in place, on one core."""
    width = query.size
    query = np.ascontiguousarray(query, dtype=np.float32)
    found = np.empty(len(vectors) if rows is None else rows.size, dtype=np.float32)
    ask, pointer = faiss.fvec_inner_products_by_idx, faiss.swig_ptr
    with _threads(faiss, 1):
        if rows is None and found.size:
            faiss.fvec_inner_products_ny(pointer(found), pointer(query), pointer(vectors), width, found.size)
        elif rows is not None and found.size:
            wanted = np.ascontiguousarray(rows, dtype=np.int64)
            ask(pointer(found), pointer(query), pointer(vectors), pointer(wanted), width, 1, found.size)
    return found.astype(np.float64)


class Candidates:
    """An index that proposes rows for exact scoring: HNSW or an inverted file, or vectors in fp16 on a GPU."""

    def __init__(self, faiss: ModuleType, index: Any, kind: Kind, selects: bool) -> None:
        self._faiss = faiss
        self._index = index
        self._kind = kind
        self._selects = selects
        """Whether a filter can be given to it; on a GPU FAISS leaves one unheeded."""

    @classmethod
    def load(cls, faiss: ModuleType, path: Path, kind: Kind, shape: tuple[int, int], gpu: bool) -> "Candidates":
        """The file was verified. Raises RuntimeError or ValueError when it does not index (rows, width) vectors."""
        index = faiss.read_index(str(path))
        if (index.ntotal, index.d) != shape:
            raise ValueError(f"{path} indexes {index.ntotal} vectors of {index.d} numbers")
        if not gpu or kind is Kind.HNSW:
            return cls(faiss, index, kind, selects=True)
        options = faiss.GpuClonerOptions()
        options.useFloat16 = True
        with _on_gpu():
            return cls(faiss, faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), 0, index, options), kind, False)

    @classmethod
    def scanning(cls, faiss: ModuleType, vectors: Matrix) -> "Candidates":
        """All vectors (n, width) in fp16 on the GPU, scanned for every query."""
        config = faiss.GpuIndexFlatConfig()
        config.useFloat16 = True
        with _on_gpu():
            index = faiss.GpuIndexFlatIP(faiss.StandardGpuResources(), vectors.shape[1], config)
            for start in range(0, len(vectors), ADDED_TOGETHER):
                index.add(np.ascontiguousarray(vectors[start : start + ADDED_TOGETHER]))
        return cls(faiss, index, Kind.FLAT, selects=False)

    def propose(self, query: Vector, top_k: int, allowed: Mask | None) -> RowNumbers | None:
        """Rows that hold most of the best `top_k` among the allowed ones; None where an exact scan does better.

        That is where few are allowed: a graph walked under a filter finds ever fewer of them.
        """
        rows = self._index.ntotal
        number = rows if allowed is None else int(np.count_nonzero(allowed))
        wanted = 10 * top_k + 200 if self._kind is Kind.IVF_PQ else 2 * top_k + 50
        if wanted >= number or number <= self._scanned_as_fast():
            return None
        fetched = wanted
        if allowed is not None and not self._selects:
            fetched = math.ceil(1.5 * wanted * rows / number)
        if not self._selects and fetched > GPU_ANSWERS:
            return None
        found = self._ask(query, fetched, rows / number, allowed)
        return found if found.size >= min(top_k, number) else None

    def _scanned_as_fast(self) -> int:
        """Allowed rows that are scanned exactly in the time of a search for them."""
        if self._kind is Kind.HNSW:
            return math.isqrt(SCANNED_PER_STEP * EFFORT * self._index.ntotal)
        if self._kind is Kind.FLAT:
            return 0
        return int(PROBES * self._index.ntotal / self._index.nlist)

    def _ask(self, query: Vector, fetched: int, harder: float, allowed: Mask | None) -> RowNumbers:
        params = self._params(fetched, harder)
        if allowed is not None and self._selects:
            bits = np.packbits(allowed, bitorder="little")
            params.sel = self._faiss.IDSelectorBitmap(bits)
        with _threads(self._faiss, 1):
            _, labels = self._index.search(query.reshape(1, -1), fetched, params=params)
        found: RowNumbers = labels[0][labels[0] >= 0].astype(np.intp)
        return found if allowed is None or self._selects else found[allowed[found]]

    def _params(self, fetched: int, harder: float) -> Any:
        if self._kind is Kind.HNSW:
            return self._faiss.SearchParametersHNSW(efSearch=max(CARE * fetched, math.ceil(EFFORT * harder)))
        if self._kind is Kind.FLAT:
            return None
        probes = min(self._index.nlist, math.ceil(PROBES * harder))
        return self._faiss.SearchParametersIVF(nprobe=probes if self._selects else min(probes, GPU_ANSWERS))


def _empty(faiss: ModuleType, kind: Kind, width: int, lists: int) -> Any:
    metric, byte = faiss.METRIC_INNER_PRODUCT, faiss.ScalarQuantizer.QT_8bit
    if kind is Kind.HNSW:
        graph = faiss.IndexHNSWSQ(width, byte, LINKS, metric)
        graph.hnsw.efConstruction = LINKING_EFFORT
        return graph
    coarse = faiss.IndexFlatIP(width)
    if kind is Kind.IVF_SQ8:
        return faiss.IndexIVFScalarQuantizer(coarse, width, lists, byte, metric)
    code = next(size for size in CODES if width % size == 0)
    return faiss.IndexIVFPQ(coarse, width, lists, code, 8, metric)


@contextmanager
def _threads(faiss: ModuleType, number: int) -> Iterator[None]:
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(number)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


@contextmanager
def _on_gpu() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise StoreUnavailable(
            "The GPU cannot take the index in: free its memory, or set the device of the FAISS settings to cpu."
        ) from error
