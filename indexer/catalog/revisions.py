"""Which revision a schema is at and which is the newest, told without Alembic, which takes long to import."""

import importlib.resources
from typing import Final

import sqlalchemy as sa

_TABLE: Final = "alembic_version"


def revision_of(connection: sa.Connection) -> str | None:
    """None where there is no schema yet, or one that several revisions left."""
    if not connection.dialect.has_table(connection, _TABLE):
        return None
    found = connection.exec_driver_sql(f"SELECT version_num FROM {_TABLE}").scalars().all()
    return str(found[0]) if len(found) == 1 else None


def newest() -> str:
    """Of the shipped scripts: each is called by its revision, which are numbered in a row."""
    scripts = importlib.resources.files("migrations") / "versions"
    return max(one.name.partition("_")[0] for one in scripts.iterdir() if one.name[:1].isdigit())
