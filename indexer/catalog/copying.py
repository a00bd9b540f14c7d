"""Moving a catalogue from one database to another, SQLite or PostgreSQL."""

from collections.abc import Callable, Mapping
from typing import Final

import sqlalchemy as sa
from sqlalchemy import exc

from indexer.catalog.engine import Database
from indexer.catalog.models import Base
from indexer.errors import ConflictError

CHUNK = 1_000
"""Rows held in memory at a time; those with binary columns, which may be megabytes, one by one."""

SNAPSHOT: Final[Mapping[str, Mapping[str, str]]] = {"postgresql": {"isolation_level": "REPEATABLE READ"}}
"""What a dialect needs for all tables to be read as of one moment; SQLite always does so."""

Watch = Callable[[str, int, int], None]
"""Told a table's name, how many of its rows are copied, and how many there are."""


def copy_database(source: Database, target: Database, watch: Watch) -> dict[str, int]:
    """Rows by table, all as of one moment. The target has them all or, after any error, none.

    Both get the newest schema first. Raises ConflictError when the target has rows already or cannot hold a row of
    the source (PostgreSQL keeps to lengths and refuses NUL characters, SQLite does neither), and
    CatalogueUnavailable.
    """
    source.upgrade()
    target.upgrade()
    with source.session() as reading, target.begin() as writing:
        dialect = reading.get_bind().dialect.name
        connection = reading.connection(execution_options=SNAPSHOT.get(dialect, {}))
        into = writing.connection()
        refuse_rows(into, target)
        copied = {}
        for table in Base.metadata.sorted_tables:
            copied[table.name] = _copy(table, connection, into, watch)
            _advance_numbers(table, into)
    return copied


def refuse_rows(into: sa.Connection, target: Database) -> None:
    """Raises ConflictError, naming a table, when the target has any."""
    for table in Base.metadata.sorted_tables:
        if into.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first() is not None:
            raise ConflictError(
                f"The database {target.url} is not empty: it has {table.name} already. Name an empty one."
            )


def _copy(table: sa.Table, source: sa.Connection, target: sa.Connection, watch: Watch) -> int:
    total = _count(table, source)
    large = any(isinstance(column.type, sa.LargeBinary) for column in table.columns)
    rows = source.execute(sa.select(table), execution_options={"yield_per": 1 if large else CHUNK})
    done = 0
    watch(table.name, done, total)
    for chunk in rows.mappings().partitions():
        try:
            target.execute(sa.insert(table), [dict(row) for row in chunk])
        except (exc.DataError, exc.IntegrityError) as error:
            raise ConflictError(
                f"The new database cannot hold a row of {table.name}: {str(error.orig).splitlines()[0]}. "
                "Nothing was copied."
            ) from error
        done += len(chunk)
        watch(table.name, done, total)
    arrived = _count(table, target)
    if not total == done == arrived:
        raise ConflictError(f"Of {total} rows of {table.name} {arrived} arrived. Nothing was copied.")
    return done


def _count(table: sa.Table, connection: sa.Connection) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def _advance_numbers(table: sa.Table, target: sa.Connection) -> None:
    """PostgreSQL does not notice numbers that were inserted; SQLite goes on behind the highest by itself."""
    column = table.autoincrement_column
    if column is None or target.dialect.name != "postgresql":
        return
    highest = sa.select(sa.func.max(column)).scalar_subquery()
    sequence = sa.func.pg_get_serial_sequence(table.name, column.name)
    target.execute(sa.select(sa.func.setval(sequence, sa.func.coalesce(highest, 1), highest.is_not(None))))
