from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.catalog.engine import Database, open_database
from tests.schema import write_schema
from tests.service.rerank.judging import Bench, bench


@pytest.fixture(scope="session")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One that tests share: each asks for something else."""
    path = tmp_path_factory.mktemp("judge") / "catalogue.db"
    write_schema(path)
    database = open_database(f"sqlite:///{path}")
    yield database
    database.dispose()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    path = tmp_path / "catalogue.db"
    write_schema(path)
    database = open_database(f"sqlite:///{path}")
    yield database
    database.dispose()


@pytest.fixture
def judge(database: Database) -> Iterator[Bench]:
    with bench(database) as one:
        yield one
