"""A catalogue as one of its builds read it, for looking things up where no build is open."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from indexer.catalog.builds import BuildRepository
from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.engine import Database
from indexer.catalog.images import ImageRepository
from indexer.catalog.products import ProductRepository
from indexer.catalog.published import PublishedRepository
from indexer.catalog.records import ImageRecord
from indexer.catalog.states import ImageState
from indexer.domain import Product
from indexer.errors import UnknownBuild
from indexer.places import Place, place_of

PAGE = 500
"""Ids in one query."""


@dataclass(frozen=True)
class Generation:
    """Every call is its own reading transactions; live changes since are seen."""

    database: Database
    catalog: str
    number: int

    @classmethod
    def of(cls, database: Database, catalog: str, build: str | None = None) -> Self:
        """That of the build, while the ledger has it; else of the published one.

        Raises UnknownCatalog, NothingPublished.
        """
        with database.session() as session:
            builds = BuildRepository(session)
            with suppress(UnknownBuild):
                if build is not None:
                    return cls(database, catalog, builds.get(build).generation)
            published = PublishedRepository(session).get(catalog).build
            return cls(database, catalog, builds.get(published).generation)

    def products(self, ids: Sequence[str]) -> dict[str, Product]:
        """Those that there are, in the order of `ids`."""
        found: dict[str, Product] = {}
        for page in _pages(ids):
            with self.database.session() as session:
                found |= ProductRepository(session).get_many(self.catalog, page, generation=self.number)
        return found

    def photos(self, ids: Sequence[str]) -> dict[str, tuple[ImageRecord, ...]]:
        """Product → its photos that can be searched; every id is there."""
        found: dict[str, tuple[ImageRecord, ...]] = {}
        for page in _pages(ids):
            with self.database.session() as session:
                records = ImageRepository(session).of_products(self.catalog, page, generation=self.number)
            for name, some in records.items():
                found[name] = tuple(one for one in some if one.state is ImageState.READY)
        return found

    def every_photo(self) -> Iterator[ImageRecord]:
        """All that can be searched; memory does not grow with the catalogue."""
        after = None
        while True:
            with self.database.session() as session:
                images = ImageRepository(session)
                page = images.page(self.catalog, ImageState.READY, after, generation=self.number)
            if not page:
                return
            yield from page
            after = page[-1].product_id, page[-1].image_id

    @property
    def root(self) -> Place:
        """Where relative names of photos start. Raises UnknownCatalog."""
        with self.database.session() as session:
            return place_of(CatalogRepository(session).get(self.catalog).root)


def _pages(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + PAGE] for start in range(0, len(ids), PAGE))
