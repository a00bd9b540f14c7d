import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.images.decoders import DecoderPool
from indexer.settings import BudgetSettings, Settings
from service.ask.asking import SECONDS
from service.shop import Shop
from tests.openai_server import OpenAiServer
from tests.service.ask.asked import Counter, Counters
from tests.service.worlds import open_fake_shop, settings_of


@pytest.fixture(scope="package")
def settings(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Of a copy of the small shop, as questions write down what they cost."""
    folder = tmp_path_factory.mktemp("ask")
    shutil.copytree(home, folder / "home")
    return settings_of(folder / "home", store={"kind": "memory"}, rerank={"model": "small", "side": 64})


@pytest.fixture(scope="package")
def shop(settings: Settings) -> Iterator[Shop]:
    with open_fake_shop(settings) as shop:
        yield shop


@pytest.fixture(scope="package")
def decoders(settings: Settings) -> Iterator[DecoderPool]:
    """In children that are up already."""
    with DecoderPool.of(settings.images) as decoders:
        decoders.start()
        yield decoders


@pytest.fixture
def server() -> Iterator[OpenAiServer]:
    with OpenAiServer() as server:
        yield server


@pytest.fixture
def counters(settings: Settings, shop: Shop, decoders: DecoderPool, server: OpenAiServer) -> Iterator[Counters]:
    """Opens counters that are closed with the test; each of their questions is to differ from other tests'."""
    opened: list[Counter] = []

    def open_counter(seconds: float = SECONDS, **budget: object) -> Counter:
        opened.append(Counter(shop, settings, decoders, server, BudgetSettings.model_validate(budget), seconds))
        return opened[-1]

    yield open_counter
    for counter in opened:
        counter.close()
