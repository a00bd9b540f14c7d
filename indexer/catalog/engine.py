"""Opening the catalogue database: SQLite with its pragmas, or PostgreSQL. Driver errors stop here."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from sqlite3 import Connection as SqliteConnection
from sqlite3 import OperationalError as SqliteOperationalError

import sqlalchemy as sa
from pydantic_core import from_json
from sqlalchemy import exc
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from indexer.errors import CatalogueUnavailable, SettingsError

LOCK_SECONDS = 30
"""How long a transaction waits for another process's write before the catalogue counts as unavailable."""

_BEGIN = "sqlite_begin"
_PATIENCE = "lock_seconds"


class Database:
    """One pool of connections; safe to share between threads. A process that was spawned opens its own."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self._reading = engine.execution_options(**{_BEGIN: "BEGIN"})
        self._writing = engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})

    @property
    def url(self) -> str:
        """Where the database is, its password hidden."""
        return self.engine.url.render_as_string(hide_password=True)

    @contextmanager
    def begin(self, patience: float = LOCK_SECONDS) -> Iterator[Session]:
        """One writing transaction: committed when the block ends, rolled back when it raises.

        Raises CatalogueUnavailable when the database cannot be reached or stays locked for `patience` seconds.
        """
        with self._translated(), Session(self._writing, expire_on_commit=False) as session, session.begin():
            if patience != LOCK_SECONDS:
                _wait_for_locks(session, patience)
            yield session

    @contextmanager
    def session(self) -> Iterator[Session]:
        """One reading transaction: a consistent snapshot on SQLite, nothing is committed."""
        with self._translated(), Session(self._reading, autoflush=False) as session:
            yield session

    def upgrade(self) -> None:
        """Bring the schema to the newest revision. Several processes may do so at once.

        Raises CatalogueUnavailable, also when the database was made by a newer version.
        """
        from indexer.catalog.upgrade import upgrade  # Alembic is needed only here and slow to import

        with self._translated(), self._writing.begin() as connection:
            upgrade(connection)

    def dispose(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (exc.OperationalError, exc.InterfaceError, exc.TimeoutError) as error:
            raise CatalogueUnavailable(f"The catalogue {self.url} is unavailable: {_cause(error)}.") from error
        except exc.DBAPIError as error:
            if type(error) is exc.DatabaseError:
                raise CatalogueUnavailable(f"The catalogue {self.url} is unreadable: {_cause(error)}.") from error
            raise


def open_database(url: str) -> Database:
    """Connects on first use. `url` is an SQLAlchemy URL; raises SettingsError when it is not usable."""
    try:
        parsed = sa.make_url(url)
        engine = sa.create_engine(parsed, json_deserializer=from_json, pool_pre_ping=not _is_sqlite(parsed))
    except exc.ArgumentError as error:
        raise SettingsError("The database URL is not of the form sqlite:///PATH or postgresql+psycopg://….") from error
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"The database driver {error.name} is not installed; for PostgreSQL write postgresql+psycopg://…."
        ) from error
    if _is_sqlite(parsed):
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    return Database(engine)


def _is_sqlite(url: sa.URL) -> bool:
    return url.get_backend_name() == "sqlite"


def _prepare_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    if not isinstance(connection, SqliteConnection):
        raise TypeError(f"expected a connection of the sqlite3 module, got {type(connection).__name__}")
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {LOCK_SECONDS * 1000}")
    _switch_to_wal(connection)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")


def _switch_to_wal(connection: SqliteConnection) -> None:
    """SQLite does not wait for the lock when two processes switch a new file to WAL at once: wait here."""
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except SqliteOperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _wait_for_locks(session: Session, seconds: float) -> None:
    """On PostgreSQL for the rows and tables to come, on SQLite for the lock with which the transaction begins."""
    connection = session.connection(execution_options={_PATIENCE: seconds})
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {max(1, round(seconds * 1000))}")


def _begin_sqlite(connection: sa.Connection) -> None:
    """The time to wait is told where it differs from what the connection's last user said."""
    options = connection.get_execution_options()
    seconds = options.get(_PATIENCE, LOCK_SECONDS)
    if connection.info.get(_PATIENCE, LOCK_SECONDS) != seconds:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {round(seconds * 1000)}")
        connection.info[_PATIENCE] = seconds
    connection.exec_driver_sql(options.get(_BEGIN, "BEGIN"))


def _cause(error: exc.SQLAlchemyError) -> str:
    """The driver's first line: without SQL, parameters and links."""
    origin = error.orig if isinstance(error, exc.DBAPIError) else error
    lines = str(origin).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(origin).__name__
