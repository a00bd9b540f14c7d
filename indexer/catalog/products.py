"""The products of each catalog."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches

import sqlalchemy as sa
from sqlalchemy.orm import Session

from indexer.catalog.canonical import attributes_of
from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.changes import Changes, Stored, changes_of
from indexer.catalog.columns import AnyRow
from indexer.catalog.models import ProductRow
from indexer.catalog.records import UpsertCounts
from indexer.domain import ImageRef, Product
from indexer.errors import UnknownProduct

_COLUMNS = (
    ProductRow.id,
    ProductRow.title,
    ProductRow.parent,
    ProductRow.description,
    ProductRow.brand,
    ProductRow.category,
    ProductRow.price,
    ProductRow.currency,
    ProductRow.availability,
    ProductRow.attributes,
    ProductRow.url,
    ProductRow.images,
)
_BY_IDS = sa.select(*_COLUMNS).where(
    ProductRow.catalog == sa.bindparam("catalog"), ProductRow.id.in_(sa.bindparam("ids", expanding=True))
)
_UPDATE_ONE = sa.update(ProductRow).where(
    ProductRow.catalog == sa.bindparam("of_catalog"), ProductRow.id == sa.bindparam("of_id")
)
_CHUNK = 1000
"""Ids in one statement; drivers allow 32,766 parameters or more."""
_NEIGHBOURS = 50
"""Ids on either side of an unknown one that are compared with it for a suggestion."""


class ProductRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def upsert_many(self, catalog: str, products: Sequence[Product], *, seen_in: str, start: int = 0) -> UpsertCounts:
        """Write one batch of products of distinct ids; rows whose content did not change are only marked as seen.

        `seen_in` is the build that read them, `start` the position in the catalogue of the first.
        """
        counts = UpsertCounts()
        now = datetime.now(UTC)
        for offset in range(0, len(products), _CHUNK):
            chunk = products[offset : offset + _CHUNK]
            stored = self._stored(catalog, [product.id for product in chunk])
            changes = changes_of(catalog, chunk, stored, seen_in=seen_in, start=start + offset, now=now)
            self._write(catalog, changes, seen_in)
            counts += UpsertCounts(len(changes.added), len(changes.changed), len(changes.moved) + len(changes.still))
        return counts

    def remove_unseen(self, catalog: str, seen_in: str) -> int:
        """Remove the products, with their images, that the build did not see; returns how many."""
        removed = sa.delete(ProductRow).where(ProductRow.catalog == catalog, ProductRow.seen_in != seen_in)
        return self._session.connection().execute(removed).rowcount

    def get(self, catalog: str, product_id: str) -> Product:
        """Raises UnknownProduct, with ids that are close, or UnknownCatalog."""
        found = self.get_many(catalog, [product_id])
        if product_id not in found:
            raise self._unknown(catalog, product_id)
        return found[product_id]

    def get_many(self, catalog: str, ids: Sequence[str]) -> dict[str, Product]:
        """Those that exist, in the order of `ids`. One query; meant for a page of results, not for thousands."""
        rows = self._session.connection().execute(_BY_IDS, {"catalog": catalog, "ids": ids}).all()
        found = {row.id: _product(row) for row in rows}
        return {product_id: found[product_id] for product_id in ids if product_id in found}

    def siblings(self, catalog: str, parent: str) -> tuple[Product, ...]:
        """The products of one parent in the order of the source; none when nothing has that parent."""
        query = sa.select(*_COLUMNS).where(ProductRow.catalog == catalog, ProductRow.parent == parent)
        rows = self._session.execute(query.order_by(ProductRow.position, ProductRow.id))
        return tuple(_product(row) for row in rows)

    def page(self, catalog: str, after: str | None = None, limit: int = _CHUNK) -> tuple[Product, ...]:
        """Up to `limit` products in the order of ids, starting behind `after`."""
        query = sa.select(*_COLUMNS).where(ProductRow.catalog == catalog)
        if after is not None:
            query = query.where(ProductRow.id > after)
        rows = self._session.execute(query.order_by(ProductRow.id).limit(limit))
        return tuple(_product(row) for row in rows)

    def stream(self, catalog: str, after: str | None = None, page: int = _CHUNK) -> Iterator[tuple[Product, ...]]:
        """All pages behind `after`, in the order of ids, read as they are asked for."""
        while products := self.page(catalog, after, page):
            yield products
            after = products[-1].id

    def count(self, catalog: str) -> int:
        counted = sa.select(sa.func.count()).select_from(ProductRow).where(ProductRow.catalog == catalog)
        return self._session.scalar(counted) or 0

    def _stored(self, catalog: str, ids: Sequence[str]) -> dict[str, Stored]:
        query = sa.select(ProductRow.id, ProductRow.content_hash, ProductRow.position)
        rows = self._session.execute(query.where(ProductRow.catalog == catalog, ProductRow.id.in_(ids)))
        return {product_id: Stored(hashed, position) for product_id, hashed, position in rows}

    def _write(self, catalog: str, changes: Changes, seen_in: str) -> None:
        connection = self._session.connection()
        if changes.added:
            connection.execute(sa.insert(ProductRow), changes.added)
        for updates in (changes.changed, changes.moved):
            if updates:
                connection.execute(_UPDATE_ONE, updates)
        if changes.still:
            still = sa.update(ProductRow).where(ProductRow.catalog == catalog, ProductRow.id.in_(changes.still))
            connection.execute(still.values(seen_in=seen_in))

    def _unknown(self, catalog: str, product_id: str) -> UnknownProduct:
        CatalogRepository(self._session).get(catalog)
        folded = {neighbour.casefold(): neighbour for neighbour in self._neighbours(catalog, product_id)}
        close = [folded[match] for match in get_close_matches(product_id.casefold(), folded, n=3)]
        hint = f"; close to it: {', '.join(close)}" if close else ""
        return UnknownProduct(f"Catalog {catalog!r} has no product {product_id!r}{hint}.")

    def _neighbours(self, catalog: str, product_id: str) -> set[str]:
        """The ids that sort just before and behind it, in either case."""
        ids = sa.select(ProductRow.id).where(ProductRow.catalog == catalog).limit(_NEIGHBOURS)
        found: set[str] = set()
        for spelt in {product_id, product_id.upper(), product_id.lower()}:
            found.update(self._session.scalars(ids.where(ProductRow.id >= spelt).order_by(ProductRow.id)))
            found.update(self._session.scalars(ids.where(ProductRow.id < spelt).order_by(ProductRow.id.desc())))
        return found


def _product(row: AnyRow) -> Product:
    """Unpacked by position: this is on the path of every query, and a row's attributes are three times slower."""
    (
        product_id,
        title,
        parent,
        description,
        brand,
        category,
        price,
        currency,
        availability,
        attributes,
        url,
        images,
    ) = row
    return Product(
        id=product_id,
        title=title,
        parent=parent,
        description=description,
        brand=brand,
        category=tuple(category),
        price=price,
        currency=currency,
        availability=availability,
        attributes=attributes_of(attributes),
        url=url,
        images=tuple([ImageRef(uri) for uri in images]),
    )
