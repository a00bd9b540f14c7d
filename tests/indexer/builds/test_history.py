"""Who published what, however it came to be published; and publishing a build that this process has open."""

from contextlib import closing
from pathlib import Path

import pytest

from indexer.builds.life import build_before, publish_build, rollback
from indexer.builds.listing import list_publications
from indexer.builds.live import open_live, published_build
from indexer.catalog.engine import Database
from indexer.errors import StoreOwned, UnknownCatalog
from indexer.stores.opening import open_stores
from tests.fakes import FakeEncoder
from tests.indexer.builds.shop import Shop


def test_builds_publications_and_rollbacks_are_listed_newest_first(shop: Shop, database: Database) -> None:
    first, second = shop.hats("Straw hat"), shop.hats("Straw hat", "Felt hat")
    rollback(database, shop.settings, "shop", by="ann")
    publish_build(database, shop.settings, second, lambda _: FakeEncoder(), {}, lambda _: None, "bob")
    told = [(one["build"], one["replaced"], one["by"]) for one in list_publications(database, "shop")]
    assert told == [(second, first, "bob"), (first, second, "ann"), (second, first, None), (first, None, None)]
    assert list_publications(database, None) == list_publications(database, "shop")
    with pytest.raises(UnknownCatalog):
        list_publications(database, "nowhere")


def test_a_build_that_is_open_here_is_published_from_its_open_store(tmp_path: Path, database: Database) -> None:
    shop = Shop.at(tmp_path, store="edge")
    first, second = shop.hats("Straw hat"), shop.hats("Straw hat", "Felt hat")
    rollback(database, shop.settings, "shop")
    with closing(open_live(database, shop.settings, second)) as index:
        with pytest.raises(StoreOwned):
            publish_build(database, shop.settings, second, lambda _: FakeEncoder(), {}, lambda _: None)
        done = publish_build(database, shop.settings, second, lambda _: FakeEncoder(), {}, lambda _: None, opened=index)
        assert (done.build, done.replaced) == (second, first)
        assert index.store.count() == 2, "it stays open"
    assert published_build(database, "shop")[1] == second


def test_what_one_goes_back_to_is_told_beforehand(shop: Shop, database: Database) -> None:
    first, second = shop.hats("Straw hat"), shop.hats("Straw hat", "Felt hat")
    stores = open_stores(shop.settings)
    assert (build_before(database, stores, second), build_before(database, stores, first)) == (first, None)
