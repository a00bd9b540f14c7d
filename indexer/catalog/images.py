"""The ledger of images: one row per (product, image), with its state and, when rejected, the reason."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from indexer.catalog.columns import AnyRow
from indexer.catalog.models import ImageRow
from indexer.catalog.records import ImageCounts, ImageRecord, ReadyImage, RejectedImage, SyncCounts
from indexer.catalog.states import ImageState
from indexer.domain import ImageRef, Product

Stamp = Callable[[ImageRef], str | None]
"""What tells whether a source changed without reading it: a file's mtime_ns:size; None when that is not known."""

ImageKey = tuple[str, str]
"""(product id, image id)."""

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
)
_UPDATE_ONE = sa.update(ImageRow).where(*_ONE)
_DELETE_ONE = sa.delete(ImageRow).where(*_ONE)
_UNCHECKED = {
    "state": ImageState.PENDING,
    "content_hash": None,
    "reason": None,
    "detail": None,
    "width": None,
    "height": None,
    "palette": None,
    "checked_at": None,
}
_CHUNK = 1000

Columns = dict[str, object]


class ImageRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def sync(self, catalog: str, products: Sequence[Product], stamp: Stamp) -> SyncCounts:
        """Make the rows of these products agree with their image references.

        New references and those whose stamp changed become pending; rows that are no longer referenced are
        removed; where `stamp` returns None the row keeps its state. The products must be in the catalogue.
        """
        counts = SyncCounts()
        for offset in range(0, len(products), _CHUNK):
            counts += self._sync_chunk(catalog, products[offset : offset + _CHUNK], stamp)
        return counts

    def page(
        self, catalog: str, state: ImageState, after: ImageKey | None = None, limit: int = _CHUNK
    ) -> tuple[ImageRecord, ...]:
        """Up to `limit` images in this state in the order of their keys, starting behind `after`."""
        query = sa.select(*_COLUMNS).where(ImageRow.catalog == catalog, ImageRow.state == state)
        if after is not None:
            query = query.where(sa.tuple_(ImageRow.product_id, ImageRow.image_id) > sa.tuple_(*after))
        query = query.order_by(ImageRow.product_id, ImageRow.image_id).limit(limit)
        return tuple(_record(row) for row in self._session.execute(query))

    def of_products(self, catalog: str, product_ids: Sequence[str]) -> dict[str, tuple[ImageRecord, ...]]:
        """The images of each product in their order; a product without any has an empty tuple."""
        query = sa.select(*_COLUMNS).where(ImageRow.catalog == catalog, ImageRow.product_id.in_(product_ids))
        images: dict[str, list[ImageRecord]] = {product_id: [] for product_id in product_ids}
        for row in self._session.execute(query.order_by(ImageRow.product_id, ImageRow.position)):
            images[row.product_id].append(_record(row))
        return {product_id: tuple(found) for product_id, found in images.items()}

    def mark(self, catalog: str, outcomes: Sequence[ReadyImage | RejectedImage]) -> None:
        """Record what became of a batch; images that are no longer in the ledger are passed over."""
        now = datetime.now(UTC)
        ready = [_ready(catalog, outcome, now) for outcome in outcomes if isinstance(outcome, ReadyImage)]
        rejected = [_rejected(catalog, outcome, now) for outcome in outcomes if isinstance(outcome, RejectedImage)]
        self._write(_UPDATE_ONE, [columns for columns in ready if "source_stamp" in columns])
        self._write(_UPDATE_ONE, [columns for columns in ready if "source_stamp" not in columns])
        self._write(_UPDATE_ONE, rejected)

    def retry(self, catalog: str, reasons: Sequence[str] | None = None) -> int:
        """Make rejected images pending again, all or those of the given reasons; returns how many."""
        chosen = sa.update(ImageRow).where(ImageRow.catalog == catalog, ImageRow.state == ImageState.REJECTED)
        if reasons is not None:
            chosen = chosen.where(ImageRow.reason.in_(reasons))
        return self._session.connection().execute(chosen.values(_UNCHECKED)).rowcount

    def counts(self, catalog: str) -> ImageCounts:
        query = sa.select(ImageRow.state, ImageRow.reason, sa.func.count()).where(ImageRow.catalog == catalog)
        states = dict.fromkeys(ImageState, 0)
        reasons: dict[str, int] = {}
        for state, reason, count in self._session.execute(query.group_by(ImageRow.state, ImageRow.reason)):
            states[state] += count
            if reason is not None:
                reasons[reason] = count
        return ImageCounts(states, dict(sorted(reasons.items())))

    def _sync_chunk(self, catalog: str, products: Sequence[Product], stamp: Stamp) -> SyncCounts:
        stored = self._stored(catalog, [product.id for product in products])
        added: list[Columns] = []
        stale: list[Columns] = []
        moved: list[Columns] = []
        unchanged = 0
        for product in products:
            for position, image in enumerate(product.images):
                key = product.id, image.image_id
                before = stored.pop(key, None)
                stamped = stamp(image)
                if before is None:
                    added.append(_new(catalog, product.id, image, position, stamped))
                elif stamped is not None and stamped != before.source_stamp:
                    renewed = {**_UNCHECKED, "source_stamp": stamped, "position": position}
                    stale.append({**_key(catalog, key), **renewed})
                else:
                    unchanged += 1
                    if before.position != position:
                        moved.append({**_key(catalog, key), "position": position})
        removed = [_key(catalog, key) for key in stored]
        self._write(sa.insert(ImageRow), added)
        for updates in (stale, moved):
            self._write(_UPDATE_ONE, updates)
        self._write(_DELETE_ONE, removed)
        return SyncCounts(len(added), len(stale), len(removed), unchanged)

    def _stored(self, catalog: str, product_ids: Sequence[str]) -> dict[ImageKey, "_Stored"]:
        query = sa.select(ImageRow.product_id, ImageRow.image_id, ImageRow.position, ImageRow.source_stamp)
        rows = self._session.execute(query.where(ImageRow.catalog == catalog, ImageRow.product_id.in_(product_ids)))
        return {(product, image): _Stored(position, stamp) for product, image, position, stamp in rows}

    def _write(self, statement: sa.Executable, rows: list[Columns]) -> None:
        if rows:
            self._session.connection().execute(statement, rows)


