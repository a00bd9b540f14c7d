"""Databases to test on: SQLite always, PostgreSQL where it is installed."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import sqlalchemy as sa

from indexer.catalog.engine import open_database
from tests.postgres import POSTGRES_URL, server_url
from tests.schema import write_schema

BACKENDS = ("sqlite", "postgresql")


@contextmanager
def empty_database(backend: str, folder: Path) -> Iterator[str]:
    """The URL of a database without tables. Skips when there is no server of that kind."""
    if backend == "sqlite":
        yield f"sqlite:///{folder / 'catalogue.db'}"
        return
    with _schema(sa.make_url(server_url())) as url:
        yield url.render_as_string(hide_password=False)


@contextmanager
def database_with_tables(backend: str, folder: Path) -> Iterator[str]:
    """The same with all tables and nothing in them: copied where that is quicker than what makes them, and allowed."""
    if backend == "sqlite":
        write_schema(folder / "catalogue.db")
    if backend == "sqlite" or os.environ.get(POSTGRES_URL):
        with empty_database(backend, folder) as url:
            yield url
    else:
        with _copied() as copied:
            yield copied.render_as_string(hide_password=False)


@contextmanager
def _copied() -> Iterator[sa.URL]:
    name, whole = f"test_{uuid.uuid4().hex}", _migrated()
    _tell(f"CREATE DATABASE {name} TEMPLATE {whole}")
    yield sa.make_url(server_url()).set(database=name)
    _tell(f"DROP DATABASE {name} WITH (FORCE)")


@cache
def _migrated() -> str:
    """The name of a database that is copied and nothing else."""
    name = f"whole_{uuid.uuid4().hex}"
    _tell(f"CREATE DATABASE {name}")
    database = open_database(sa.make_url(server_url()).set(database=name).render_as_string(hide_password=False))
    database.upgrade()
    database.dispose()
    return name


def _tell(sentence: str) -> None:
    engine = sa.create_engine(server_url(), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(sentence))
    engine.dispose()


@contextmanager
def _schema(server: sa.URL) -> Iterator[sa.URL]:
    name = f"test_{uuid.uuid4().hex}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(sa.text(f"CREATE SCHEMA {name}"))
        yield server.update_query_dict({"options": f"-csearch_path={name}"})
        with engine.connect() as connection:
            connection.execute(sa.text(f"DROP SCHEMA {name} CASCADE"))
    finally:
        engine.dispose()
