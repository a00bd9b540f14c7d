from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.catalog.engine import Database
from tests.indexer.builds.shop import Shop, catalogue
from tests.indexer.catalog.databases import BACKENDS, database_with_tables


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """With nothing in it yet."""
    return Shop.at(tmp_path)


@pytest.fixture
def database(shop: Shop) -> Iterator[Database]:
    """Of the shop."""
    with catalogue(shop.settings) as opened:
        yield opened


@pytest.fixture(params=BACKENDS)
def any_ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """A shop with nothing in it yet, its ledger on each kind of database."""
    with database_with_tables(request.param, tmp_path) as url:
        yield Shop.at(tmp_path, database=url)


@pytest.fixture
def ledger(any_ledger: Shop) -> Iterator[Database]:
    """Its database."""
    with catalogue(any_ledger.settings) as database:
        yield database
