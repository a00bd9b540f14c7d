from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from indexer.settings import Settings
from tests.service.apps import app_over
from tests.service.worlds import HOSTS, build, settings_of, write_catalogue

UNHURRIED = {"hosts": HOSTS, "public": ("search",), "per_address": "1000000/minute", "per_key": "1000000/minute"}
"""What is measured here is not how often somebody may ask."""


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """VITRINE_HOME with a small shop built and published in it; tests only read it."""
    folder = tmp_path_factory.mktemp("hostile")
    build(settings_of(folder / "home"), write_catalogue(folder / "catalogue"))
    return folder / "home"


@pytest.fixture(scope="session")
def shop_settings(home: Path) -> Settings:
    """Anybody may search, as often as they like."""
    return settings_of(home, store={"kind": "memory"}, access=UNHURRIED, images={"decoders": 2})


@pytest.fixture(scope="module")
def client(shop_settings: Settings) -> Iterator[TestClient]:
    """Errors of the server are answers of the server."""
    app = app_over(shop_settings, max_photo=shop_settings.images.max_bytes)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client
