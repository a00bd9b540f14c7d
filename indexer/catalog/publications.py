"""What was ever published of each catalog, when and by whom."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from indexer.catalog.models import PublicationRow
from indexer.catalog.records import Publication


class PublicationRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def note(self, done: Publication) -> None:
        """In the transaction that publishes."""
        values = {"catalog": done.catalog, "build_id": done.build, "replaced": done.replaced}
        self._session.execute(sa.insert(PublicationRow).values({**values, "by": done.by, "at": done.at}))

    def of(self, catalog: str | None = None, limit: int = 100) -> tuple[Publication, ...]:
        """Newest first, of one catalog or of all."""
        row = PublicationRow
        query = sa.select(row.catalog, row.build_id, row.replaced, row.by, row.at).order_by(row.id.desc()).limit(limit)
        if catalog is not None:
            query = query.where(row.catalog == catalog)
        return tuple(Publication(*found) for found in self._session.execute(query))
