import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.engine import Database, open_database
from tests.indexer.catalog.databases import BACKENDS, empty_database


@pytest.fixture(params=BACKENDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with empty_database(request.param, tmp_path) as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the schema, to copy: quicker than to migrate one for every test."""
    path = tmp_path_factory.mktemp("schema") / "catalogue.db"
    database = open_database(f"sqlite:///{path}")
    database.upgrade()
    database.dispose()
    return path


@pytest.fixture
def database(database_url: str, sqlite_file: Path) -> Iterator[Database]:
    """A database with the schema and one empty catalog, `shop`."""
    url = sa.make_url(database_url)
    if url.drivername == "sqlite":
        shutil.copy(sqlite_file, str(url.database))
    database = open_database(database_url)
    database.upgrade()
    with database.begin() as session:
        CatalogRepository(session).ensure("shop", root="/shop", source="/shop/products.csv")
    yield database
    database.dispose()
