"""Photos that several products share."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from indexer.catalog.models import ImageRow
from indexer.catalog.states import ImageState
from indexer.catalog.versions import standing


class DuplicateRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def count(self, catalog: str, *, generation: int) -> int:
        """Different photos whose very file more than one product has."""
        shared = self._shared(catalog, generation).subquery()
        return self._session.scalar(sa.select(sa.func.count()).select_from(shared)) or 0

    def groups(self, catalog: str, limit: int, *, generation: int) -> list[tuple[str, ...]]:
        """The products, in order, that have each of the `limit` most shared photos."""
        most = self._shared(catalog, generation).order_by(sa.func.count(ImageRow.product_id.distinct()).desc())
        hashes = [one or "" for one in self._session.scalars(most.order_by(ImageRow.content_hash).limit(limit))]
        query = sa.select(ImageRow.content_hash, ImageRow.product_id).distinct()
        chosen = query.where(self._ready(catalog, generation), ImageRow.content_hash.in_(hashes))
        found: dict[str, list[str]] = {content_hash: [] for content_hash in hashes}
        for content_hash, product_id in self._session.execute(chosen.order_by(ImageRow.product_id)):
            found[content_hash or ""].append(product_id)
        return [tuple(products) for products in found.values()]

    def _shared(self, catalog: str, generation: int) -> sa.Select[str | None]:
        query = sa.select(ImageRow.content_hash).where(self._ready(catalog, generation))
        return query.group_by(ImageRow.content_hash).having(sa.func.count(ImageRow.product_id.distinct()) > 1)

    def _ready(self, catalog: str, generation: int) -> sa.ColumnElement[bool]:
        ready = sa.and_(ImageRow.catalog == catalog, ImageRow.state == ImageState.READY)
        return sa.and_(ready, standing(ImageRow, generation))
