from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from indexer.settings import Settings
from tests.service.apps import app_over

MAX_PHOTO = 60_000


@pytest.fixture(scope="package")
def client(memory: Settings) -> Iterator[TestClient]:
    """Over the small shop; photos may have 60 kB."""
    with TestClient(app_over(memory, max_photo=MAX_PHOTO), raise_server_exceptions=False) as client:
        yield client
