from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count

import pytest

from indexer.catalog.engine import Database, open_database
from tests.indexer.catalog.databases import BACKENDS, empty_database
from tests.schema import write_schema

_YEARS = count()


@dataclass
class Calendar:
    """The day it is, which tests turn over."""

    day: date

    def __call__(self) -> date:
        return self.day

    def turn(self, days: int = 1) -> None:
        self.day += timedelta(days=days)


@pytest.fixture
def calendar() -> Calendar:
    """Far from the days of all other tests, which share a database."""
    return Calendar(date(2026, 11, 21) + timedelta(days=365 * next(_YEARS)))


@pytest.fixture(scope="module", params=BACKENDS)
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One with the schema; days of a test's own `calendar` have nothing spent."""
    folder = tmp_path_factory.mktemp("budget")
    if request.param == "sqlite":
        write_schema(folder / "catalogue.db")
    with empty_database(request.param, folder) as url:
        database = open_database(url)
        database.upgrade()
        yield database
        database.dispose()
