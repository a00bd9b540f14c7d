"""The pages over each module's own copy of the small shop, as one visitor sees them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from indexer.bootstrap import open_catalogue
from indexer.catalog.states import Scope
from indexer.settings import Settings
from service.access import Access
from tests.service.apps import app_over
from tests.service.worlds import settings_of


@pytest.fixture(scope="module")
def pages_settings(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Of a copy that may be written to."""
    own = tmp_path_factory.mktemp("pages") / "home"
    shutil.copytree(home, own)
    return settings_of(own, store={"kind": "memory"})


@pytest.fixture(scope="module")
def access(pages_settings: Settings) -> Access:
    return Access(open_catalogue(pages_settings))


@pytest.fixture(scope="module")
def pages_client(pages_settings: Settings) -> Iterator[TestClient]:
    app = app_over(pages_settings, pages=True)
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


@pytest.fixture
def visitor(pages_client: TestClient) -> TestClient:
    """Somebody whose browser knows nothing yet, and who is not led on by redirects."""
    pages_client.cookies.clear()
    return pages_client


@pytest.fixture
def admin(visitor: TestClient, access: Access) -> TestClient:
    """The same, signed in with a key that opens everything."""
    token = access.add("Ann Admin", [Scope.ADMIN])[1]
    visitor.cookies.set("vitrine_session", access.sign_in(token) or "")
    return visitor
