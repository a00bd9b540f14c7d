"""What every place for stores does with a build's: written whole or not at all, opened, closed, removed, published."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from indexer.domain import Channel, VectorQuery
from indexer.errors import StoreMismatch, StoreUnavailable
from indexer.stores.edge_keeping import EdgeStores
from indexer.stores.faiss_keeping import FaissStores
from indexer.stores.keeping import Stores
from tests.indexer.stores.lives import LAYOUT, batch, layout_of, made
from tests.indexer.stores.rebuilt import FAISS, built
from tests.qdrant_server.made import local_stores

KEEPERS: Final[dict[str, Callable[[Path], Stores]]] = {
    "edge": EdgeStores,
    "faiss": lambda home: FaissStores(home, FAISS),
    "qdrant": lambda home: local_stores(),
}
QUERY: Final = VectorQuery({Channel.TEXT: LAYOUT.fill[Channel.TEXT]})


@pytest.fixture(params=KEEPERS)
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Stores:
    return KEEPERS[request.param](tmp_path)


def test_a_build_is_written_held_opened_and_written_anew(stores: Stores) -> None:
    assert not stores.holds("b1")
    for points in (batch(0), batch(5)[:3]):
        store = built(stores, LAYOUT, points)
        assert stores.holds("b1")
        assert store.count() == len(points)
        assert store.fetch([point.id for point in points]).keys() == {point.id for point in points}
        store.close()


def test_how_a_build_finds_its_points_is_told_in_a_sentence(stores: Stores) -> None:
    with pytest.raises(StoreMismatch):
        stores.describe("b1")
    built(stores, LAYOUT, batch(0)).close()
    assert "scan" in stores.describe("b1")
    assert stores.describe("b1").endswith(".")


def test_an_empty_build_is_one_too(stores: Stores) -> None:
    store = built(stores, LAYOUT, [])
    assert stores.holds("b1")
    assert store.search(QUERY, 5) == []
    store.upsert([made(1)])
    assert [hit.product_id for hit in store.search(QUERY, 5)] == ["p1"]
    store.close()


def test_a_build_that_was_not_finished_is_none(stores: Stores) -> None:
    with stores.write("b1", LAYOUT, 20) as writer:
        writer.upsert(batch(0))
    assert not stores.holds("b1")
    with pytest.raises(StoreMismatch, match="b1"):
        stores.open("b1", LAYOUT)


def test_what_interrupts_a_build_comes_through_and_leaves_none(stores: Stores) -> None:
    with pytest.raises(KeyboardInterrupt):
        interrupt(stores)
    assert not stores.holds("b1")


def interrupt(stores: Stores) -> None:
    with stores.write("b1", LAYOUT, 20) as writer:
        writer.upsert(batch(0))
        raise KeyboardInterrupt


def test_a_build_of_another_layout_is_refused(stores: Stores) -> None:
    built(stores, LAYOUT, batch(0)).close()
    with pytest.raises(StoreMismatch, match="was not made for this build"):
        stores.open("b1", layout_of(LAYOUT.dim * 2))
    stores.open("b1", LAYOUT).close()


def test_a_closed_store_says_so_and_closes_again(stores: Stores) -> None:
    store = built(stores, LAYOUT, batch(0))
    store.close()
    store.close()
    for call in (store.count, lambda: store.search(QUERY, 1), lambda: store.fetch([]), lambda: store.upsert([made(1)])):
        with pytest.raises(StoreUnavailable, match="closed"):
            call()


def test_a_removed_build_is_gone_and_others_stay(stores: Stores) -> None:
    for build in ("b1", "b2"):
        built(stores, LAYOUT, batch(0), build).close()
    stores.remove("b1")
    stores.remove("b1")
    stores.remove("never there")
    assert (stores.holds("b1"), stores.holds("b2")) == (False, True)
    with pytest.raises(StoreMismatch, match="b1"):
        stores.open("b1", LAYOUT)


def test_a_build_can_be_published_over_another_and_again(stores: Stores) -> None:
    for build in ("b1", "b2"):
        built(stores, LAYOUT, batch(0), build).close()
    for build in ("b1", "b2", "b2", "b1"):
        stores.publish("shop", build)
