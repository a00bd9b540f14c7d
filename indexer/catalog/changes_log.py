"""The log of live changes: what carries them into stores and into builds that are running."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from indexer.catalog.catalogs import unknown_catalog
from indexer.catalog.models import CatalogRow, ChangeRow
from indexer.catalog.records import Change


class ChangeRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def record(self, catalog: str, changed: Mapping[str, Sequence[str]], now: datetime) -> int:
        """Note that products were changed, in the transaction that changes them; returns the last sequence.

        `changed` maps product ids to the ids of the images they had before, in any version. Each product takes
        one sequence number; as the catalog stays locked until the end of the transaction, they are committed in
        their order. Raises UnknownCatalog.
        """
        counted = sa.update(CatalogRow).where(CatalogRow.name == catalog)
        counted = counted.values(sequence=CatalogRow.sequence + len(changed))
        last = self._session.connection().execute(counted.returning(CatalogRow.sequence)).scalar_one_or_none()
        if last is None:
            raise unknown_catalog(self._session, catalog)
        rows = [
            {"catalog": catalog, "sequence": sequence, "product_id": product, "image_ids": list(images), "at": now}
            for sequence, (product, images) in enumerate(changed.items(), last - len(changed) + 1)
        ]
        if rows:
            self._session.connection().execute(sa.insert(ChangeRow), rows)
        return last

    def last(self, catalog: str) -> int:
        """The sequence of the newest change, forgotten ones included; 0 before the first. Raises UnknownCatalog."""
        last = self._session.scalar(sa.select(CatalogRow.sequence).where(CatalogRow.name == catalog))
        if last is None:
            raise unknown_catalog(self._session, catalog)
        return last

    def since(self, catalog: str, after: int, limit: int = 500) -> tuple[Change, ...]:
        """Up to `limit` changes behind the sequence `after`, in their order."""
        query = sa.select(ChangeRow.sequence, ChangeRow.product_id, ChangeRow.image_ids, ChangeRow.at)
        behind = query.where(ChangeRow.catalog == catalog, ChangeRow.sequence > after)
        rows = self._session.execute(behind.order_by(ChangeRow.sequence).limit(limit))
        return tuple(Change(sequence, product, tuple(images), at) for sequence, product, images, at in rows)

    def touched(self, catalog: str, ids: Sequence[str], *, after: int) -> set[str]:
        """Of these products, those that were changed behind the sequence `after`."""
        query = sa.select(ChangeRow.product_id).distinct()
        behind = query.where(ChangeRow.catalog == catalog, ChangeRow.product_id.in_(ids), ChangeRow.sequence > after)
        return set(self._session.scalars(behind))

    def forget(self, catalog: str, upto: int) -> None:
        """Delete the changes up to the sequence `upto`, which every store and build that is kept contains."""
        old = sa.delete(ChangeRow).where(ChangeRow.catalog == catalog, ChangeRow.sequence <= upto)
        self._session.execute(old)
