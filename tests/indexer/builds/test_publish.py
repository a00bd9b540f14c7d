"""A written build is read back before it is published; the ledger's row is the truth, pointers follow it."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from indexer.builds.embeddings import Embeddings
from indexer.builds.live import LiveIndex, published_build
from indexer.builds.publish import publish, repair_pointers, verify, withhold
from indexer.catalog.builds import BuildRepository
from indexer.catalog.engine import Database
from indexer.catalog.published import PublishedRepository
from indexer.catalog.states import BuildState
from indexer.domain import Channel, Point, point_id
from indexer.errors import BuildFailed
from indexer.stores.edge_keeping import EdgeStores
from indexer.stores.edge_shard import mark_sealed
from indexer.stores.pointer import read_pointer, write_pointer
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
def read_back(shop: Shop) -> Iterator[tuple[LiveIndex, Callable[[], int]]]:
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
    with shop.live() as index, catalogue(shop.settings) as database:
        first = index.manifest.build
        another = index.manifest.model_copy(update={"build": "another"})
        add_build(database, "another", BuildState.READY, datetime.now(UTC))

        publish(database, EdgeStores(shop.settings.home), another)

        with database.session() as session:
            published = PublishedRepository(session).get("shop")
    assert (published.build, published.previous) == ("another", first)
    assert read_pointer(shop.settings.home, "shop") == "another"


def test_a_pointer_that_cannot_be_written_does_not_undo_the_publication(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    (shop.settings.home / "published").write_text("a file where the pointers' folder should be")
    with shop.live() as index, catalogue(shop.settings) as database:
        add_build(database, "another", BuildState.READY, datetime.now(UTC))
        publish(database, EdgeStores(shop.settings.home), index.manifest.model_copy(update={"build": "another"}))

        assert published_build(database, "shop")[1] == "another"
    assert "Build another is published, and the store does not say so." in caplog.text


def test_the_row_of_the_ledger_puts_pointers_right(tmp_path: Path) -> None:
    """As after a kill between the row and the pointer."""
    shop = Shop.at(tmp_path)
    build, home = shop.hats("Straw hat"), shop.settings.home
    EdgeStores(home).path(build).mkdir(parents=True)
    mark_sealed(EdgeStores(home).path(build))
    write_pointer(home, "shop", "the-one-before")

    with catalogue(shop.settings) as database:
        repair_pointers(database, EdgeStores(home))
        assert read_pointer(home, "shop") == build

        shutil.rmtree(EdgeStores(home).path(build))
        write_pointer(home, "shop", "the-one-before")
        repair_pointers(database, EdgeStores(home))
        assert read_pointer(home, "shop") == "the-one-before", "readers of the pointer would find nothing there"


def test_a_refusal_that_comes_after_somebody_published_the_build_changes_nothing(shop: Shop) -> None:
    with catalogue(shop.settings) as database:
        published = published_build(database, "shop")[1]
        withhold(database, published, "too late")
        with database.session() as session:
            record = BuildRepository(session).get(published)
    assert (record.state, record.error) == (BuildState.PUBLISHED, None)


def add_build(database: Database, build: str, state: BuildState, now: datetime) -> None:
    with database.begin() as session:
        builds = BuildRepository(session)
        builds.create(build, "shop", owner="me:1", store="edge", source="x", settings={}, now=now)
        builds.set_state(build, state, now)
