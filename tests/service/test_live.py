import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from indexer.bootstrap import open_catalogue
from indexer.catalog.catalogs import CatalogRepository
from indexer.domain import BuildManifest
from indexer.encoders import Encoder
from indexer.errors import EncoderMismatch, NothingPublished, StoreMismatch, StoreUnavailable, UnknownCatalog
from indexer.stores.edge import EdgeStore
from indexer.stores.edge_keeping import EdgeStores
from indexer.stores.seam import Layout
from service.live import LiveBuilds
from tests.fakes import FakeEncoder
from tests.service.two_builds import TwoBuilds, leased
from tests.service.worlds import CATALOG, Item, build, settings_of, write_catalogue


@pytest.fixture
def world(both: TwoBuilds) -> TwoBuilds:
    """The first build is published."""
    both.publish(both.first)
    return both


@pytest.fixture
def builds(world: TwoBuilds) -> Iterator[LiveBuilds]:
    opened = world.live()
    yield opened
    opened.close()


def test_the_only_published_catalog_need_not_be_named(world: TwoBuilds, builds: LiveBuilds) -> None:
    assert leased(builds) == leased(builds, CATALOG) == world.first


def test_a_build_stays_open_between_requests(builds: LiveBuilds) -> None:
    with builds.lease(None) as (before, _):
        pass
    with builds.lease(None) as (after, _):
        assert after is before


def test_the_next_request_after_a_publication_gets_the_new_build(world: TwoBuilds, builds: LiveBuilds) -> None:
    assert leased(builds) == world.first
    world.publish(world.second)
    assert leased(builds) == world.second
    world.publish(world.first)
    assert leased(builds) == world.first


def test_a_request_keeps_its_build_and_the_last_one_closes_it(world: TwoBuilds, builds: LiveBuilds) -> None:
    with builds.lease(None) as (old, _), builds.lease(None) as (same, _):
        assert same is old
        world.publish(world.second)
        with builds.lease(None) as (new, _):
            assert new.manifest.build == world.second
            assert new.store.count() == old.store.count() + 1
    with pytest.raises(StoreUnavailable):
        old.store.count()
    assert leased(builds) == world.second


def test_a_rollback_while_the_build_is_still_in_use_gets_the_same_build(world: TwoBuilds, builds: LiveBuilds) -> None:
    """Opening it a second time would be refused: its directory has one owner."""
    with builds.lease(None) as (old, _):
        world.publish(world.second)
        assert leased(builds) == world.second
        world.publish(world.first)
        with builds.lease(None) as (again, _):
            assert again is old
    assert old.store.count() == old.manifest.points


def test_requests_under_way_while_builds_are_published_never_see_two(world: TwoBuilds, builds: LiveBuilds) -> None:
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


def test_closing_gives_the_stores_up(world: TwoBuilds, builds: LiveBuilds) -> None:
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


def test_an_unknown_catalog_is_refused_with_the_known_ones(builds: LiveBuilds) -> None:
    with pytest.raises(UnknownCatalog, match=f"'shoop'; published catalogs: {CATALOG}"):
        leased(builds, "shoop")


def test_a_catalog_without_a_build_is_refused_with_those_that_have_one(world: TwoBuilds, builds: LiveBuilds) -> None:
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


def test_an_encoder_that_does_not_fit_is_refused_and_the_store_given_up(world: TwoBuilds, builds: LiveBuilds) -> None:
    def refuse(manifest: BuildManifest) -> Encoder:
        raise EncoderMismatch("not the one")

    refusing = world.live(refuse)
    with pytest.raises(EncoderMismatch):
        leased(refusing)
    assert leased(builds) == world.first


def test_builds_of_one_encoder_share_it(world: TwoBuilds) -> None:
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


def test_a_store_that_is_gone_is_named_and_the_service_recovers(world: TwoBuilds, builds: LiveBuilds) -> None:
    path = EdgeStores(world.settings.home).path(world.first)
    aside = path.with_name("aside")
    path.rename(aside)
    with pytest.raises(StoreMismatch, match=f"{world.first} of catalog {CATALOG} is not in the edge store"):
        leased(builds)
    aside.rename(path)
    assert leased(builds) == world.first


def test_a_store_that_was_pruned_while_open_does_not_stand_in_the_way(world: TwoBuilds, builds: LiveBuilds) -> None:
    assert leased(builds) == world.first
    path = EdgeStores(world.settings.home).path(world.first)
    kept = path.with_name("kept")
    shutil.copytree(path, kept)
    shutil.rmtree(path)
    world.publish(world.second)
    assert leased(builds) == world.second
    kept.rename(path)


def test_a_build_that_takes_long_to_open_for_a_look_keeps_no_other_request_waiting(world: TwoBuilds) -> None:
    opening, go = threading.Event(), threading.Event()

    class Slow(EdgeStores):
        def open(self, build: str, layout: Layout) -> EdgeStore:
            if build == world.second:
                opening.set()
                assert go.wait(60)
            return super().open(build, layout)

    stores = Slow(world.settings.home)
    builds = LiveBuilds(world.database, world.settings, lambda manifest: FakeEncoder(), stores=stores)

    def looked_at() -> str:
        with builds.lease_build(world.second) as (index, _):
            return index.manifest.build

    with ThreadPoolExecutor(3) as threads:
        looks = [threads.submit(looked_at) for _ in range(2)]
        try:
            assert opening.wait(60)
            assert threads.submit(leased, builds).result(30) == world.first
        finally:
            go.set()
        assert [one.result(60) for one in looks] == [world.second] * 2
    builds.close()
