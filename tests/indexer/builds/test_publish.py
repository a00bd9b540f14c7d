"""A written build is read back before it is published; old ones make room."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from indexer.builds.embeddings import Embeddings
from indexer.builds.live import LiveIndex, store_path
from indexer.builds.publish import KEEP, prune, publish, verify
from indexer.catalog.builds import BuildRepository
from indexer.catalog.engine import Database
from indexer.catalog.published import PublishedRepository
from indexer.catalog.states import BuildState
from indexer.domain import Channel, Point, point_id
from indexer.errors import BuildFailed
from indexer.stores.pointer import read_pointer
from tests.fakes import FakeEncoder
from tests.indexer.builds.shop import Shop, catalogue

SCARF = point_id("shop", "scarf", "")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Two products without photos: their builds need no decoder."""
    shop = Shop.at(tmp_path)
    shop.write([{"id": "scarf", "title": "Woollen scarf"}, {"id": "hat", "title": "Straw hat"}])
    shop.build()
    return shop


@contextmanager
def read_back(shop: Shop) -> Iterator[tuple[LiveIndex, Callable[[], None]]]:
    embeddings = Embeddings(shop.settings.home, FakeEncoder().spec.identity)
    with catalogue(shop.settings) as database, shop.live() as index:
        yield index, lambda: verify(index, database, embeddings)


def test_a_store_that_holds_what_the_ledger_says_passes(shop: Shop) -> None:
    with read_back(shop) as (_, check):
        check()


def test_a_point_too_few_fails_the_build(shop: Shop) -> None:
    with read_back(shop) as (index, check):
        index.store.delete([SCARF])
        with pytest.raises(BuildFailed, match="the store holds 1 points, the ledger 2"):
            check()


def test_another_vector_than_the_caches_fails_the_build(shop: Shop) -> None:
    with read_back(shop) as (index, check):
        index.store.upsert([Point(SCARF, "scarf", "", {Channel.TEXT: FakeEncoder().word("hat")}, "scarf", {})])
        with pytest.raises(BuildFailed, match="product scarf does not read back"):
            check()


def test_another_point_in_the_place_of_one_fails_the_build(shop: Shop) -> None:
    with read_back(shop) as (index, check):
        index.store.delete([SCARF])
        stranger = Point(point_id("shop", "x", ""), "x", "", {Channel.TEXT: FakeEncoder().word("x")}, "x", {})
        index.store.upsert([stranger])
        with pytest.raises(BuildFailed, match="product scarf does not read back"):
            check()


def test_publishing_writes_the_ledger_and_the_pointer(shop: Shop) -> None:
    first = read_pointer(shop.settings.home, "shop")
    with shop.live() as index, catalogue(shop.settings) as database:
        another = index.manifest.model_copy(update={"build": "another"})
        add_build(database, "another", BuildState.VERIFYING, datetime.now(UTC))

        publish(database, shop.settings.home, another)

        with database.session() as session:
            published = PublishedRepository(session).get("shop")
    assert (published.build, published.previous) == ("another", first)
    assert read_pointer(shop.settings.home, "shop") == "another"


def add_build(database: Database, build: str, state: BuildState, now: datetime) -> None:
    with database.begin() as session:
        builds = BuildRepository(session)
        builds.create(build, "shop", owner="me:1", store="edge", source="x", settings={}, now=now)
        builds.set_state(build, state, now)


def test_old_builds_and_failed_ones_make_room_and_the_published_stays(shop: Shop) -> None:
    """The published one is the oldest here, as after going back to it."""
    home = shop.settings.home
    now = datetime.now(UTC)
    with catalogue(shop.settings) as database:
        with database.session() as session:
            published = PublishedRepository(session).get("shop").build
        names = [f"ready-{number}" for number in range(KEEP + 2)]
        for hours, name in enumerate([*names, "failed"], start=1):
            state = BuildState.FAILED if name == "failed" else BuildState.READY
            add_build(database, name, state, now + timedelta(hours=hours))
        for build in (published, *names, "failed", "of-another-catalog"):
            store_path(home, build).mkdir(parents=True)

        prune(database, home, "shop")

    left = {path.name for path in store_path(home, published).parent.iterdir()}
    assert left == {published, *names[-KEEP:], "of-another-catalog"}
