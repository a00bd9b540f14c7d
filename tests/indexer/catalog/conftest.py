from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.engine import Database, open_database
from tests.indexer.catalog.databases import BACKENDS, database_with_tables, empty_database


@pytest.fixture(params=BACKENDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with empty_database(request.param, tmp_path) as url:
        yield url


@pytest.fixture(params=BACKENDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with the schema and one empty catalog, `shop`."""
    with database_with_tables(request.param, tmp_path) as url:
        database = open_database(url)
        database.upgrade()
        with database.begin() as session:
            CatalogRepository(session).ensure("shop", root="/shop", source="/shop/products.csv")
        yield database
        database.dispose()
