from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.engine import Database, open_database
from tests.indexer.catalog.databases import BACKENDS, empty_database
from tests.schema import write_schema


@pytest.fixture(params=BACKENDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with empty_database(request.param, tmp_path) as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database with the schema and one empty catalog, `shop`."""
    url = sa.make_url(database_url)
    if url.drivername == "sqlite":
        write_schema(Path(str(url.database)))
    database = open_database(database_url)
    database.upgrade()
    with database.begin() as session:
        CatalogRepository(session).ensure("shop", root="/shop", source="/shop/products.csv")
    yield database
    database.dispose()
