"""What endpoints were paid, in whole millionths of a dollar, by day and by who is to pay."""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Session

from indexer.catalog.models import SpendingRow
from indexer.catalog.upserting import insert_into

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

_KEY = ("day", "scope")


class OverLimit(Exception):
    """Raised within a transaction, which must not be committed."""


class SpendingRepository:
    """Scopes are of 64 characters at most. Limits hold over all processes that share the database."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add_if_within(self, day: date, limits: Mapping[str, int], micros: int) -> None:
        """Add `micros` to each scope's spending of the day. Raises OverLimit if one would come above its limit."""
        for scope in sorted(limits):  # in one order, as two writers that lock the same rows in two wait for each other
            self._add_one(day, scope, micros, limits[scope])

    def correct(self, day: date, scope: str, micros: int) -> None:
        """Add to what the scope has spent, whatever its limit, or take away, but never below zero."""
        corrected = SpendingRow.micros + micros
        positive = sa.case((corrected < 0, 0), else_=corrected)
        first = self._insert(day, scope, max(0, micros))
        self._session.execute(first.on_conflict_do_update(index_elements=_KEY, set_={"micros": positive}))

    def spent(self, day: date, scope: str) -> int:
        query = sa.select(SpendingRow.micros).where(SpendingRow.day == day, SpendingRow.scope == scope)
        return self._session.scalar(query) or 0

    def forget(self, before: date) -> None:
        """Delete the sums of earlier days."""
        self._session.execute(sa.delete(SpendingRow).where(SpendingRow.day < before))

    def _add_one(self, day: date, scope: str, micros: int, limit: int) -> None:
        """One statement, so that nobody comes between the comparison and the sum."""
        if micros > limit:
            raise OverLimit
        added = SpendingRow.micros + micros
        first = self._insert(day, scope, micros)
        upsert = first.on_conflict_do_update(index_elements=_KEY, set_={"micros": added}, where=added <= limit)
        if self._session.connection().execute(upsert.returning(SpendingRow.micros)).first() is None:
            raise OverLimit

    def _insert(self, day: date, scope: str, micros: int) -> "postgresql.Insert | sqlite.Insert":
        return insert_into(SpendingRow, self._session).values(day=day, scope=scope, micros=micros)
