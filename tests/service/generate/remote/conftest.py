from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import count

import pytest

from indexer.breaker import Breaker
from indexer.catalog.engine import Database, open_database
from indexer.domain import Pixels
from indexer.images.decoders import DecoderPool, DecodeTask
from indexer.images.fit import Fit
from indexer.settings import BudgetSettings, ImageSettings
from service.budget.governor import Governor
from service.generate.paying import Purse
from tests.openai_server import OpenAiServer
from tests.schema import write_schema

_DAYS = count()


@pytest.fixture
def server() -> Iterator[OpenAiServer]:
    with OpenAiServer() as server:
        yield server


@pytest.fixture(scope="session")
def decode() -> Iterator[Callable[[bytes], Pixels]]:
    """Files through the gate, in a child that is up already."""
    with DecoderPool.of(ImageSettings(decoders=1)) as decoders:
        decoders.start()
        yield lambda file: decoders.decode(DecodeTask(file, Fit((1024, 1024), "within"))).pixels


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    file = tmp_path_factory.mktemp("budget") / "catalogue.db"
    write_schema(file)
    database = open_database(f"sqlite:///{file}")
    yield database
    database.dispose()


@pytest.fixture
def governor(database: Database) -> Governor:
    """On a day on which nothing was spent."""
    day = date(2026, 11, 21) + timedelta(days=next(_DAYS))
    return Governor(database, BudgetSettings(per_request=1.0, per_key=2.0, per_day=10.0), today=lambda: day)


@pytest.fixture
def purse(governor: Governor) -> Purse:
    return Purse(governor, Breaker())
