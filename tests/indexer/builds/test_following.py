"""Stores that follow the ledger's live changes: once each, in order, and again after whatever went wrong."""

import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from uuid import UUID

import pytest

from indexer.builds.embeddings import Embeddings
from indexer.builds.following import TOGETHER, Following
from indexer.builds.live import LiveIndex, open_live, published_build, read_layout
from indexer.catalog.changes_log import ChangeRepository
from indexer.catalog.engine import Database
from indexer.catalog.placements import PlacementRepository
from indexer.domain import Point
from indexer.errors import StoreMismatch, StoreUnavailable, VectorsMissing
from indexer.stores.keeping import OpenStore
from indexer.stores.memory_keeping import MemoryStores
from tests.indexer.builds.changed import SOURCE, World, costs, found
from tests.indexer.builds.shop import Shop, catalogue
from tests.qdrant_server.made import local_stores


class Watched:
    """A store that says what is done to it, and fails when it is told to."""

    def __init__(self, store: OpenStore) -> None:
        self.store = store
        self.upserts: list[str] = []
        self.deletes = 0
        self.fails: type[BaseException] | None = None

    def upsert(self, points: Sequence[Point]) -> None:
        self.store.upsert(points)
        self.upserts += [point.product_id for point in points]
        if self.fails is not None:
            raise self.fails

    def delete(self, ids: Sequence[UUID]) -> None:
        self.store.delete(ids)
        self.deletes += len(ids)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    shop = Shop.at(tmp_path)
    with catalogue(shop.settings) as database:
        world = World(shop, database, local_stores())
        world.write(SOURCE)
        world.build()
        yield world


@pytest.fixture
def any_world(any_ledger: Shop, ledger: Database) -> World:
    """As `world`, its ledger on each kind of database."""
    world = World(any_ledger, ledger, local_stores())
    world.write(SOURCE)
    world.build()
    return world


@contextmanager
def following(world: World) -> Iterator[tuple[Following, Watched]]:
    """As another process would follow the store that keeps the published build."""
    manifest, layout = read_layout(world.database, published_build(world.database, "shop")[1])
    embeddings = Embeddings(world.shop.settings.home, manifest.encoder)
    with closing(world.stores.open(manifest.build, layout)) as store:
        watched = Watched(store)
        yield Following(world.database, world.stores, watched, manifest, embeddings, applied(world)), watched  # type: ignore[arg-type]


def applied(world: World) -> int:
    with world.database.session() as session:
        return PlacementRepository(session).applied(published_build(world.database, "shop")[1], world.stores.kind)


def opened(world: World) -> LiveIndex:
    build = published_build(world.database, "shop")[1]
    return open_live(world.database, world.shop.settings, build, world.stores)


def test_each_change_is_applied_once_and_by_one_of_those_that_follow_a_store(any_world: World) -> None:
    with following(any_world) as (one, by_one), following(any_world) as (other, by_other):
        any_world.update("hat", price=9)
        any_world.delete("coat")
        assert one.catch_up() == 2
        assert other.catch_up() == 0
        any_world.put({"id": "vase", "title": "Vase"})
        assert other.catch_up() == 1
        assert one.catch_up() == 0
        assert (by_one.upserts, by_other.upserts) == (["hat"], ["vase"])
        assert applied(any_world) == 3


def test_followers_at_once_share_the_changes(any_world: World) -> None:
    with ExitStack() as stack:
        followers = [stack.enter_context(following(any_world)) for _ in range(3)]
        stop = threading.Event()

        def follow(one: Following) -> None:
            while not stop.is_set():
                one.catch_up()

        threads = [threading.Thread(target=follow, args=(one,)) for one, _ in followers]
        for thread in threads:
            thread.start()
        for price in range(1, 31):
            any_world.update("hat", price=price)
        any_world.delete("coat")
        stop.set()
        for thread in threads:
            thread.join()
        for one, _ in followers:
            one.catch_up()
        assert sum(len(store.upserts) for _, store in followers) <= 30
        assert applied(any_world) == 31
    with any_world.live() as index:
        assert found(index, "hat coat scarf") == ["hat", "scarf"]
        assert found(index, "hat", costs(30)) == ["hat"]


def test_stores_of_each_process_follow_for_themselves(world: World) -> None:
    """The memory stores of two services beside a store that keeps its changes."""
    memory = World(world.shop, world.database, MemoryStores())
    with closing(opened(memory)) as one, closing(opened(memory)) as other, following(world) as (kept, _):
        world.update("hat", price=9)
        assert (one.catch_up(), other.catch_up(), kept.catch_up()) == (1, 1, 1)
        assert (one.catch_up(), other.catch_up(), kept.catch_up()) == (0, 0, 0)
        assert found(one, "hat", costs(9)) == found(other, "hat", costs(9)) == ["hat"]


