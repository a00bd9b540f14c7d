"""Rows as versions: which belong to a generation, and how a build changes them without touching older generations."""

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from indexer.catalog.models import ImageRow, ProductRow
from indexer.catalog.states import FOREVER

VersionedRow = type[ProductRow] | type[ImageRow]
Condition = sa.ColumnElement[bool]


def unindexed(column: InstrumentedAttribute[int]) -> sa.ColumnElement[int]:
    """The column as an expression, which keeps planners from its index: nearly all rows have the same value.

    Rows that are chosen by their key are to be found by it, whatever a planner believes without statistics.
    """
    return column + sa.literal_column("0", sa.Integer)


def standing(row: VersionedRow, generation: int | sa.BindParameter[int]) -> Condition:
    """The rows of a generation, to be chosen among by their key."""
    return sa.and_(unindexed(row.since) <= generation, unindexed(row.until) > generation)


def split(session: Session, row: VersionedRow, chosen: Condition, generation: int) -> None:
    """Give the chosen rows of the generation that older ones read too a version of their own, for it to be changed."""
    columns = row.__table__.columns
    older = sa.and_(chosen, standing(row, generation), unindexed(row.since) < generation)
    copied = [sa.literal(generation) if column.name == "since" else column for column in columns]
    copy = sa.insert(row).from_select([column.name for column in columns], sa.select(*copied).where(older))
    connection = session.connection()
    connection.execute(copy)
    connection.execute(sa.update(row).where(older).values(until=generation))


def end(session: Session, row: VersionedRow, chosen: Condition, generation: int) -> None:
    """Take the chosen rows out of the generation; older ones keep them."""
    connection = session.connection()
    connection.execute(sa.delete(row).where(chosen, unindexed(row.since) == generation))
    connection.execute(sa.update(row).where(chosen, standing(row, generation)).values(until=generation))


def number(session: Session, row: VersionedRow, catalog: str, generation: int) -> int:
    """Of rows of a generation: those that begin with it or before, less those that have ended, counted in indexes."""
    counted = sa.select(sa.func.count()).select_from(row).where(row.catalog == catalog)
    begun = session.scalar(counted.where(row.since <= generation)) or 0
    ended = session.scalar(counted.where(row.until <= generation, closed(row))) or 0
    return begun - ended


def closed(row: VersionedRow) -> Condition:
    """Spelt as the condition of the index on `until` is, which planners compare word by word."""
    return row.until < sa.literal_column(str(FOREVER), sa.Integer)


def inherit(session: Session, row: VersionedRow, catalog: str, old: int, new: int) -> None:
    """What one generation changed is changed by another instead."""
    connection = session.connection()
    connection.execute(sa.update(row).where(row.catalog == catalog, row.since == old).values(since=new))
    connection.execute(sa.update(row).where(row.catalog == catalog, row.until == old, closed(row)).values(until=new))


def abandon(session: Session, row: VersionedRow, catalog: str, generation: int) -> None:
    """Undo what the newest generation changed."""
    connection = session.connection()
    connection.execute(sa.delete(row).where(row.catalog == catalog, row.since == generation))
    reopened = sa.update(row).where(row.catalog == catalog, row.until == generation, closed(row))
    connection.execute(reopened.values(until=FOREVER))


def forget(session: Session, row: VersionedRow, catalog: str, before: int) -> None:
    """Delete what only generations older than `before` read."""
    session.connection().execute(sa.delete(row).where(row.catalog == catalog, row.until <= before, closed(row)))


def analyze(session: Session) -> None:
    """Tell PostgreSQL's planner what the tables are like after a source was read, rather than within minutes.

    Until then it takes a table for nearly empty and reads a catalog whole where it should look up keys.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text("ANALYZE products, images"))
