"""The desk over two builds of the small shop, of which the first is published."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

import pytest
from starlette.testclient import TestClient

from indexer.bootstrap import open_catalogue
from indexer.catalog.states import Scope
from indexer.settings import Settings
from service.access import Access
from tests.service.apps import app_over
from tests.service.two_builds import TwoBuilds
from tests.service.worlds import settings_of


@dataclass(frozen=True)
class Desk:
    """`client` is signed in as Mia Merchant, and follows redirects."""

    client: TestClient
    settings: Settings
    world: TwoBuilds


@pytest.fixture(scope="module")
def desk(both: TwoBuilds, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    home = tmp_path_factory.mktemp("desk") / "home"
    shutil.copytree(both.settings.home, home)
    settings = settings_of(home, store={"kind": "memory"})
    database = open_catalogue(settings)
    world = TwoBuilds(settings, database, both.first, both.second)
    world.publish(world.first)
    app = app_over(settings, pages=True)
    access = Access(database)
    cookie = access.sign_in(access.add("Mia Merchant", [Scope.MERCHANDISE])[1])
    with TestClient(app, cookies={"vitrine_session": cookie or ""}) as client:
        yield Desk(client, settings, world)


def plain(html: str) -> str:
    """The words, with a space for each tag."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())