def test_a_process_that_dies_between_the_store_and_the_ledger_has_its_changes_applied_again(any_world: World) -> None:
    any_world.put({"id": "vase", "title": "Vase"})
    any_world.delete("coat")
    with following(any_world) as (dying, store):
        store.fails = SystemExit
        with pytest.raises(SystemExit):
            dying.catch_up()
        assert store.upserts == ["vase"]
    assert applied(any_world) == 0
    with following(any_world) as (next_one, again):
        assert next_one.catch_up() == 2
        assert again.upserts == ["vase"]
    with any_world.live() as index:
        assert found(index, "vase coat hat") == ["hat", "vase"]


def test_a_store_that_is_away_has_its_changes_when_it_is_back(world: World) -> None:
    with following(world) as (one, store):
        world.update("hat", price=9)
        store.fails = StoreUnavailable
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                one.catch_up()
        assert applied(world) == 0
        store.fails = None
        assert one.catch_up() == 1


def test_more_changes_than_one_step_takes_are_applied_in_steps(world: World) -> None:
    with following(world) as (one, store):
        for half in ("a", "b"):
            world.put(*({"id": f"vase-{half}-{number}", "title": "Vase"} for number in range(TOGETHER)))
        assert one.catch_up() == 2 * TOGETHER
        assert len(store.upserts) == 2 * TOGETHER


def test_a_product_whose_vectors_are_gone_is_named_until_they_are_back(world: World) -> None:
    texts = world.shop.settings.home / "embeddings"
    aside = texts.with_name("aside")
    shutil.copytree(texts, aside)
    world.put({"id": "vase", "title": "Vase"})
    texts.rename(texts.with_name("whole"))
    aside.rename(texts)
    with following(world) as (one, store):
        world.update("hat", price=9)
        for _ in range(2):
            with pytest.raises(VectorsMissing, match=r"for products changed live \('vase', 'hat'\) are gone"):
                one.catch_up()
        assert (store.upserts, store.deletes, applied(world)) == ([], 0, 0)
        shutil.copytree(texts.with_name("whole"), texts, dirs_exist_ok=True)
        assert one.catch_up() == 2
        assert sorted(store.upserts) == ["hat", "vase"]


@pytest.mark.parametrize("kind", ["memory", "qdrant"])
@pytest.mark.parametrize("upto", [1, 2])
def test_a_store_behind_the_log_is_refused_and_built_anew(world: World, kind: str, upto: int) -> None:
    """Pruning never forgets what a build that stays has yet to be told; a store put back from a copy may lack it."""
    kept = World(world.shop, world.database, world.stores if kind == "qdrant" else MemoryStores())
    with closing(opened(kept)) as index:
        world.update("hat", price=9)
        world.delete("coat")
        with world.database.begin() as session:
            ChangeRepository(session).forget("shop", upto)
        for _ in range(2):
            with pytest.raises(StoreMismatch, match=f"The {kind} store of build .* up to 0, and the log"):
                index.catch_up()
        assert index.store.count() == 3
    if kind == "qdrant":
        with pytest.raises(StoreMismatch, match="Build the catalogue again"):
            opened(kept)
    kept.build()
    with kept.live() as index:
        assert found(index, "hat", costs(20)) == ["hat"]


def test_following_needs_no_encoder_and_no_photo(world: World) -> None:
    """A product with a photo, changed after the photo is gone from the disk."""
    world.shop.draw("vase.png", "blue")
    world.put({"id": "vase", "title": "Vase", "price": 5, "images": ["vase.png"]})
    (world.shop.folder / "vase.png").unlink()
    world.update("vase", price=6)
    with following(world) as (one, _):
        one.catch_up()
    with world.live() as index:
        assert found(index, "vase", costs(6)) == ["vase"]
        assert index.store.count() == 4


def test_photos_that_a_product_lost_leave_the_store(world: World) -> None:
    for name in ("a.png", "b.png", "c.png"):
        world.shop.draw(name, "blue", mark=ord(name[0]))
    with following(world) as (one, _):
        world.put({"id": "vase", "title": "Vase", "images": ["a.png", "b.png"]})
        one.catch_up()
        world.put({"id": "vase", "title": "Vase", "images": ["b.png", "c.png"]})
        world.put({"id": "vase", "title": "Vase"})
        one.catch_up()
    with world.live() as index:
        assert index.store.count() == 4
