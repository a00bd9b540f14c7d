"""The catalogue as a build sees it: products of one generation with their photos and the key of their text's vector."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from indexer.builds.embeddings import Embeddings, text_key
from indexer.builds.texts import describe
from indexer.catalog.engine import Database
from indexer.catalog.images import ImageRepository
from indexer.catalog.products import ProductRepository
from indexer.catalog.records import ImageRecord
from indexer.catalog.states import ImageState
from indexer.domain import Matrix, Product

PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Entry:
    """A product, its photos that can be searched, in their order, and the key under which its text was embedded."""

    product: Product
    images: tuple[ImageRecord, ...]
    text: bytes

    @property
    def hashes(self) -> list[str]:
        """Content hashes of the photos, hexadecimal."""
        return [image.content_hash or "" for image in self.images]


Page = list[Entry]


def text_vectors(page: Page, embeddings: Embeddings) -> Matrix:
    """Unit rows (n, dim). Raises KeyError for a product whose text was never encoded."""
    return embeddings.texts.get([entry.text for entry in page])


def pages(database: Database, catalog: str, generation: int) -> Iterator[Page]:
    """All products in the order of ids; memory does not grow with the catalogue."""
    after: str | None = None
    while True:
        with database.session() as session:
            ledger = _Ledger(ProductRepository(session), ImageRepository(session), catalog, generation)
            page = ledger.entries(ledger.products.page(catalog, after, PAGE, generation=generation))
        if not page:
            return
        yield page
        after = page[-1].product.id


def entries_of(database: Database, catalog: str, generation: int, ids: Sequence[str]) -> Page:
    """Those of the products that there are."""
    with database.session() as session:
        ledger = _Ledger(ProductRepository(session), ImageRepository(session), catalog, generation)
        return ledger.entries(list(ledger.products.get_many(catalog, ids, generation=generation).values()))


@dataclass(frozen=True, slots=True)
class _Ledger:
    products: ProductRepository
    images: ImageRepository
    catalog: str
    generation: int

    def entries(self, products: Sequence[Product]) -> Page:
        ids = [product.id for product in products]
        images = self.images.of_products(self.catalog, ids, generation=self.generation)
        keys = self.products.text_keys(self.catalog, ids, generation=self.generation)
        return [
            Entry(
                product,
                tuple(image for image in images[product.id] if image.state is ImageState.READY),
                bytes.fromhex(keys[product.id]) if product.id in keys else text_key(describe(product)),
            )
            for product in products
        ]
