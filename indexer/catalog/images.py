"""The ledger of images: one row per (product, image) and version, with its state and, when rejected, the reason."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from indexer.catalog.catalogs import lock_catalog
from indexer.catalog.columns import AnyRow
from indexer.catalog.image_changes import ImageKey, Stamp, StoredImage, image_changes_of
from indexer.catalog.models import ImageRow
from indexer.catalog.outcomes import Columns, Known, Outcome, outcome_columns
from indexer.catalog.records import ImageCounts, ImageRecord, SyncCounts
from indexer.catalog.states import FOREVER, ImageState
from indexer.catalog.versions import Condition, end, split, standing, unindexed
from indexer.domain import Product

__all__ = ["ImageKey", "ImageRepository", "Stamp"]

_COLUMNS = (
    ImageRow.product_id,
    ImageRow.image_id,
    ImageRow.position,
    ImageRow.uri,
    ImageRow.source_stamp,
    ImageRow.state,
    ImageRow.content_hash,
    ImageRow.reason,
    ImageRow.detail,
    ImageRow.width,
    ImageRow.height,
    ImageRow.palette,
    ImageRow.checked_at,
)
_ONE = (
    ImageRow.catalog == sa.bindparam("of_catalog"),
    ImageRow.product_id == sa.bindparam("of_product"),
    ImageRow.image_id == sa.bindparam("of_image"),
    unindexed(ImageRow.since) == sa.bindparam("of_since"),
)
_UPDATE_ONE = sa.update(ImageRow).where(*_ONE)
_CHUNK = 1000


class ImageRepository:
    """Readers see one generation. Writers of a build change only what their own generation reads, live changes all."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def sync(self, catalog: str, products: Sequence[Product], stamp: Stamp, *, generation: int) -> SyncCounts:
        """Make the generation's rows of these products agree with their image references.

        New references and those whose stamp changed become pending; rows that are no longer referenced are
        removed; where `stamp` returns None the row keeps its state. The products must be in the catalogue.
        Raises UnknownCatalog.
        """
        lock_catalog(self._session, catalog)
        counts = SyncCounts()
        for offset in range(0, len(products), _CHUNK):
            counts += self._sync_chunk(catalog, products[offset : offset + _CHUNK], stamp, generation)
        return counts

    def page(
        self,
        catalog: str,
        state: ImageState,
        after: ImageKey | None = None,
        limit: int = _CHUNK,
        *,
        generation: int,
    ) -> tuple[ImageRecord, ...]:
        """Up to `limit` images in this state in the order of their keys, starting behind `after`."""
        return self._page(_in_state(catalog, state, generation), after, limit)

    def retryable(
        self,
        catalog: str,
        reasons: Sequence[str],
        checked_before: datetime,
        after: ImageKey | None = None,
        limit: int = _CHUNK,
        *,
        generation: int,
    ) -> tuple[ImageRecord, ...]:
        """As `page`, of the images rejected for one of these reasons and last checked before the moment given."""
        rejected = _in_state(catalog, ImageState.REJECTED, generation)
        return self._page(
            sa.and_(rejected, ImageRow.reason.in_(reasons), ImageRow.checked_at < checked_before), after, limit
        )

    def of_products(
        self, catalog: str, product_ids: Sequence[str], *, generation: int
    ) -> dict[str, tuple[ImageRecord, ...]]:
        """The images of each product in their order; a product without any has an empty tuple."""
        query = sa.select(*_COLUMNS).where(
            ImageRow.catalog == catalog, ImageRow.product_id.in_(product_ids), standing(ImageRow, generation)
        )
        images: dict[str, list[ImageRecord]] = {product_id: [] for product_id in product_ids}
        for row in self._session.execute(query.order_by(ImageRow.product_id, ImageRow.position)):
            images[row.product_id].append(_record(row))
        return {product_id: tuple(found) for product_id, found in images.items()}

    def ids_of(self, catalog: str, product_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """The ids of each product's images in any version; a product without any has an empty tuple."""
        query = sa.select(ImageRow.product_id, ImageRow.image_id).distinct()
        chosen = query.where(ImageRow.catalog == catalog, ImageRow.product_id.in_(product_ids))
        found: dict[str, list[str]] = {product_id: [] for product_id in product_ids}
        for product_id, image_id in self._session.execute(chosen.order_by(ImageRow.product_id, ImageRow.image_id)):
            found[product_id].append(image_id)
        return {product_id: tuple(images) for product_id, images in found.items()}

    def uri_of(self, catalog: str, product_id: str, image_id: str, digest: str) -> str | None:
        """Of the image in any version whose content's hash begins with `digest`, if it passed the gate."""
        row = sa.and_(ImageRow.catalog == catalog, ImageRow.product_id == product_id, ImageRow.image_id == image_id)
        content = sa.func.substr(ImageRow.content_hash, 1, len(digest)) == digest  # LIKE is deaf to case on SQLite
        passed = sa.and_(ImageRow.state == ImageState.READY, content)
        return self._session.scalar(sa.select(ImageRow.uri).where(row, passed).limit(1))

    def mark(self, catalog: str, outcomes: Sequence[Outcome], *, generation: int) -> None:
        """Record what became of a batch; images that are no longer in the ledger are passed over.

        An outcome that the image already had only renews what is known of its source and when it was checked.
        Raises UnknownCatalog.
        """
        lock_catalog(self._session, catalog)
        now = datetime.now(UTC)
        for offset in range(0, len(outcomes), _CHUNK):
            chunk = {(one.product_id, one.image_id): one for one in outcomes[offset : offset + _CHUNK]}
            known = self._known(catalog, chunk, generation)
            apart = {key for key, found in known.items() if not found.agrees(chunk[key])}
            self._split(catalog, [key for key in apart if known[key].since < generation], generation)
            self._update(
                {
                    **_key(catalog, key, generation if key in apart else found.since),
                    **outcome_columns(chunk[key], now),
                }
                for key, found in known.items()
            )

    def replace(self, catalog: str, product_id: str, records: Sequence[ImageRecord]) -> None:
        """A live upsert: these are the product's images in all generations. Raises UnknownCatalog."""
        lock_catalog(self._session, catalog)
        versions = sa.delete(ImageRow).where(ImageRow.catalog == catalog, ImageRow.product_id == product_id)
        self._session.execute(versions)
        lasting: Columns = {"catalog": catalog, "since": 0, "until": FOREVER}
        self._insert([{**asdict(record), **lasting} for record in records])

    def counts(self, catalog: str, *, generation: int) -> ImageCounts:
        query = sa.select(ImageRow.state, ImageRow.reason, sa.func.count())
        chosen = query.where(ImageRow.catalog == catalog, standing(ImageRow, generation))
        states = dict.fromkeys(ImageState, 0)
        reasons: dict[str, int] = {}
        for state, reason, count in self._session.execute(chosen.group_by(ImageRow.state, ImageRow.reason)):
            states[state] += count
            if reason is not None:
                reasons[reason] = count
        return ImageCounts(states, dict(sorted(reasons.items())))

    def _page(self, chosen: Condition, after: ImageKey | None, limit: int) -> tuple[ImageRecord, ...]:
        query = sa.select(*_COLUMNS).where(chosen)
        if after is not None:
            query = query.where(sa.tuple_(ImageRow.product_id, ImageRow.image_id) > sa.tuple_(*after))
        query = query.order_by(ImageRow.product_id, ImageRow.image_id).limit(limit)
        return tuple(_record(row) for row in self._session.execute(query))

    def _sync_chunk(self, catalog: str, products: Sequence[Product], stamp: Stamp, generation: int) -> SyncCounts:
        stored = self._stored(catalog, [product.id for product in products], generation)
        changes = image_changes_of(catalog, products, stored, stamp, generation)
        self._insert(changes.added)
        self._split(catalog, changes.split, generation)
        self._update({**_key(catalog, key, generation), **columns} for key, columns in changes.changed.items())
        for offset in range(0, len(changes.removed), _CHUNK):
            chosen = _keyed(catalog, changes.removed[offset : offset + _CHUNK])
            end(self._session, ImageRow, chosen, generation)
        return changes.counts

    def _stored(self, catalog: str, product_ids: Sequence[str], generation: int) -> dict[ImageKey, StoredImage]:
        query = sa.select(
            ImageRow.product_id, ImageRow.image_id, ImageRow.position, ImageRow.source_stamp, ImageRow.since
        ).where(ImageRow.catalog == catalog, ImageRow.product_id.in_(product_ids), standing(ImageRow, generation))
        return {
            (product, image): StoredImage(position, stamp, since)
            for product, image, position, stamp, since in self._session.execute(query)
        }

    def _known(self, catalog: str, keys: Iterable[ImageKey], generation: int) -> dict[ImageKey, Known]:
        query = sa.select(
            ImageRow.product_id,
            ImageRow.image_id,
            ImageRow.since,
            ImageRow.state,
            ImageRow.reason,
            ImageRow.content_hash,
            ImageRow.width,
            ImageRow.height,
            ImageRow.palette,
        ).where(_keyed(catalog, keys), standing(ImageRow, generation))
        return {(row.product_id, row.image_id): Known(*row[2:]) for row in self._session.execute(query)}

    def _split(self, catalog: str, keys: Sequence[ImageKey], generation: int) -> None:
        for offset in range(0, len(keys), _CHUNK):
            split(self._session, ImageRow, _keyed(catalog, keys[offset : offset + _CHUNK]), generation)

    def _insert(self, rows: list[Columns]) -> None:
        if rows:
            self._session.connection().execute(sa.insert(ImageRow), rows)

    def _update(self, rows: Iterable[Columns]) -> None:
        """One statement for the rows that set the same columns."""
        alike: dict[tuple[str, ...], list[Columns]] = {}
        for row in rows:
            alike.setdefault(tuple(row), []).append(row)
        for group in alike.values():
            self._session.connection().execute(_UPDATE_ONE, group)


def _in_state(catalog: str, state: ImageState, generation: int) -> Condition:
    return sa.and_(ImageRow.catalog == catalog, ImageRow.state == state, standing(ImageRow, generation))


def _keyed(catalog: str, keys: Iterable[ImageKey]) -> Condition:
    """By the products first, which has an index on every database; image ids are all of one length."""
    pairs = list(keys)
    return sa.and_(
        ImageRow.catalog == catalog,
        ImageRow.product_id.in_({product_id for product_id, _ in pairs}),
        (ImageRow.image_id + ImageRow.product_id).in_([image_id + product_id for product_id, image_id in pairs]),
    )


def _key(catalog: str, key: ImageKey, since: int) -> Columns:
    return {"of_catalog": catalog, "of_product": key[0], "of_image": key[1], "of_since": since}


def _record(row: AnyRow) -> ImageRecord:
    columns = row._asdict()
    if row.palette is not None:
        columns["palette"] = tuple(tuple(colour) for colour in row.palette)
    return ImageRecord(**columns)
