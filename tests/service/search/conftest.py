from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.search.bazaar import Bazaar, opened, write_bazaar
from tests.service.worlds import build, settings_of


@pytest.fixture(scope="session")
def bazaar_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """VITRINE_HOME with the bazaar built and published in it; tests only read it."""
    folder = tmp_path_factory.mktemp("bazaar")
    build(settings_of(folder / "home"), write_bazaar(folder / "catalogue"), catalog="bazaar")
    return folder / "home"


@pytest.fixture(scope="session")
def bazaar(bazaar_home: Path) -> Iterator[Bazaar]:
    """On the memory store."""
    with opened(settings_of(bazaar_home, store={"kind": "memory"})) as shop:
        yield shop