@dataclass(frozen=True, slots=True)
class _Stored:
    position: int
    source_stamp: str | None


def _key(catalog: str, key: ImageKey) -> Columns:
    return {"of_catalog": catalog, "of_product": key[0], "of_image": key[1]}


def _new(catalog: str, product_id: str, image: ImageRef, position: int, stamp: str | None) -> Columns:
    return {
        "catalog": catalog,
        "product_id": product_id,
        "image_id": image.image_id,
        "position": position,
        "uri": image.uri,
        "source_stamp": stamp,
        "state": ImageState.PENDING,
    }


def _ready(catalog: str, outcome: ReadyImage, now: datetime) -> Columns:
    columns: Columns = {
        **_key(catalog, (outcome.product_id, outcome.image_id)),
        "state": ImageState.READY,
        "content_hash": outcome.content_hash,
        "reason": None,
        "detail": None,
        "width": outcome.width,
        "height": outcome.height,
        "palette": None if outcome.palette is None else [list(colour) for colour in outcome.palette],
        "checked_at": now,
    }
    return columns if outcome.source_stamp is None else {**columns, "source_stamp": outcome.source_stamp}


def _rejected(catalog: str, outcome: RejectedImage, now: datetime) -> Columns:
    return {
        **_key(catalog, (outcome.product_id, outcome.image_id)),
        **_UNCHECKED,
        "state": ImageState.REJECTED,
        "reason": outcome.reason,
        "detail": outcome.detail,
        "checked_at": now,
    }


def _record(row: AnyRow) -> ImageRecord:
    columns = row._asdict()
    if row.palette is not None:
        columns["palette"] = tuple(tuple(colour) for colour in row.palette)
    return ImageRecord(**columns)
