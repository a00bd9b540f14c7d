"""Runs the Alembic migrations that ship with the package."""

import importlib.resources

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from indexer.errors import CatalogueUnavailable

_LOCK_KEY = 0x76697472  # "vitr"


def migrations_config(connection: sa.Connection) -> Config:
    """Alembic's configuration for the shipped scripts, working in the given connection's transaction."""
    config = Config()
    config.set_main_option("script_location", str(importlib.resources.files("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def revisions(connection: sa.Connection) -> tuple[str | None, str]:
    """The one that the database is at, None where there is no schema yet, and the newest of the shipped scripts."""
    scripts = ScriptDirectory.from_config(migrations_config(connection))
    return MigrationContext.configure(connection).get_current_revision(), str(scripts.get_current_head())


def upgrade(connection: sa.Connection) -> None:
    """Within the connection's transaction, holding a lock that makes other processes wait.

    On SQLite the lock is the immediate transaction that Database opened.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK_KEY)))
    try:
        command.upgrade(migrations_config(connection), "head")
    except CommandError as error:
        raise CatalogueUnavailable(f"The catalogue's schema cannot be upgraded: {error}") from error
