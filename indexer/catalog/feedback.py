"""What shoppers did with the results of searches."""

from collections.abc import Iterator
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from indexer.catalog.models import FeedbackRow
from indexer.catalog.records import Feedback

_TOGETHER = 1_000
"""Rows fetched at a time."""


class FeedbackRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, feedback: Feedback) -> None:
        self._session.execute(
            sa.insert(FeedbackRow).values(
                catalog=feedback.catalog,
                build_id=feedback.build,
                session=feedback.session,
                kind=feedback.kind,
                query=dict(feedback.query),
                product_id=feedback.product,
                rank=feedback.rank,
                at=feedback.at,
            )
        )

    def said(self, catalog: str, session: str, since: datetime) -> int:
        """How often the session said something of the catalog since then."""
        rows = sa.select(sa.func.count()).select_from(FeedbackRow)
        of_session = (FeedbackRow.catalog == catalog, FeedbackRow.at >= since, FeedbackRow.session == session)
        return self._session.scalar(rows.where(*of_session)) or 0

    def forget(self, before: datetime) -> None:
        """What is older, of all catalogs."""
        self._session.execute(sa.delete(FeedbackRow).where(FeedbackRow.at < before))

    def limit(self, keep: int) -> None:
        """Delete what is more than that, of all catalogs together, the oldest first."""
        newest = self._session.scalar(sa.select(sa.func.max(FeedbackRow.id))) or 0
        self._session.execute(sa.delete(FeedbackRow).where(FeedbackRow.id <= newest - keep))

    def of_catalog(self, catalog: str) -> Iterator[Feedback]:
        """Oldest first."""
        rows = sa.select(FeedbackRow).where(FeedbackRow.catalog == catalog).order_by(FeedbackRow.id)
        for row in self._session.scalars(rows.execution_options(yield_per=_TOGETHER)):
            yield Feedback(
                row.catalog, row.build_id, row.session, row.kind, row.query, row.product_id, row.rank, row.at
            )
