from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.catalog.engine import Database, open_database
from tests.indexer.catalog.databases import BACKENDS, empty_database
from tests.schema import write_schema
from tests.service.generate.working import with_a_catalog


@pytest.fixture(params=BACKENDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        write_schema(tmp_path / "catalogue.db")
    with empty_database(request.param, tmp_path) as url, with_a_catalog(open_database(url)) as database:
        yield database


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    """For what no database does differently."""
    write_schema(tmp_path / "catalogue.db")
    with with_a_catalog(open_database(f"sqlite:///{tmp_path / 'catalogue.db'}")) as database:
        yield database
