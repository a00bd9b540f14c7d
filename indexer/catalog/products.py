"""The products of each catalog."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches

import sqlalchemy as sa
from sqlalchemy.orm import Session

from indexer.catalog.canonical import attributes_of, columns_hash, product_columns
from indexer.catalog.catalogs import CatalogRepository, lock_catalog
from indexer.catalog.changes import Changes, Reading, Stored, changes_of, new_row
from indexer.catalog.models import ChangeRow, ImageRow, ProductRow
from indexer.catalog.product_rows import (
    BY_IDS,
    BY_PARENTS,
    COLUMNS,
    VARIANTS_BY_IDS,
    VARIANTS_BY_PARENTS,
    product_of,
)
from indexer.catalog.records import UpsertCounts, Variant
from indexer.catalog.states import ImageState
from indexer.catalog.versions import Condition, analyze, end, number, split, standing, unindexed
from indexer.domain import Product
from indexer.errors import UnknownProduct

_ONE = (
    ProductRow.catalog == sa.bindparam("of_catalog"),
    ProductRow.id == sa.bindparam("of_id"),
    unindexed(ProductRow.since) == sa.bindparam("of_since"),
)
_UPDATE_ONE = sa.update(ProductRow).where(*_ONE)
_CHUNK = 1000
"""Ids in one statement; drivers allow 32,766 parameters or more."""
_NEIGHBOURS = 50
"""Ids on either side of an unknown one that are compared with it for a suggestion."""


class ProductRepository:
    """Readers see one generation. Writers of a build change only what their own generation reads, live changes all."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def upsert_many(
        self, catalog: str, products: Sequence[Product], *, generation: int, seen_in: str, start: int = 0
    ) -> UpsertCounts:
        """Write one batch of products of distinct ids; rows whose content did not change are only marked as seen.

        `seen_in` is the build that read them, `start` the position in the catalogue of the first. A product whose
        text was changed by a live patch counts as changed. Raises UnknownCatalog.
        """
        lock_catalog(self._session, catalog)
        counts = UpsertCounts()
        reading = Reading(catalog, generation, seen_in, datetime.now(UTC))
        for offset in range(0, len(products), _CHUNK):
            chunk = products[offset : offset + _CHUNK]
            stored = self._stored(catalog, [product.id for product in chunk], generation)
            changes = changes_of(reading, chunk, stored, start + offset)
            self._write(reading, changes)
            counts += UpsertCounts(len(changes.added), len(changes.changed), len(changes.moved) + len(changes.still))
        return counts

    def remove_unseen(self, catalog: str, *, generation: int, seen_in: str, base: int) -> int:
        """Take the products, with their images, that the build did not see out of its generation; returns how many.

        Those with a live change behind the sequence `base` stay: the source was older. Raises UnknownCatalog.
        """
        lock_catalog(self._session, catalog)
        removed, after = 0, ""
        while unseen := self._unseen(catalog, generation, seen_in, base, after):
            of_products = sa.and_(ProductRow.catalog == catalog, ProductRow.id.in_(unseen))
            of_images = sa.and_(ImageRow.catalog == catalog, ImageRow.product_id.in_(unseen))
            end(self._session, ProductRow, of_products, generation)
            end(self._session, ImageRow, of_images, generation)
            removed, after = removed + len(unseen), unseen[-1]
        analyze(self._session)
        return removed

    def get(self, catalog: str, product_id: str, *, generation: int) -> Product:
        """Raises UnknownProduct, with ids that are close, or UnknownCatalog."""
        found = self.get_many(catalog, [product_id], generation=generation)
        if product_id not in found:
            raise self._unknown(catalog, product_id, standing(ProductRow, generation))
        return found[product_id]

    def get_many(self, catalog: str, ids: Sequence[str], *, generation: int) -> dict[str, Product]:
        """Those that exist, in the order of `ids`. One query; meant for a page of results, not for thousands."""
        asked = {"catalog": catalog, "ids": ids, "generation": generation}
        rows = self._session.connection().execute(BY_IDS, asked).all()
        found = {row.id: product_of(row) for row in rows}
        return {product_id: found[product_id] for product_id in ids if product_id in found}

    def siblings(
        self, catalog: str, parents: Sequence[str], *, generation: int, limit: int = 100
    ) -> dict[str, tuple[Product, ...]]:
        """The first `limit` products of each parent in the order of the source; a parent of nothing is absent."""
        asked = {"catalog": catalog, "parents": parents, "generation": generation, "limit": limit}
        found: dict[str, list[Product]] = {}
        for product in map(product_of, self._session.connection().execute(BY_PARENTS, asked).all()):
            found.setdefault(product.parent or "", []).append(product)
        return {parent: tuple(products) for parent, products in found.items()}

    def variants(
        self, catalog: str, parents: Sequence[str], *, generation: int, limit: int = 100
    ) -> dict[str, tuple[Variant, ...]]:
        """Of each parent that has any, as `siblings`; the parent itself comes first where it is a product."""
        connection = self._session.connection()
        asked = {"catalog": catalog, "parents": parents, "generation": generation, "limit": limit}
        found: dict[str, list[Variant]] = {}
        for parent, product_id, attributes, _ in connection.execute(VARIANTS_BY_PARENTS, asked).all():
            found.setdefault(parent, []).append(Variant(product_id, attributes_of(attributes)))
        themselves = {"catalog": catalog, "ids": list(found), "generation": generation}
        for _, product_id, attributes in connection.execute(VARIANTS_BY_IDS, themselves).all() if found else ():
            found[product_id].insert(0, Variant(product_id, attributes_of(attributes)))
        return {parent: tuple(variants) for parent, variants in found.items()}

    def page(
        self, catalog: str, after: str | None = None, limit: int = _CHUNK, *, generation: int
    ) -> tuple[Product, ...]:
        """Up to `limit` products in the order of ids, starting behind `after`."""
        query = sa.select(*COLUMNS).where(ProductRow.catalog == catalog, standing(ProductRow, generation))
        if after is not None:
            query = query.where(ProductRow.id > after)
        rows = self._session.execute(query.order_by(ProductRow.id).limit(limit))
        return tuple(product_of(row) for row in rows)

    def stream(
        self, catalog: str, after: str | None = None, page: int = _CHUNK, *, generation: int
    ) -> Iterator[tuple[Product, ...]]:
        """All pages behind `after`, in the order of ids, read as they are asked for."""
        while products := self.page(catalog, after, page, generation=generation):
            yield products
            after = products[-1].id

    def count(self, catalog: str, *, generation: int) -> int:
        return number(self._session, ProductRow, catalog, generation)

    def points(self, catalog: str, *, generation: int) -> int:
        """How many points a store has of the generation: one per photo that can be searched or product without one."""
        ready = sa.and_(ImageRow.catalog == catalog, ImageRow.state == ImageState.READY, standing(ImageRow, generation))
        photos = sa.select(sa.func.count()).select_from(ImageRow).where(ready)
        pictured = sa.exists().where(ready, ImageRow.product_id == ProductRow.id)
        bare = sa.select(sa.func.count()).select_from(ProductRow)
        bare = bare.where(ProductRow.catalog == catalog, standing(ProductRow, generation), ~pictured)
        return (self._session.scalar(photos) or 0) + (self._session.scalar(bare) or 0)

    def text_keys(self, catalog: str, ids: Sequence[str], *, generation: int) -> dict[str, str]:
        """SHA-256, 64 hex digits, of the text whose vector a product keeps, where that is not its own text's."""
        query = sa.select(ProductRow.id, ProductRow.text_key).where(
            ProductRow.catalog == catalog, ProductRow.id.in_(ids), standing(ProductRow, generation)
        )
        return {product_id: key for product_id, key in self._session.execute(query) if key is not None}

    def drop_text_keys(self, catalog: str, ids: Sequence[str], *, generation: int) -> None:
        """The products have the vectors of their own texts in this generation. Raises UnknownCatalog."""
        lock_catalog(self._session, catalog)
        chosen = sa.and_(ProductRow.catalog == catalog, ProductRow.id.in_(ids))
        split(self._session, ProductRow, chosen, generation)
        own = sa.update(ProductRow).where(chosen, ProductRow.since == generation)
        self._session.connection().execute(own.values(text_key=None))

    def replace(self, catalog: str, product: Product, *, seen_in: str) -> None:
        """A live upsert: one row for all generations, in its old position or behind its siblings.

        Raises UnknownCatalog.
        """
        lock_catalog(self._session, catalog)
        reading = Reading(catalog, 0, seen_in, datetime.now(UTC))
        row = {**new_row(reading, product), "position": self._position(catalog, product)}
        versions = sa.delete(ProductRow).where(ProductRow.catalog == catalog, ProductRow.id == product.id)
        self._session.execute(versions)
        self._session.execute(sa.insert(ProductRow).values(row))

    def patch(
        self, catalog: str, product_id: str, change: Callable[[Product], Product], *, text_key: Callable[[Product], str]
    ) -> None:
        """A live change of one product, applied to its version in every generation.

        `text_key` gives the SHA-256, 64 hex digits, of the text that is embedded for a product; a version whose text
        changes keeps the key it had, so that it keeps its vector. Raises UnknownProduct, UnknownCatalog.
        """
        lock_catalog(self._session, catalog)
        query = sa.select(*COLUMNS, ProductRow.since, ProductRow.text_key)
        rows = self._session.execute(query.where(ProductRow.catalog == catalog, ProductRow.id == product_id)).all()
        if not rows:
            raise self._unknown(catalog, product_id, sa.true())
        now = datetime.now(UTC)
        for row in rows:
            before = product_of(row)
            after = change(before)
            columns = product_columns(after)
            read = row.text_key or text_key(before)
            kept = None if text_key(after) == read else read
            key = {"of_catalog": catalog, "of_id": product_id, "of_since": row.since}
            known = {"content_hash": columns_hash(columns), "text_key": kept, "updated_at": now}
            self._session.connection().execute(_UPDATE_ONE, {**key, **columns, **known})

    def delete(self, catalog: str, ids: Sequence[str]) -> None:
        """A live delete: the products and their images leave all generations. Raises UnknownCatalog."""
        lock_catalog(self._session, catalog)
        self._session.execute(sa.delete(ImageRow).where(ImageRow.catalog == catalog, ImageRow.product_id.in_(ids)))
        self._session.execute(sa.delete(ProductRow).where(ProductRow.catalog == catalog, ProductRow.id.in_(ids)))

    def _stored(self, catalog: str, ids: Sequence[str], generation: int) -> dict[str, Stored]:
        query = sa.select(
            ProductRow.id,
            ProductRow.content_hash,
            ProductRow.position,
            ProductRow.since,
            ProductRow.text_key.is_not(None),
        ).where(ProductRow.catalog == catalog, ProductRow.id.in_(ids), standing(ProductRow, generation))
        return {
            product_id: Stored(hashed, position, since, patched)
            for product_id, hashed, position, since, patched in self._session.execute(query)
        }

    def _unseen(self, catalog: str, generation: int, seen_in: str, base: int, after: str) -> Sequence[str]:
        live = sa.exists().where(
            ChangeRow.catalog == catalog, ChangeRow.product_id == ProductRow.id, ChangeRow.sequence > base
        )
        query = sa.select(ProductRow.id).where(
            ProductRow.catalog == catalog,
            ProductRow.id > after,
            standing(ProductRow, generation),
            ProductRow.seen_in != seen_in,
            ~live,
        )
        return self._session.scalars(query.order_by(ProductRow.id).limit(_CHUNK)).all()

    def _write(self, reading: Reading, changes: Changes) -> None:
        connection = self._session.connection()
        if changes.added:
            connection.execute(sa.insert(ProductRow), changes.added)
        if changes.split:
            chosen = sa.and_(ProductRow.catalog == reading.catalog, ProductRow.id.in_(changes.split))
            split(self._session, ProductRow, chosen, reading.generation)
        for updates in (changes.changed, changes.moved):
            if updates:
                connection.execute(_UPDATE_ONE, updates)
        if changes.still:
            still = sa.update(ProductRow).where(
                ProductRow.catalog == reading.catalog,
                ProductRow.id.in_(changes.still),
                standing(ProductRow, reading.generation),
            )
            connection.execute(still.values(seen_in=reading.seen_in))

    def _position(self, catalog: str, product: Product) -> int:
        positions = sa.select(sa.func.max(ProductRow.position)).where(ProductRow.catalog == catalog)
        present = self._session.scalar(positions.where(ProductRow.id == product.id))
        if present is not None or product.parent is None:
            return present or 0
        last = self._session.scalar(positions.where(ProductRow.parent == product.parent))
        return 0 if last is None else last + 1

    def _unknown(self, catalog: str, product_id: str, among: Condition) -> UnknownProduct:
        CatalogRepository(self._session).get(catalog)
        folded = {neighbour.casefold(): neighbour for neighbour in self._neighbours(catalog, product_id, among)}
        close = [folded[match] for match in get_close_matches(product_id.casefold(), folded, n=3)]
        hint = f"; close to it: {', '.join(close)}" if close else ""
        return UnknownProduct(f"Catalog {catalog!r} has no product {product_id!r}{hint}.")

    def _neighbours(self, catalog: str, product_id: str, among: Condition) -> set[str]:
        """The ids that sort just before and behind it, in either case."""
        ids = sa.select(ProductRow.id).where(ProductRow.catalog == catalog, among).limit(_NEIGHBOURS)
        found: set[str] = set()
        for spelt in {product_id, product_id.upper(), product_id.lower()}:
            found.update(self._session.scalars(ids.where(ProductRow.id >= spelt).order_by(ProductRow.id)))
            found.update(self._session.scalars(ids.where(ProductRow.id < spelt).order_by(ProductRow.id.desc())))
        return found
