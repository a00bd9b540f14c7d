from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from indexer.settings import Settings
from service.api.app import create_app
from tests.service.worlds import open_fake_shop

MAX_PHOTO = 60_000


@pytest.fixture(scope="package")
def client(memory: Settings) -> Iterator[TestClient]:
    """Over the small shop; photos may have 60 kB."""
    settings = memory.model_copy(update={"images": memory.images.model_copy(update={"max_bytes": MAX_PHOTO})})
    with TestClient(create_app(lambda: open_fake_shop(settings), MAX_PHOTO), raise_server_exceptions=False) as client:
        yield client
