"""Builds that are searched without being published."""

import time
from collections.abc import Iterator

import pytest

from indexer.errors import StoreUnavailable, UnknownBuild
from indexer.settings import Settings
from service.live import FOLLOW_SECONDS, LiveBuilds
from service.request import SearchRequest
from tests.fakes import FakeEncoder
from tests.service.test_following import eventually
from tests.service.two_builds import TwoBuilds, leased
from tests.service.worlds import CATALOG, open_fake_shop


@pytest.fixture
def world(both: TwoBuilds) -> TwoBuilds:
    """The first build is published."""
    both.publish(both.first)
    return both


@pytest.fixture
def following(world: TwoBuilds) -> Iterator[LiveBuilds]:
    opened = world.live(follow=True)
    assert leased(opened) == world.first
    yield opened
    opened.close()


def test_a_build_is_looked_at_beside_the_published_one(world: TwoBuilds, following: LiveBuilds) -> None:
    with following.lease_build(world.second) as (new, _), following.lease(CATALOG) as (old, _):
        assert (new.manifest.build, old.manifest.build) == (world.second, world.first)
        assert new.store.count() == old.store.count() + 1
    with following.lease_build(world.second) as (again, _):
        assert again is new, "it stayed open"
    assert leased(following) == world.first


def test_one_that_nobody_looks_at_any_more_is_closed(world: TwoBuilds) -> None:
    builds = LiveBuilds(world.database, world.settings, lambda _: FakeEncoder(), follow=True, idle_seconds=0.05)
    with builds.lease_build(world.second) as (index, _):
        time.sleep(2.5 * FOLLOW_SECONDS)
        assert index.store.count() == index.manifest.points, "not while it is in use"

    def is_closed() -> bool:
        try:
            index.store.count()
        except StoreUnavailable:
            return True
        return False

    eventually(is_closed)
    builds.close()


def test_once_it_is_published_it_goes_on_as_it_is(world: TwoBuilds, following: LiveBuilds) -> None:
    """Opening it a second time would be refused: its directory has one owner."""
    with following.lease_build(world.second) as (index, _):
        world.publish(world.second)
        eventually(lambda: leased(following) == world.second)
        with following.lease(CATALOG) as (same, _):
            assert same is index
    with following.lease(CATALOG) as (same, _):
        assert same is index


def test_the_published_one_can_be_named_too(world: TwoBuilds, following: LiveBuilds) -> None:
    with following.lease_build(world.first) as (named, _), following.lease(None) as (published, _):
        assert named is published


def test_without_a_follower_nothing_stays_open(world: TwoBuilds) -> None:
    builds = world.live()
    with builds.lease_build(world.second) as (index, _):
        assert index.store.count() == index.manifest.points
    with pytest.raises(StoreUnavailable):
        index.store.count()
    builds.close()


def test_builds_that_are_not_there_are_named(world: TwoBuilds, following: LiveBuilds) -> None:
    with pytest.raises(UnknownBuild), following.lease_build("nothing"):
        pass
    assert leased(following) == world.first


def test_a_preview_finds_what_only_the_new_build_has(world: TwoBuilds) -> None:
    settings = Settings.model_validate({**world.settings.model_dump(), "store": {"kind": "memory"}})
    asked = SearchRequest(text="new mug", group=False)
    with open_fake_shop(settings) as shop:
        before, after = shop.search(asked), shop.preview(asked, world.second)
    assert (before.build, after.build) == (world.first, world.second)
    assert "mug-new" not in [one.id for one in before.results]
    assert "mug-new" in [one.id for one in after.results]
