from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from indexer.catalog.engine import Database, open_database
from tests.indexer.catalog.databases import BACKENDS, empty_database
from tests.schema import write_schema
from tests.service.generate.working import with_a_catalog


@pytest.fixture(scope="package")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """PostgreSQL, where migrations take longer than most of what is tested."""
    folder = tmp_path_factory.mktemp("jobs")
    with empty_database("postgresql", folder) as url, with_a_catalog(open_database(url)) as database:
        yield database


@pytest.fixture(params=BACKENDS)
def database(request: pytest.FixtureRequest) -> Database:
    """Without a job."""
    if request.param == "sqlite":
        sqlite: Database = request.getfixturevalue("sqlite")
        return sqlite
    database: Database = request.getfixturevalue("migrated")
    with database.begin() as session:
        session.execute(sa.text("DELETE FROM drawing_jobs"))
    return database


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    """For what no database does differently."""
    write_schema(tmp_path / "catalogue.db")
    with with_a_catalog(open_database(f"sqlite:///{tmp_path / 'catalogue.db'}")) as database:
        yield database
