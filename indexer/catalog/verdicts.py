"""What endpoints answered, kept so that nobody pays for the same answer twice."""

from collections.abc import Collection, Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from indexer.catalog.models import VerdictRow
from indexer.catalog.upserting import insert_into


class VerdictRepository:
    """Keys are of 64 characters at most; a verdict is JSON that nobody here looks into."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get_many(self, keys: Collection[str], since: datetime) -> dict[str, str]:
        """Those of the keys that were answered then or later."""
        chosen = sa.select(VerdictRow.key, VerdictRow.verdict).where(VerdictRow.key.in_(keys), VerdictRow.at >= since)
        return {row.key: row.verdict for row in self._session.execute(chosen)}

    def put_many(self, entries: Mapping[str, str], now: datetime) -> None:
        """Verdicts by key; the newest stays."""
        if not entries:
            return
        # In one order, as two writers that lock the same rows in two would wait for each other.
        rows = [{"key": key, "verdict": verdict, "at": now} for key, verdict in sorted(entries.items())]
        fresh = insert_into(VerdictRow, self._session)
        newer = {"verdict": fresh.excluded.verdict, "at": fresh.excluded.at}
        upsert = fresh.on_conflict_do_update(index_elements=["key"], set_=newer)
        self._session.connection().execute(upsert, rows)

    def prune(self, keep: int, since: datetime) -> None:
        """Delete what is older, and the oldest beyond `keep`."""
        self._session.execute(sa.delete(VerdictRow).where(VerdictRow.at < since))
        excess = (self._session.scalar(sa.select(sa.func.count()).select_from(VerdictRow)) or 0) - keep
        if excess > 0:
            oldest = sa.select(VerdictRow.key).order_by(VerdictRow.at, VerdictRow.key).limit(excess)
            self._session.execute(sa.delete(VerdictRow).where(VerdictRow.key.in_(oldest)))
