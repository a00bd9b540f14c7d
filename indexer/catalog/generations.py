"""The generations of a catalog: what a build took over, gave up or changed, as a whole."""

from typing import Literal

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from indexer.catalog import versions
from indexer.catalog.catalogs import lock_catalog
from indexer.catalog.models import ImageRow, ProductRow
from indexer.catalog.records import Difference
from indexer.catalog.versions import Condition, VersionedRow, closed, number, standing, unindexed
from indexer.errors import ConflictError

Kind = Literal["added", "changed", "removed"]

_ROWS: tuple[VersionedRow, ...] = (ProductRow, ImageRow)


class GenerationRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def inherit(self, catalog: str, old: int, new: int) -> None:
        """What a build that failed had changed becomes the work of its successor. Raises UnknownCatalog."""
        lock_catalog(self._session, catalog)
        for row in _ROWS:
            versions.inherit(self._session, row, catalog, old, new)

    def abandon(self, catalog: str, generation: int) -> None:
        """Undo what the newest build changed. Raises UnknownCatalog, ConflictError when newer ones stand on it."""
        lock_catalog(self._session, catalog)
        if any(self._built_upon(row, catalog, generation) for row in _ROWS):
            raise ConflictError(
                f"Generation {generation} of catalog {catalog!r} cannot be abandoned: a newer build stands on it. "
                "Forget it instead, when no build that reads it is kept."
            )
        for row in _ROWS:
            versions.abandon(self._session, row, catalog, generation)

    def forget(self, catalog: str, before: int) -> None:
        """Delete what no generation from `before` on reads. Raises UnknownCatalog."""
        lock_catalog(self._session, catalog)
        for row in _ROWS:
            versions.forget(self._session, row, catalog, before)

    def differ(self, catalog: str, a: int, b: int) -> bool:
        """Whether any row of products or images belongs to one of the generations and not to the other."""
        return any(
            self._session.scalar(sa.select(row.since).where(_only(row, catalog, one, other)).limit(1)) is not None
            for row in _ROWS
            for one, other in ((a, b), (b, a))
        )

    def difference(self, catalog: str, a: int, b: int) -> Difference:
        """What `b` has against `a`."""
        added, changed, removed = (self._number(_ids(catalog, a, b, kind)) for kind in ("added", "changed", "removed"))
        present = number(self._session, ProductRow, catalog, b)
        return Difference(added, changed, removed, present - added - changed)

    def changed_ids(
        self, catalog: str, a: int, b: int, kind: Kind, after: str | None = None, limit: int = 1000
    ) -> tuple[str, ...]:
        """Up to `limit` products of one kind of difference of `b` against `a`, in the order of ids, behind `after`."""
        found = _ids(catalog, a, b, kind).subquery()
        query = sa.select(found.c.id)
        if after is not None:
            query = query.where(found.c.id + "" > after)
        return tuple(self._session.scalars(query.order_by(found.c.id).limit(limit)))

    def _built_upon(self, row: VersionedRow, catalog: str, generation: int) -> bool:
        newer = sa.select(row.since).where(row.catalog == catalog, row.since > generation).limit(1)
        ended = sa.select(row.since).where(row.catalog == catalog, row.until > generation, closed(row)).limit(1)
        return any(self._session.scalar(query) is not None for query in (newer, ended))

    def _number(self, ids: sa.Select[str] | sa.CompoundSelect[str]) -> int:
        return self._session.scalar(sa.select(sa.func.count()).select_from(ids.subquery())) or 0


def _only(row: VersionedRow, catalog: str, one: int, other: int) -> Condition:
    """The rows of one generation that are not of the other: a range of the index on the end that tells them apart."""
    if one < other:
        ended = sa.and_(row.until > one, row.until <= other, closed(row))
        return sa.and_(row.catalog == catalog, ended, unindexed(row.since) <= one)
    begun = sa.and_(row.since > other, row.since <= one)
    return sa.and_(row.catalog == catalog, begun, unindexed(row.until) > one)


def _ids(catalog: str, a: int, b: int, kind: Kind) -> sa.Select[str] | sa.CompoundSelect[str]:
    if kind == "added":
        return _present_in_one(catalog, b, a)
    if kind == "removed":
        return _present_in_one(catalog, a, b)
    return sa.union(_other_content(catalog, a, b), _other_images(catalog, a, b), _other_images(catalog, b, a))


def _present_in_one(catalog: str, one: int, other: int) -> sa.Select[str]:
    return sa.select(ProductRow.id).where(
        _only(ProductRow, catalog, one, other), ~_has_product(catalog, ProductRow.id, other)
    )


def _other_content(catalog: str, a: int, b: int) -> sa.Select[str]:
    before = aliased(ProductRow)
    return sa.select(ProductRow.id).where(
        _only(ProductRow, catalog, b, a),
        sa.exists().where(
            before.catalog == catalog,
            before.id == ProductRow.id,
            standing(before, a),
            before.content_hash != ProductRow.content_hash,
        ),
    )


def _other_images(catalog: str, one: int, other: int) -> sa.Select[str]:
    """Products of both generations with an image in one of them that the other does not have like that."""
    twin = aliased(ImageRow)
    alike = sa.exists().where(
        twin.catalog == catalog,
        twin.product_id == ImageRow.product_id,
        twin.image_id == ImageRow.image_id,
        standing(twin, other),
        twin.state == ImageRow.state,
        twin.content_hash.is_not_distinct_from(ImageRow.content_hash),
    )
    return sa.select(ImageRow.product_id).where(
        _only(ImageRow, catalog, one, other),
        ~alike,
        _has_product(catalog, ImageRow.product_id, one),
        _has_product(catalog, ImageRow.product_id, other),
    )


def _has_product(catalog: str, product_id: InstrumentedAttribute[str], generation: int) -> Condition:
    product = aliased(ProductRow)
    return sa.exists().where(
        product.catalog == catalog,
        product.id == product_id,
        standing(product, generation),
    )
