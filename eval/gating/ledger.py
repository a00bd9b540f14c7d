"""The points a build must hold, from the ledger and the embedding cache, without its store."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b
from uuid import UUID

import numpy as np

from indexer.builds.embeddings import Embeddings
from indexer.builds.pages import Entry, Page, pages
from indexer.builds.write import points_of
from indexer.catalog.engine import Database
from indexer.domain import BuildManifest, Channel, Matrix
from indexer.errors import StoreMismatch

SEED = b"vitrine gate"


@dataclass(frozen=True, eq=False)
class Block:
    """n points of some products: their ids, and [image ; text] (n, 2·dim) with missing photos filled."""

    ids: list[UUID]
    rows: Matrix


class Ledger:
    """Of one build: its generation of the ledger's rows, live changes included."""

    def __init__(self, database: Database, embeddings: Embeddings, manifest: BuildManifest) -> None:
        self._database = database
        self._embeddings = embeddings
        self._manifest = manifest
        self._fill = np.asarray(manifest.fill[Channel.IMAGE], np.float32)

    def blocks(self) -> Iterator[Block]:
        """All points, a page of products at a time. Raises StoreMismatch when an embedding is gone."""
        for page in self._pages():
            yield self.block(page)

    def sample(self, size: int) -> Page:
        """Random products, the same for the same catalogue, each with one photo at most."""
        drawn = heapq.nsmallest(size, self._drawn())
        return [replace(entry, images=entry.images[:1]) for _, _, entry in drawn]

    def block(self, page: Page) -> Block:
        """Raises StoreMismatch when an embedding is gone."""
        try:
            points = points_of(page, self._manifest.catalog, {}, self._embeddings)
        except KeyError as error:
            raise StoreMismatch(
                f"Embeddings of catalog {self._manifest.catalog} are gone; build the catalogue again."
            ) from error
        halves = ((point.vectors.get(Channel.IMAGE, self._fill), point.vectors[Channel.TEXT]) for point in points)
        return Block([point.id for point in points], np.array([np.concatenate(one) for one in halves], np.float32))

    def _pages(self) -> Iterator[Page]:
        return pages(self._database, self._manifest.catalog, self._manifest.generation)

    def _drawn(self) -> Iterator[tuple[int, str, Entry]]:
        for page in self._pages():
            for entry in page:
                name = entry.product.id
                yield int.from_bytes(blake2b(name.encode(), digest_size=8, key=SEED).digest()), name, entry
