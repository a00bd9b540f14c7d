"""Whether a schema is the newest is told without Alembic."""

from pathlib import Path

from indexer.catalog.engine import open_database
from indexer.catalog.revisions import newest, revision_of


def test_the_newest_revision_is_the_one_that_alembic_goes_to(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'vitrine.db'}")

    assert database.revisions() == (None, newest())
    with database.engine.connect() as connection:
        assert revision_of(connection) is None

    database.upgrade()

    with database.engine.connect() as connection:
        assert revision_of(connection) == newest()
    database.dispose()
