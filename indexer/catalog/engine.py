"""Opening the catalogue database: SQLite with its pragmas, or PostgreSQL. Driver errors stop here."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import cast

import sqlalchemy as sa
from pydantic_core import from_json
from sqlalchemy import exc
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from indexer.breaker import Breaker
from indexer.catalog.revisions import newest, revision_of
from indexer.errors import CatalogueUnavailable, InputError, SettingsError

LOCK_SECONDS = 30
"""How long a transaction waits for another process's write before the catalogue counts as unavailable."""

RESTS_AFTER = 3
REST_SECONDS = 2.0
"""Failures in a row after which a hurried database is left alone, and for how long: a search waits for it in vain no
more often, and a database that is back is found soon."""
LINK = {"connect_timeout": 10, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
"""libpq's, all seconds but the count, where the URL says nothing else: a machine that has gone is noticed in a minute.
"""

_BEGIN = "sqlite_begin"
_PATIENCE = "lock_seconds"
_LOCK_NOT_AVAILABLE = "55P03"
_PRIMARY = 0xFF
"""The part of SQLite's extended error codes that tells the kind."""
_ASKS_FOR_ANOTHER = frozenset(
    (
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_NOTADB,
    )
)


class Database:
    """One pool of connections; safe to share between threads. A process that was spawned opens its own.

    A hurried one, of a service, waits `seconds` for an answer, or for others' writes, and not at all while its breaker
    rests.
    """

    def __init__(self, engine: sa.Engine, seconds: float | None = None, breaker: Breaker | None = None) -> None:
        self.engine = engine
        self._seconds = seconds
        self._far = engine.dialect.name == "postgresql"
        self._breaker = breaker or Breaker(RESTS_AFTER, REST_SECONDS)
        self._reading = engine.execution_options(**{_BEGIN: "BEGIN", _PATIENCE: seconds or LOCK_SECONDS})
        self._writing = engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})

    @property
    def url(self) -> str:
        """Where the database is, its password hidden."""
        return self.engine.url.render_as_string(hide_password=True)

    @contextmanager
    def begin(self, patience: float | None = None) -> Iterator[Session]:
        """One writing transaction: committed when the block ends, rolled back when it raises.

        Raises CatalogueUnavailable when the database cannot be reached or stays locked for `patience` seconds.
        """
        waits = patience or self._seconds or LOCK_SECONDS
        with self._watched(locks=False), Session(self._writing, expire_on_commit=False) as session, session.begin():
            connection = self._connected(session, waits)
            if waits != LOCK_SECONDS:
                _limit_waits(connection, waits)
            yield session

    @contextmanager
    def session(self) -> Iterator[Session]:
        """One reading transaction: a consistent snapshot on SQLite, nothing is committed.

        Raises CatalogueUnavailable when the database cannot be reached.
        """
        with self._watched(locks=True), Session(self._reading, autoflush=False) as session:
            if self._far and self._seconds is not None:
                self._connected(session, self._seconds)
            yield session

    def upgrade(self) -> None:
        """Bring the schema to the newest revision. Several processes may do so at once.

        Raises CatalogueUnavailable, also when the database was made by a newer version.
        """
        with self._translated(), self._reading.begin() as connection:
            self._take_time(connection)
            if revision_of(connection) == newest():
                return
        from indexer.catalog.upgrade import upgrade  # Alembic is needed only here and slow to import

        with self._translated(), self._writing.begin() as connection:
            self._take_time(connection)
            upgrade(connection)

    def revisions(self) -> tuple[str | None, str]:
        """The schema's revision, None of an empty database, and the newest there is. Raises CatalogueUnavailable."""
        from indexer.catalog.upgrade import revisions

        with self._translated(), self._reading.begin() as connection:
            return revisions(connection)

    def dispose(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def _take_time(self, connection: sa.Connection) -> None:
        if self._far and self._seconds is not None:
            _hurry(connection, None)

    def _connected(self, session: Session, patience: float) -> sa.Connection:
        """The transaction's connection, got in time, and asked what takes no longer than `patience` allows."""
        options = {_PATIENCE: patience}
        if not self._far or self._seconds is None:
            return session.connection(execution_options=options)
        from indexer.catalog.postgres import connecting

        with connecting(self._seconds):
            connection = session.connection(execution_options=options)
        _hurry(connection, max(self._seconds, patience))
        return connection

    @contextmanager
    def _watched(self, *, locks: bool) -> Iterator[None]:
        """A hurried database's failures are counted, those by `locks` of others only where they should not be."""
        if self._seconds is None:
            with self._translated():
                yield
            return
        if not self._breaker.allows():
            raise CatalogueUnavailable(f"The catalogue {self.url} kept failing and is left alone for a moment.")
        try:
            with self._translated():
                yield
        except CatalogueUnavailable as error:
            if isinstance(error.__cause__, exc.SQLAlchemyError) and (locks or not _is_lock(error.__cause__)):
                self._breaker.failed()
            raise
        except BaseException:
            self._breaker.succeeded()
            raise
        self._breaker.succeeded()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (exc.OperationalError, exc.InterfaceError, exc.TimeoutError) as error:
            raise CatalogueUnavailable(f"The catalogue {self.url} is unavailable: {_cause(error)}.") from error
        except (exc.DataError, UnicodeEncodeError) as error:
            raise InputError(
                "The catalogue cannot hold this: text with a NUL or half a character, or too large a number."
            ) from error
        except exc.DBAPIError as error:
            if type(error) is exc.DatabaseError:
                raise CatalogueUnavailable(f"The catalogue {self.url} is unreadable: {_cause(error)}.") from error
            raise


def open_database(url: str, seconds: float | None = None, breaker: Breaker | None = None) -> Database:
    """Connects on first use. `url` is an SQLAlchemy URL; with `seconds` the database is a hurried one.

    Raises SettingsError when the URL is not usable.
    """
    try:
        parsed = sa.make_url(url)
        engine = _engine(parsed, seconds)
    except exc.ArgumentError as error:
        raise SettingsError("The database URL is not of the form sqlite:///PATH or postgresql+psycopg://….") from error
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"The database driver {error.name} is not installed; for PostgreSQL write postgresql+psycopg://…."
        ) from error
    if _is_sqlite(parsed):
        sa.event.listen(engine, "connect", partial(_prepare_sqlite, seconds or LOCK_SECONDS))
        sa.event.listen(engine, "begin", _begin_sqlite)
        sa.event.listen(engine, "handle_error", _open_anew)
    elif seconds is not None:
        sa.event.listen(engine, "do_connect", _connect_hurried)
    return Database(engine, seconds, breaker)


