"""The points a build must hold, from the ledger and the embedding cache, without its store."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from uuid import UUID

import numpy as np

from indexer.builds.embeddings import Embeddings
from indexer.builds.survey import Page, pages
from indexer.builds.texts import describe
from indexer.catalog.engine import Database
from indexer.catalog.records import ImageRecord
from indexer.domain import BuildManifest, Channel, Matrix, Product, point_id
from indexer.errors import StoreMismatch

SEED = b"vitrine gate"


@dataclass(frozen=True, eq=False)
class Block:
    """n points of some products: their ids, and [image ; text] (n, 2·dim) with missing photos filled."""

    ids: list[UUID]
    rows: Matrix


class Ledger:
    """Of the newest build of the catalog: the ledger's rows are what that build read."""

    def __init__(self, database: Database, embeddings: Embeddings, manifest: BuildManifest) -> None:
        self._database = database
        self._embeddings = embeddings
        self._manifest = manifest
        self._fill = np.asarray(manifest.fill[Channel.IMAGE], np.float32)

    def blocks(self) -> Iterator[Block]:
        """All points, a page of products at a time. Raises StoreMismatch when an embedding is gone."""
        for page in pages(self._database, self._manifest.catalog):
            yield self.block(page)

    def sample(self, size: int) -> Page:
        """Random products, the same for the same catalogue, each with one photo at most."""
        drawn = heapq.nsmallest(size, self._drawn())
        return [(product, images[:1]) for _, _, product, images in drawn]

    def block(self, page: Page) -> Block:
        """Raises StoreMismatch when an embedding is gone."""
        hashes = [one.content_hash for _, images in page for one in images if one.content_hash]
        try:
            photos = iter(self._embeddings.of_images(hashes))
            texts = self._embeddings.of_texts([describe(product) for product, _ in page])
        except KeyError as error:
            raise StoreMismatch(
                f"Embeddings of catalog {self._manifest.catalog} are gone; build the catalogue again."
            ) from error
        ids, rows = [], []
        for (product, images), text in zip(page, texts, strict=True):
            for image_id in [image.image_id for image in images] or [""]:
                ids.append(point_id(self._manifest.catalog, product.id, image_id))
                rows.append(np.concatenate([next(photos) if image_id else self._fill, text]))
        return Block(ids, np.array(rows, np.float32))

    def _drawn(self) -> Iterator[tuple[int, str, Product, tuple[ImageRecord, ...]]]:
        for page in pages(self._database, self._manifest.catalog):
            for product, images in page:
                draw = int.from_bytes(blake2b(product.id.encode(), digest_size=8, key=SEED).digest())
                yield draw, product.id, product, images
