"""A store and a catalogue that are asked the same only once: settings that are compared share most of their searches.

What is remembered is exact, so that answers are the ones that the store itself gives. Trials of other weights find
other candidates, but score nearly the same ones; trials of another fusion method repeat their searches altogether.
"""

from collections.abc import Hashable, Mapping, Sequence
from uuid import UUID

from indexer.catalog.records import Variant
from indexer.domain import (
    BuildManifest,
    Channel,
    Hit,
    PayloadValue,
    Pixels,
    Point,
    Product,
    StoreQuery,
    Vector,
    VectorQuery,
    Where,
)
from indexer.images.fit import Fit
from indexer.stores.keeping import OpenStore
from service.search.searcher import Photos, Products

LISTS_KEPT = 5_000
"""Candidate lists, the newest; of 100 hits each they take some 100 MB."""


class RememberingStore:
    """An OpenStore in front of another one. Scores of single points are kept until something is written."""

    def __init__(self, inner: OpenStore) -> None:
        self._inner = inner
        self._lists: dict[Hashable, list[Hit]] = {}
        self._scores: dict[Hashable, dict[UUID, Hit | None]] = {}
        self._vectors: dict[UUID, Mapping[Channel, Vector]] = {}
        self._payloads: dict[UUID, Mapping[str, PayloadValue]] = {}

    def search(
        self, query: StoreQuery, top_k: int, where: Where | None = None, among: Sequence[UUID] | None = None
    ) -> list[Hit]:
        if among is not None:
            return self._among(query, top_k, where, among)
        key = (_key(query), top_k, where)
        if key not in self._lists:
            if len(self._lists) >= LISTS_KEPT:
                del self._lists[next(iter(self._lists))]
            self._lists[key] = self._inner.search(query, top_k, where)
        return list(self._lists[key])

    def fetch(self, ids: Sequence[UUID]) -> dict[UUID, Mapping[Channel, Vector]]:
        missing = [id for id in ids if id not in self._vectors]
        if missing:
            self._vectors.update(self._inner.fetch(missing))
        return {id: self._vectors[id] for id in ids if id in self._vectors}

    def read(self, ids: Sequence[UUID]) -> dict[UUID, Mapping[str, PayloadValue]]:
        missing = [id for id in ids if id not in self._payloads]
        if missing:
            self._payloads.update(self._inner.read(missing))
        return {id: self._payloads[id] for id in ids if id in self._payloads}

    def upsert(self, points: Sequence[Point]) -> None:
        self._forget()
        self._inner.upsert(points)

    def delete(self, ids: Sequence[UUID]) -> None:
        self._forget()
        self._inner.delete(ids)

    def count(self) -> int:
        return self._inner.count()

    def close(self) -> None:
        self._inner.close()

    def _among(self, query: StoreQuery, top_k: int, where: Where | None, among: Sequence[UUID]) -> list[Hit]:
        """With `among` a store's ranking is exact, so a point's score does not depend on the other points asked for."""
        known = self._scores.setdefault((_key(query), where), {})
        missing = [id for id in among if id not in known]
        if missing:
            found = {hit.point_id: hit for hit in self._inner.search(query, len(missing), where, missing)}
            known.update({id: found.get(id) for id in missing})
        hits = [hit for id in dict.fromkeys(among) if (hit := known[id]) is not None]
        return sorted(hits, key=lambda hit: (-hit.score, hit.point_id.int))[: max(top_k, 0)]

    def _forget(self) -> None:
        for remembered in (self._lists, self._scores, self._vectors, self._payloads):
            remembered.clear()


class RememberedProducts:
    """The catalogue does not change while a build is measured, so every product is read once."""

    def __init__(self, inner: Products) -> None:
        self._inner = inner
        self._known: dict[tuple[str, str], Product | None] = {}

    def get_many(self, build: BuildManifest, ids: Sequence[str]) -> Mapping[str, Product]:
        missing = [id for id in ids if (build.build, id) not in self._known]
        if missing:
            read = self._inner.get_many(build, missing)
            self._known.update({(build.build, id): read.get(id) for id in missing})
        found = ((id, self._known[build.build, id]) for id in ids)
        return {id: product for id, product in found if product is not None}

    def siblings(self, build: BuildManifest, parents: Sequence[str]) -> Mapping[str, Sequence[Product]]:
        return self._inner.siblings(build, parents)

    def with_variants(
        self, build: BuildManifest, ids: Sequence[str]
    ) -> tuple[Mapping[str, Product], Mapping[str, Sequence[Variant]]]:
        return self._inner.with_variants(build, ids)


class RememberedPhotos:
    """A photo that is recoloured for every trial is read once."""

    def __init__(self, inner: Photos) -> None:
        self._inner = inner
        self._known: dict[tuple[str, str, Fit], Pixels] = {}

    def first(self, build: BuildManifest, product: Product, fit: Fit) -> Pixels:
        key = build.build, product.id, fit
        if key not in self._known:
            self._known[key] = self._inner.first(build, product, fit)
        return self._known[key]


def _key(query: StoreQuery) -> Hashable:
    if isinstance(query, VectorQuery):
        return tuple((channel, query.vectors[channel].tobytes()) for channel in sorted(query.vectors))
    return query.words