def _engine(url: sa.URL, seconds: float | None) -> sa.Engine:
    if _is_sqlite(url):
        return sa.create_engine(url, json_deserializer=from_json)
    link = {name: value for name, value in LINK.items() if name not in url.query}
    waiting = {} if seconds is None else {"pool_timeout": seconds}
    return sa.create_engine(url, json_deserializer=from_json, pool_pre_ping=True, connect_args=link, **waiting)


def _connect_hurried(
    dialect: sa.Dialect, record: ConnectionPoolEntry, positional: list[str], arguments: dict[str, object]
) -> DBAPIConnection:
    from indexer.catalog.postgres import hurried

    return cast(DBAPIConnection, hurried(arguments))


def _hurry(connection: sa.Connection, seconds: float | None) -> None:
    """Of a connection that `hurried` made: how long each answer may take from now on."""
    from indexer.catalog.postgres import HurriedConnection

    raw = connection.connection.dbapi_connection
    if isinstance(raw, HurriedConnection):
        raw.seconds = seconds


def _is_lock(error: BaseException | None) -> bool:
    """Whether it only says that another one writes."""
    origin = error.orig if isinstance(error, exc.DBAPIError) else None
    return getattr(origin, "sqlstate", None) == _LOCK_NOT_AVAILABLE or "database is locked" in str(origin)


def _is_sqlite(url: sa.URL) -> bool:
    return url.get_backend_name() == "sqlite"


def _prepare_sqlite(lock_seconds: float, connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    if not isinstance(connection, sqlite3.Connection):
        raise TypeError(f"expected a connection of the sqlite3 module, got {type(connection).__name__}")
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {round(lock_seconds * 1000)}")
    _switch_to_wal(connection, lock_seconds)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")


def _open_anew(context: sa.ExceptionContext) -> None:
    """A file that was opened to be read only, or read in ruins, stays so to the process as long as one of its
    connections is open, whatever is mended."""
    code: int = getattr(context.original_exception, "sqlite_errorcode", 0)
    if code & _PRIMARY in _ASKS_FOR_ANOTHER and context.engine is not None:
        context.is_disconnect = True
        context.engine.dispose()


def _switch_to_wal(connection: sqlite3.Connection, lock_seconds: float) -> None:
    """SQLite does not wait for the lock when two processes switch a new file to WAL at once: wait here."""
    deadline = time.monotonic() + lock_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _limit_waits(connection: sa.Connection, seconds: float) -> None:
    """On PostgreSQL for the rows and tables to come; on SQLite the lock is waited for when the transaction begins."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {max(1, round(seconds * 1000))}")


def _begin_sqlite(connection: sa.Connection) -> None:
    """The time to wait is told where it differs from what the connection's last user said."""
    options = connection.get_execution_options()
    seconds = options.get(_PATIENCE, LOCK_SECONDS)
    if connection.info.get(_PATIENCE) != seconds:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {round(seconds * 1000)}")
        connection.info[_PATIENCE] = seconds
    connection.exec_driver_sql(options.get(_BEGIN, "BEGIN"))


def _cause(error: exc.SQLAlchemyError) -> str:
    """The driver's first line: without SQL, parameters and links."""
    origin = error.orig if isinstance(error, exc.DBAPIError) else error
    lines = str(origin).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(origin).__name__
