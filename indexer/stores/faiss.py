"""FAISS: a base that a build wrote once, what was deleted of it, and what was upserted since.

The base is memory-mapped vectors with an index that proposes candidates; deletions are marks on its rows; upserts go to
a memory store, exact like the rescored candidates, so that both rankings merge. Marks and upserts die with the process.

The original vectors are kept as fp32: what is fetched is what was stored, and rescored candidates have the scores and
the order of the memory store. In fp16 a weighted query could be off by more than the seam's 1e-3.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Final
from uuid import UUID

import numpy as np

from indexer.domain import (
    VECTOR_CHANNELS,
    Channel,
    Hit,
    Matrix,
    PayloadValue,
    Point,
    StoreQuery,
    Vector,
    VectorQuery,
    Where,
)
from indexer.errors import StoreMismatch, StoreUnavailable
from indexer.store_settings import FaissSettings
from indexer.stores.columns import Mask
from indexer.stores.exact import RowNumbers, Scores, best, bm25, merged
from indexer.stores.faiss_choice import Kind
from indexer.stores.faiss_files import (
    INDEX,
    POINTS,
    REPLACED,
    VECTORS,
    FaissManifest,
    mapped,
    reaching,
    read_manifest,
    verify,
)
from indexer.stores.faiss_index import Candidates, dots, load_faiss, wants_gpu
from indexer.stores.faiss_postings import InvertedFile
from indexer.stores.faiss_sidecar import id_of, read_sidecar
from indexer.stores.filters import check
from indexer.stores.memory import MemoryStore
from indexer.stores.rows import halves, query_row
from indexer.stores.seam import Layout

LOWER: Final = (1 << 64) - 1


class FaissStore:
    """Made by `open`; after `close` every call is StoreUnavailable."""

    def __init__(self, path: Path, layout: Layout, base: "Base") -> None:
        self._path = path
        self._layout = layout
        self._base: Base | None = base
        self._alive = base.unreplaced()
        self._dead = int(self._alive.size - np.count_nonzero(self._alive))
        self._recent = MemoryStore(layout)
        self._lock = Lock()

    @classmethod
    def open(cls, path: Path, layout: Layout, settings: FaissSettings) -> "FaissStore":
        """Every file is compared with the manifest before it is parsed.

        Raises StoreMismatch for a missing, damaged, too large or differently laid out store, StoreUnavailable when it
        cannot be read or the GPU cannot take it, SettingsError when FAISS or a demanded GPU is absent.
        """
        faiss = load_faiss()
        gpu = wants_gpu(faiss, settings)
        with reaching(path):
            manifest = read_manifest(path)
            if manifest.layout != layout.fingerprint():
                raise StoreMismatch(f"The store in {path} was not made for this build: build the index again.")
            verify(path, manifest, settings.max_bytes)
            return cls(path, layout, Base(faiss, path, layout, manifest, gpu))

    def upsert(self, points: Sequence[Point]) -> None:
        with self._lock:
            base = self._opened()
            self._recent.upsert(points)
            self._bury(base, [point.id for point in points])

    def delete(self, ids: Sequence[UUID]) -> None:
        with self._lock:
            self._bury(self._opened(), ids)
            self._recent.delete(ids)

    def search(
        self, query: StoreQuery, top_k: int, where: Where | None = None, among: Sequence[UUID] | None = None
    ) -> list[Hit]:
        if where is not None:
            check(where, self._layout.fields)
        with self._lock:
            base = self._opened()
            allowed = self._allowed(base, where)
            if isinstance(query, VectorQuery):
                rows, scores = base.nearest(query_row(query, self._layout.dim), top_k, allowed, among)
            else:
                rows, scores = base.matching(query.words, allowed, among)
            recent = self._recent.search(query, top_k, where, among) if self._recent.count() else []
            return merged(base.hits(rows, scores, top_k), recent, top_k)

    def fetch(self, ids: Sequence[UUID]) -> dict[UUID, Mapping[Channel, Vector]]:
        with self._lock:
            base = self._opened()
            found = {id: base.vectors(row) for id, row in base.find(ids).items() if self._alive[row]}
            return found | self._recent.fetch(ids)

    def read(self, ids: Sequence[UUID]) -> dict[UUID, Mapping[str, PayloadValue]]:
        with self._lock:
            base = self._opened()
            rows = {id: row for id, row in base.find(ids).items() if self._alive[row]}
            found = dict(zip(rows, base.payloads(list(rows.values())), strict=True)) | self._recent.read(ids)
            return {id: found[id] for id in ids if id in found}

    def count(self) -> int:
        with self._lock:
            self._opened()
            return self._alive.size - self._dead + self._recent.count()

    def close(self) -> None:
        """Closing twice is fine."""
        with self._lock:
            self._base = None

    def _opened(self) -> "Base":
        if self._base is None:
            raise StoreUnavailable(f"The store in {self._path} is closed.")
        return self._base

    def _bury(self, base: "Base", ids: Sequence[UUID]) -> None:
        for row in base.find(ids).values():
            self._dead += bool(self._alive[row])
            self._alive[row] = False

    def _allowed(self, base: "Base", where: Where | None) -> Mask | None:
        if where is None:
            return self._alive if self._dead else None
        return base.mask(where) & self._alive


class Base:
    """What a build wrote, never changed. The files were verified."""

    def __init__(self, faiss: ModuleType, path: Path, layout: Layout, manifest: FaissManifest, gpu: bool) -> None:
        self._faiss = faiss
        self._lexicon = layout.lexicon
        self._rows = manifest.rows
        self._replaced = mapped(path / REPLACED, np.int64)
        try:
            self._dense = mapped(path / VECTORS, np.float32, len(VECTOR_CHANNELS) * layout.dim)
            if len(self._dense) != self._rows:
                raise ValueError(f"{VECTORS} has {len(self._dense)} rows instead of {self._rows}")
            self._sidecar = read_sidecar(path / POINTS, layout.fields, self._rows)
            self._candidates = _candidates(faiss, path, manifest, self._dense, gpu)
        except (RuntimeError, ValueError, KeyError) as error:
            raise StoreMismatch(f"The store in {path} cannot be read: build the index again.") from error
        self._postings = InvertedFile(path)
        kept = np.flatnonzero(self.unreplaced())
        self._by_id = kept[np.argsort(self._sidecar.order[kept, 0])]
        self._uppers = self._sidecar.order[self._by_id, 0]

    def unreplaced(self) -> Mask:
        """(rows,) a new array."""
        alive = np.ones(self._rows, dtype=np.bool_)
        alive[self._replaced] = False
        return alive

    def mask(self, where: Where) -> Mask:
        return self._sidecar.columns.mask(where, self._rows)

    def nearest(
        self, query: Vector, top_k: int, allowed: Mask | None, among: Sequence[UUID] | None
    ) -> tuple[RowNumbers, Scores]:
        """Rows that hold the best `top_k` of those allowed, with exact scores; exactly them with `among`."""
        if among is not None:
            rows = self._listed(among, allowed)
            return rows, dots(self._faiss, query, self._dense, rows)
        found = self._candidates.propose(query, top_k, allowed) if self._candidates else None
        if found is None and allowed is not None:
            found = np.flatnonzero(allowed)
        rows = np.arange(self._rows) if found is None else found
        return rows, dots(self._faiss, query, self._dense, found)

    def matching(self, words: str, allowed: Mask | None, among: Sequence[UUID] | None) -> tuple[RowNumbers, Scores]:
        """The allowed rows that share a token with the words, with their BM25 scores."""
        matched, scores = bm25(self._lexicon.query(words), self._postings.listed, self._rows)
        if among is not None:
            rows = self._listed(among, allowed)
            rows = rows[matched[rows]]
        else:
            rows = np.flatnonzero(matched if allowed is None else matched & allowed)
        return rows, scores[rows]

    def hits(self, rows: RowNumbers, scores: Scores, top_k: int) -> list[Hit]:
        rows, scores = best(rows, scores, self._sidecar.order, top_k)
        ids = self._sidecar.order[rows].tolist()
        ranked = zip(ids, self._sidecar.names(rows), scores.tolist(), strict=True)
        return [Hit(id_of(id), product, image, score) for id, (product, image), score in ranked]

    def find(self, ids: Sequence[UUID]) -> dict[UUID, int]:
        """The row of each point that the build has."""
        uppers = np.array([id.int >> 64 for id in ids], dtype=np.uint64)
        first = np.searchsorted(self._uppers, uppers, side="left").tolist()
        last = np.searchsorted(self._uppers, uppers, side="right").tolist()
        found = {}
        for id, start, end in zip(ids, first, last, strict=True):
            for row in self._by_id[start:end].tolist():
                if int(self._sidecar.order[row, 1]) == id.int & LOWER:
                    found[id] = row
        return found

    def vectors(self, row: int) -> Mapping[Channel, Vector]:
        return halves(self._dense[row].copy(), int(self._sidecar.lacks[row]))

    def payloads(self, rows: Sequence[int]) -> list[Mapping[str, PayloadValue]]:
        return self._sidecar.payloads(np.array(rows, dtype=np.intp))

    def _listed(self, among: Sequence[UUID], allowed: Mask | None) -> RowNumbers:
        rows = np.unique(np.array(list(self.find(among).values()), dtype=np.intp))
        return rows if allowed is None else rows[allowed[rows]]


def _candidates(faiss: ModuleType, path: Path, manifest: FaissManifest, dense: Matrix, gpu: bool) -> Candidates | None:
    if manifest.kind is not Kind.FLAT:
        return Candidates.load(faiss, path / INDEX, manifest.kind, dense.shape, gpu)
    return Candidates.scanning(faiss, dense) if gpu and len(dense) else None
