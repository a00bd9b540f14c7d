import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from indexer.bootstrap import open_catalogue
from indexer.builds.live import published_build, store_path
from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.engine import Database
from indexer.catalog.published import PublishedRepository
from indexer.domain import BuildManifest
from indexer.encoders import Encoder
from indexer.errors import EncoderMismatch, NothingPublished, StoreMismatch, StoreUnavailable, UnknownCatalog
from indexer.settings import Settings
from service.live import LiveBuilds, OpenEncoder
from tests.fakes import FakeEncoder
from tests.service.worlds import CATALOG, ITEMS, Item, build, settings_of, write_catalogue


@dataclass(frozen=True)
class World:
    settings: Settings
    database: Database
    first: str
    second: str

    def live(self, open_encoder: OpenEncoder = lambda manifest: FakeEncoder()) -> LiveBuilds:
        """Sees a publication at once."""
        return LiveBuilds(self.database, self.settings, open_encoder, fresh_seconds=0)

    def publish(self, build_id: str) -> None:
        with self.database.begin() as session:
            PublishedRepository(session).set(CATALOG, build_id, datetime.now(UTC))


@pytest.fixture(scope="module")
def both(home: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Two finished builds of one catalog; the second has one product more."""
    folder = tmp_path_factory.mktemp("live")
    shutil.copytree(home, folder / "home")
    settings = settings_of(folder / "home")
    database = open_catalogue(settings)
    _, first = published_build(database, None)
    new = Item("mug-new", "New mug", "red")
    return World(settings, database, first, build(settings, write_catalogue(folder / "catalogue", [*ITEMS, new])))


@pytest.fixture
def world(both: World) -> World:
    """The first build is published."""
    both.publish(both.first)
    return both


@pytest.fixture
def builds(world: World) -> Iterator[LiveBuilds]:
    opened = world.live()
    yield opened
    opened.close()


def leased(builds: LiveBuilds, catalog: str | None = None) -> str:
    with builds.lease(catalog) as (index, _):
        assert index.store.count() == index.manifest.points
        return index.manifest.build


def test_the_only_published_catalog_need_not_be_named(world: World, builds: LiveBuilds) -> None:
    assert leased(builds) == leased(builds, CATALOG) == world.first


def test_a_build_stays_open_between_requests(builds: LiveBuilds) -> None:
    with builds.lease(None) as (before, _):
        pass
    with builds.lease(None) as (after, _):
        assert after is before


def test_the_next_request_after_a_publication_gets_the_new_build(world: World, builds: LiveBuilds) -> None:
    assert leased(builds) == world.first
    world.publish(world.second)
    assert leased(builds) == world.second
    world.publish(world.first)
    assert leased(builds) == world.first


def test_a_request_keeps_its_build_and_the_last_one_closes_it(world: World, builds: LiveBuilds) -> None:
    with builds.lease(None) as (old, _), builds.lease(None) as (same, _):
        assert same is old
        world.publish(world.second)
        with builds.lease(None) as (new, _):
            assert new.manifest.build == world.second
            assert new.store.count() == old.store.count() + 1
    with pytest.raises(StoreUnavailable):
        old.store.count()
    assert leased(builds) == world.second


def test_a_rollback_while_the_build_is_still_in_use_gets_the_same_build(world: World, builds: LiveBuilds) -> None:
    """Opening it a second time would be refused: its directory has one owner."""
    with builds.lease(None) as (old, _):
        world.publish(world.second)
        assert leased(builds) == world.second
        world.publish(world.first)
        with builds.lease(None) as (again, _):
            assert again is old
    assert old.store.count() == old.manifest.points


def test_requests_under_way_while_builds_are_published_never_see_two(world: World, builds: LiveBuilds) -> None:
    stop = threading.Event()
    seen: set[str] = set()

    def asking(catalog: str | None) -> None:
        while not stop.is_set():
            with builds.lease(catalog) as (index, _):
                before = index.store.count()
                seen.add(index.manifest.build)
                assert before == index.store.count() == index.manifest.points

    with ThreadPoolExecutor(4) as threads:
        asked = [threads.submit(asking, catalog) for catalog in (None, CATALOG, None, CATALOG)]
        for build_id in (world.second, world.first, world.second):
            world.publish(build_id)
            leased(builds)
        stop.set()
        for one in asked:
            one.result(30)
    assert seen == {world.first, world.second}


def test_closing_gives_the_stores_up(world: World, builds: LiveBuilds) -> None:
    leased(builds)
    builds.close()
    other = world.live()
    assert leased(other) == world.first
    other.close()


def test_closing_waits_for_requests_under_way(builds: LiveBuilds) -> None:
    with builds.lease(None) as (index, _):
        builds.close()
        assert index.store.count() == index.manifest.points
    with pytest.raises(StoreUnavailable):
        index.store.count()


def test_for_half_a_second_the_ledger_is_not_asked_again(world: World) -> None:
    builds = LiveBuilds(world.database, world.settings, lambda manifest: FakeEncoder(), fresh_seconds=0.5)
    assert leased(builds) == world.first
    world.publish(world.second)
    assert leased(builds, CATALOG) == world.second
    assert leased(builds) == world.second, "what is learned under one name holds for the other"
    builds.close()


def test_an_unknown_catalog_is_refused_with_the_known_ones(builds: LiveBuilds) -> None:
    with pytest.raises(UnknownCatalog, match=f"'shoop'; published catalogs: {CATALOG}"):
        leased(builds, "shoop")


def test_a_catalog_without_a_build_is_refused_with_those_that_have_one(world: World, builds: LiveBuilds) -> None:
    with world.database.begin() as session:
        CatalogRepository(session).ensure("empty", root="/", source="/")
    with pytest.raises(NothingPublished, match=f"'empty'; published catalogs: {CATALOG}"):
        leased(builds, "empty")


def test_with_nothing_published_the_next_step_is_named(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    database = open_catalogue(settings)
    with pytest.raises(NothingPublished, match="vitrine build CATALOGUE"):
        leased(LiveBuilds(database, settings, lambda manifest: FakeEncoder()))
    database.dispose()


def test_of_several_catalogs_one_must_be_named_or_set(tmp_path: Path) -> None:
    settings = settings_of(tmp_path / "home", store={"kind": "memory"})
    source = write_catalogue(tmp_path / "catalogue", [Item("a", "Mug"), Item("b", "Shoe")])
    for name in ("north", "south"):
        build(settings, source, catalog=name)
    database = open_catalogue(settings)
    builds = LiveBuilds(database, settings, lambda manifest: FakeEncoder())
    with pytest.raises(UnknownCatalog, match="name one: north, south"):
        leased(builds)
    with builds.lease("south") as (index, _):
        assert index.manifest.catalog == "south"
    chosen = LiveBuilds(database, settings.model_copy(update={"catalog": "north"}), lambda manifest: FakeEncoder())
    with chosen.lease(None) as (index, _):
        assert index.manifest.catalog == "north"
    database.dispose()


def test_an_encoder_that_does_not_fit_is_refused_and_the_store_given_up(world: World, builds: LiveBuilds) -> None:
    def refuse(manifest: BuildManifest) -> Encoder:
        raise EncoderMismatch("not the one")

    refusing = world.live(refuse)
    with pytest.raises(EncoderMismatch):
        leased(refusing)
    assert leased(builds) == world.first


def test_builds_of_one_encoder_share_it(world: World) -> None:
    opened: list[str] = []

    def open_encoder(manifest: BuildManifest) -> Encoder:
        opened.append(manifest.build)
        return FakeEncoder()

    builds = world.live(open_encoder)
    leased(builds)
    world.publish(world.second)
    leased(builds)
    builds.close()
    assert opened == [world.first]


def test_a_store_that_is_gone_is_named_and_the_service_recovers(world: World, builds: LiveBuilds) -> None:
    path = store_path(world.settings.home, world.first)
    aside = path.with_name("aside")
    path.rename(aside)
    with pytest.raises(StoreMismatch, match=rf"{world.first} of catalog {CATALOG} is not in the edge store.*again"):
        leased(builds)
    aside.rename(path)
    assert leased(builds) == world.first


def test_a_store_that_was_pruned_while_open_does_not_stand_in_the_way(world: World, builds: LiveBuilds) -> None:
    assert leased(builds) == world.first
    path = store_path(world.settings.home, world.first)
    kept = path.with_name("kept")
    shutil.copytree(path, kept)
    shutil.rmtree(path)
    world.publish(world.second)
    assert leased(builds) == world.second
    kept.rename(path)
