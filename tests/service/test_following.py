"""A service that looks at the ledger beside its requests, and live changes in builds that are open."""

import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from indexer.bootstrap import open_catalogue
from indexer.catalog.changes_log import ChangeRepository
from indexer.catalog.engine import Database
from indexer.catalog.images import ImageRepository
from indexer.catalog.products import ProductRepository
from indexer.errors import StoreUnavailable, UnknownCatalog
from indexer.stores.edge_keeping import EdgeStores
from service.live import FOLLOW_SECONDS, LiveBuilds
from tests.fakes import FakeEncoder
from tests.service.two_builds import TwoBuilds, leased
from tests.service.worlds import CATALOG, ITEMS, build, settings_of, write_catalogue


@pytest.fixture
def world(both: TwoBuilds) -> TwoBuilds:
    """The first build is published."""
    both.publish(both.first)
    return both


def eventually(holds: Callable[[], bool]) -> None:
    """The follower looks twice a second."""
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture
def following(world: TwoBuilds) -> Iterator[LiveBuilds]:
    opened = world.live(follow=True)
    assert leased(opened) == world.first
    yield opened
    opened.close()


def test_a_follower_switches_under_every_name_without_a_request(world: TwoBuilds, following: LiveBuilds) -> None:
    with following.lease(CATALOG) as (old, _):
        world.publish(world.second)
        eventually(lambda: leased(following, CATALOG) == world.second)
        assert leased(following) == world.second
        assert old.manifest.build == world.first
        assert old.store.count() == old.manifest.points
    with pytest.raises(StoreUnavailable):
        old.store.count()


def test_a_build_that_cannot_be_opened_is_told_once_and_the_old_one_goes_on(
    world: TwoBuilds, following: LiveBuilds, caplog: pytest.LogCaptureFixture
) -> None:
    path = EdgeStores(world.settings.home).path(world.second)
    aside = path.with_name("aside")
    path.rename(aside)
    with caplog.at_level(logging.WARNING, "service.live"):
        world.publish(world.second)
        eventually(lambda: bool(caplog.messages))
        time.sleep(2.5 * FOLLOW_SECONDS)
    assert leased(following) == world.first
    (told,) = caplog.messages
    assert f"Build {world.second} of catalog {CATALOG} is not in the edge store" in told
    assert told.endswith("The build that was searched so far goes on.")
    aside.rename(path)
    eventually(lambda: leased(following) == world.second)


def test_requests_that_name_no_catalog_are_told_of_a_second_one(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home, tmp_path / "home")
    settings = settings_of(tmp_path / "home")
    builds = LiveBuilds(open_catalogue(settings), settings, lambda manifest: FakeEncoder(), follow=True)
    named = leased(builds)

    def is_told() -> bool:
        try:
            leased(builds)
        except UnknownCatalog:
            return True
        return False

    assert not is_told()
    build(settings, write_catalogue(tmp_path / "catalogue", ITEMS[:2]), catalog="another")
    eventually(is_told)
    assert leased(builds, CATALOG) == named
    builds.close()


def test_closing_ends_the_follower(world: TwoBuilds) -> None:
    before = threading.active_count()
    following = world.live(follow=True)
    assert leased(following) == world.first
    following.close()
    assert threading.active_count() == before
    other = world.live()
    assert leased(other) == world.first, "its store can be had again"
    other.close()


def delete_live(database: Database, product: str) -> None:
    with database.begin() as session:
        images = ImageRepository(session).ids_of(CATALOG, [product])
        ProductRepository(session).delete(CATALOG, [product])
        ChangeRepository(session).record(CATALOG, images, datetime.now(UTC))


@pytest.mark.parametrize("follow", [False, True])
def test_live_changes_reach_builds_that_are_open(world: TwoBuilds, tmp_path: Path, follow: bool) -> None:
    shutil.copytree(world.settings.home, tmp_path / "home")
    settings = settings_of(tmp_path / "home", store={"kind": "memory"})
    database = open_catalogue(settings)
    builds = LiveBuilds(database, settings, lambda manifest: FakeEncoder(), follow)
    with builds.lease(None) as (index, _):
        pass
    delete_live(database, "shoe-red")

    def counted() -> int:
        with builds.lease(None) as (same, _):
            assert same is index
            return same.store.count()

    if follow:
        eventually(lambda: counted() < index.manifest.points)
    assert counted() == index.manifest.points - 2, "it had two photos"
    builds.close()
    database.dispose()
