from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.settings import Settings
from service.shop import Shop
from tests.service.draw.shops import open_drawing_shop


@pytest.fixture
def shop(drawing_settings: Settings, tmp_path: Path) -> Iterator[Shop]:
    with open_drawing_shop(drawing_settings, tmp_path) as shop:
        yield shop


@pytest.fixture(scope="module")
def idle_shop(drawing_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """For those whom nothing is drawn for."""
    with open_drawing_shop(drawing_settings, tmp_path_factory.mktemp("idle")) as shop:
        yield shop
