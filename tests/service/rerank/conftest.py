import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.catalog.engine import Database, open_database
from tests.service.rerank.judging import Bench, bench


@pytest.fixture(scope="session")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database's file, to copy."""
    path = tmp_path_factory.mktemp("schema") / "catalogue.db"
    database = open_database(f"sqlite:///{path}")
    database.upgrade()
    database.dispose()
    return path


@pytest.fixture(scope="session")
def ledger(schema: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One that tests share: each asks for something else."""
    path = shutil.copy(schema, tmp_path_factory.mktemp("judge"))
    database = open_database(f"sqlite:///{path}")
    yield database
    database.dispose()


@pytest.fixture
def database(schema: Path, tmp_path: Path) -> Iterator[Database]:
    path = shutil.copy(schema, tmp_path)
    database = open_database(f"sqlite:///{path}")
    yield database
    database.dispose()


@pytest.fixture
def judge(database: Database) -> Iterator[Bench]:
    with bench(database) as one:
        yield one
