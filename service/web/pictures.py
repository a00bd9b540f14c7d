"""Thumbnails as data URIs; photos are decoded in children, as everywhere."""

from collections.abc import Iterable, Mapping

from indexer.catalog.builds import BuildRepository
from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.engine import Database
from indexer.catalog.products import ProductRepository
from indexer.domain import ImageRef, Product
from indexer.errors import FetchFailed, ImageRejected
from indexer.images.decoders import Decoded, DecoderPool, DecodeTask
from indexer.images.fit import Fit
from indexer.images.webp import data_uri
from indexer.places import Place, place_of

WHITE = (255, 255, 255)


class Pictures:
    """At most `side` pixels wide and high, WebP of `quality`.

    There is none of a photo that has gone, cannot be fetched or no longer passes the gate.
    """

    def __init__(self, database: Database, decoders: DecoderPool, side: int = 240, quality: int = 85) -> None:
        self._database = database
        self._decoders = decoders
        self._fit = Fit((side, side), "longest", "bicubic", WHITE)
        self._quality = quality

    def of_photo(self, photo: bytes) -> str | None:
        """Of an image file's content."""
        return self._one(DecodeTask(photo, self._fit))

    def of_image(self, catalog: str, uri: str) -> str | None:
        """Of a photo as the catalogue has it. Raises UnknownCatalog, CatalogueUnavailable."""
        return self._one(DecodeTask(ImageRef(uri), self._fit, self._root(catalog)))

    def of_product(self, build: str, product_id: str) -> str | None:
        """Of the first photo that the product has in the build.

        Raises UnknownBuild, UnknownProduct, CatalogueUnavailable.
        """
        with self._database.session() as session:
            made = BuildRepository(session).get(build)
            images = ProductRepository(session).get(made.catalog, product_id, generation=made.generation).images
        return self.of_image(made.catalog, images[0].uri) if images else None

    def of_products(self, catalog: str, products: Iterable[Product]) -> Mapping[str, str]:
        """Product id → its first photo, many at once; products without a picture are absent.

        Raises UnknownCatalog, CatalogueUnavailable.
        """
        root = self._root(catalog)
        tasks = (DecodeTask(one.images[0], self._fit, root, key=one.id) for one in products if one.images)
        return {
            str(task.key): data_uri(outcome.pixels, self._quality)
            for task, outcome in self._decoders.map(tasks)
            if isinstance(outcome, Decoded)
        }

    def _root(self, catalog: str) -> Place:
        with self._database.session() as session:
            return place_of(CatalogRepository(session).get(catalog).root)

    def _one(self, task: DecodeTask) -> str | None:
        try:
            return data_uri(self._decoders.decode(task).pixels, self._quality)
        except (ImageRejected, FetchFailed):
            return None
