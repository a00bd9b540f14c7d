"""INSERT … ON CONFLICT, in the dialect of the database; the other dialect is not imported."""

from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from indexer.catalog.models import Base

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite


def insert_into(table: type[Base], session: Session) -> "postgresql.Insert | sqlite.Insert":
    """With `on_conflict_do_update`."""
    if session.get_bind().dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert

        return insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)
