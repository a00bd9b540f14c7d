"""What each build left out, and why."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from indexer.catalog.models import BuildRejectRow
from indexer.catalog.records import ListedReject, Reject


class RejectRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, build_id: str, rejects: Sequence[Reject]) -> None:
        """Append to the list of a build that exists."""
        if not rejects:
            return
        rows = [
            {
                "build_id": build_id,
                "line": reject.line,
                "product_id": reject.product_id,
                "uri": reject.uri,
                "reason": reject.reason,
                "detail": reject.detail,
            }
            for reject in rejects
        ]
        self._session.connection().execute(sa.insert(BuildRejectRow), rows)

    def page(self, build_id: str, after: int = 0, limit: int = 100) -> tuple[ListedReject, ...]:
        """Up to `limit` in the order of adding, behind the number `after`."""
        query = sa.select(
            BuildRejectRow.id,
            BuildRejectRow.reason,
            BuildRejectRow.detail,
            BuildRejectRow.line,
            BuildRejectRow.product_id,
            BuildRejectRow.uri,
        ).where(BuildRejectRow.build_id == build_id, BuildRejectRow.id > after)
        rows = self._session.execute(query.order_by(BuildRejectRow.id).limit(limit))
        return tuple(
            ListedReject(number, Reject(reason, detail, line, product_id, uri))
            for number, reason, detail, line, product_id, uri in rows
        )

    def counts(self, build_id: str) -> dict[str, int]:
        """Rejects by reason, in the order of reasons."""
        query = sa.select(BuildRejectRow.reason, sa.func.count()).where(BuildRejectRow.build_id == build_id)
        grouped = query.group_by(BuildRejectRow.reason).order_by(BuildRejectRow.reason)
        return dict(self._session.execute(grouped).all())

    def move(self, build_id: str, to: str) -> None:
        """Give one build's list to another, in place of what that one had."""
        self.clear(to)
        moved = sa.update(BuildRejectRow).where(BuildRejectRow.build_id == build_id)
        self._session.execute(moved.values(build_id=to))

    def clear(self, build_id: str) -> None:
        """Empty the list, for a build that starts over."""
        self._session.execute(sa.delete(BuildRejectRow).where(BuildRejectRow.build_id == build_id))
