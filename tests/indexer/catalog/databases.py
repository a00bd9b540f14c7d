"""Empty databases to test on: SQLite always, PostgreSQL where it is installed."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from tests.postgres import server_url

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
