"""Old builds make room; what is published, searched or needed by what is kept stays."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from indexer.builds.changing import delete_products
from indexer.builds.life import rollback
from indexer.builds.listing import list_builds
from indexer.builds.live import published_build
from indexer.builds.prune import GIVEN_UP, KEEP_ENDED, STILL_SEARCHED, prune, prune_all
from indexer.builds.publish import withhold
from indexer.catalog.builds import BuildRepository
from indexer.catalog.engine import Database
from indexer.catalog.models import PublishedRow
from indexer.catalog.published import PublishedRepository
from indexer.catalog.states import BuildState
from indexer.errors import BuildFailed, StoreUnavailable, UnknownCatalog
from indexer.stores.edge_keeping import EdgeStores
from indexer.stores.memory_keeping import MemoryStores
from indexer.stores.owner import Ownership
from tests.indexer.builds.shop import Shop, catalogue

KEEP = 3


def add_build(database: Database, build: str, state: BuildState, hours: int = 0) -> None:
    """`hours` from now."""
    now = datetime.now(UTC) + timedelta(hours=hours)
    with database.begin() as session:
        builds = BuildRepository(session)
        builds.create(build, "shop", owner="me:1", store="edge", source="x", settings={}, now=now)
        builds.set_state(build, state, now)


def names(database: Database) -> set[object]:
    return {row["build"] for row in list_builds(database, "shop")}


def time_passes(database: Database) -> None:
    """No service searches any more what was published before."""
    with database.begin() as session:
        session.execute(sa.update(PublishedRow).values(published_at=datetime.now(UTC) - STILL_SEARCHED))


def publish_again(database: Database, build: str) -> None:
    with database.begin() as session:
        PublishedRepository(session).set("shop", build, datetime.now(UTC))


def number_of(database: Database, table: str) -> int:
    with database.session() as session:
        return int(session.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one())


def test_old_builds_and_what_failed_make_room_and_the_published_stays(shop: Shop, database: Database) -> None:
    """The published one is the oldest here, as after going back to it."""
    stores = EdgeStores(shop.settings.home)
    published = shop.hats("Straw hat")
    ready = [f"ready-{number}" for number in range(KEEP + 2)]
    for hours, name in enumerate(ready, start=1):
        add_build(database, name, BuildState.READY, hours)
    add_build(database, "failed", BuildState.FAILED, 20)
    for name in (published, *ready, "failed", "of-another-catalog"):
        stores.path(name).mkdir(parents=True)

    gone = prune(database, stores, "shop", KEEP)

    kept = {published, *ready[-(KEEP - 1) :]}
    assert set(gone) == {*ready} - kept
    assert shop.stored() == {*kept, "of-another-catalog"}
    assert names(database) == {*kept, "failed"}, "why a build failed can still be read"
    assert prune(database, stores, "shop", KEEP) == []


def test_refused_builds_do_not_take_the_places_of_builds_to_go_back_to(shop: Shop, database: Database) -> None:
    stores = EdgeStores(shop.settings.home)
    published = shop.hats("Straw hat")
    ready = [f"ready-{number}" for number in range(1, KEEP)]
    refusals = [f"refused-{number}" for number in range(1, 4)]
    for hours, name in enumerate([*ready, *refusals], start=1):
        add_build(database, name, BuildState.READY, hours)
    for name in refusals:
        withhold(database, name, "nDCG@10 fell")

    prune(database, stores, "shop", KEEP)
    assert names(database) == {published, *ready, refusals[-1]}


def test_of_what_failed_the_newest_stay_in_the_ledger(shop: Shop, database: Database) -> None:
    published = shop.hats("Straw hat")
    failed = [f"failed-{number:02}" for number in range(KEEP_ENDED + 5)]
    for hours, name in enumerate(failed, start=1):
        add_build(database, name, BuildState.FAILED, hours)

    prune(database, MemoryStores(), "shop", KEEP)
    assert names(database) == {published, *failed[-KEEP_ENDED:]}


def test_what_was_published_a_moment_ago_is_still_searched(any_ledger: Shop, ledger: Database) -> None:
    """A service needs half a second to go over to another build, its requests as long as they last."""
    before, now = any_ledger.hats("Straw hat"), any_ledger.hats("Felt hat")
    assert prune(ledger, MemoryStores(), "shop", 1) == []

    time_passes(ledger)
    assert prune(ledger, MemoryStores(), "shop", 1) == [before]
    assert names(ledger) == {now}


def test_a_store_that_somebody_has_open_stays_with_its_build(
    shop: Shop, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """As when a service goes on with what it has because it cannot open what was published."""
    stores = EdgeStores(shop.settings.home)
    before, now = shop.hats("Straw hat"), shop.hats("Felt hat", "Silk hat")
    for build in (before, now):
        stores.path(build).mkdir(parents=True)
    time_passes(database)

    searched = Ownership(stores.path(before))
    assert prune(database, stores, "shop", 1) == []
    assert f"The store of build {before} stays for now." in caplog.text
    assert rollback(database, shop.settings, "shop").build == before, "it can be gone back to, and has its rows"
    assert shop.called("straw felt silk") == ["hat-0"]

    publish_again(database, now)
    time_passes(database)
    searched.release()
    assert prune(database, stores, "shop", 1) == [before]
    assert shop.stored() == {now}


class Unreachable(MemoryStores):
    def remove(self, build: str) -> None:
        raise StoreUnavailable("The store does not answer.")


def test_a_store_that_cannot_be_reached_keeps_its_build_until_the_next_time(shop: Shop, database: Database) -> None:
    published = shop.hats("Straw hat")
    for hours, name in enumerate(("old", "new"), start=1):
        add_build(database, name, BuildState.READY, hours)
    withhold(database, "old", "nDCG@10 fell")
    withhold(database, "new", "nDCG@10 fell")

    assert prune(database, Unreachable(), "shop", KEEP) == []
    rows = {row["build"]: (row["state"], row["error"]) for row in list_builds(database, "shop")}
    assert rows == {published: ("published", None)} | dict.fromkeys(("old", "new"), ("ready", "nDCG@10 fell"))
    assert prune(database, MemoryStores(), "shop", KEEP) == ["old"]


def test_what_a_killed_process_had_given_up_is_forgotten_by_the_next(shop: Shop, database: Database) -> None:
    shop.hats("Straw hat")
    add_build(database, "half-gone", BuildState.CANCELLED)
    with database.begin() as session:
        BuildRepository(session).set_state("half-gone", BuildState.CANCELLED, datetime.now(UTC), error=GIVEN_UP)

    assert prune(database, MemoryStores(), "shop", KEEP) == ["half-gone"]


class Meanwhile(MemoryStores):
    """While a store is being removed, somebody tries to publish its build by a connection of their own."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self.told = ""

    def remove(self, build: str) -> None:
        with catalogue(self._shop.settings) as another, pytest.raises(BuildFailed) as error:
            publish_again(another, build)
        self.told = str(error.value)


def test_nobody_publishes_what_is_being_forgotten(any_ledger: Shop, ledger: Database) -> None:
    builds = [any_ledger.hats(*["Straw hat"] * number) for number in (1, 2, 3)]
    stores = Meanwhile(any_ledger)

    assert prune(ledger, stores, "shop", 2) == [builds[0]]
    assert "cannot be published" in stores.told
    assert published_build(ledger, "shop")[1] == builds[2]


def test_rows_that_no_kept_build_reads_go_and_the_others_stay(any_ledger: Shop, ledger: Database) -> None:
    for titles in (["Straw hat", "Cap"], ["Felt hat", "Cap"], ["Silk hat", "Cap"]):
        any_ledger.hats(*titles)
    assert number_of(ledger, "products") == 4, "three versions of one product, one of the other"

    prune(ledger, MemoryStores(), "shop", 2)
    assert number_of(ledger, "products") == 3
    rollback(ledger, any_ledger.settings, "shop")
    assert any_ledger.called("felt straw silk") == ["hat-0"]


def test_live_changes_that_every_kept_build_has_are_forgotten(shop: Shop, database: Database) -> None:
    shop.hats("Straw hat", "Felt hat", "Cap")
    delete_products(database, "shop", ["hat-0"])
    shop.hats("", "Felt hat", "Cap")
    time_passes(database)
    assert number_of(database, "changes") == 1

    delete_products(database, "shop", ["hat-1"])
    prune(database, MemoryStores(), "shop", 2)
    assert number_of(database, "changes") == 2, "the older build was made before either"
    assert len(prune(database, MemoryStores(), "shop", 1)) == 1
    assert number_of(database, "changes") == 1, "the newer one has the first in its rows"


def test_after_newer_builds_were_forgotten_the_next_one_stands_on_what_is_published(
    any_ledger: Shop, ledger: Database
) -> None:
    """Its number was theirs once; none of their rows may be left under it."""
    first = any_ledger.hats("Straw hat", "Cap")
    any_ledger.hats("Felt hat", "Cap")
    any_ledger.hats("Silk hat", "Bonnet", "Beret")
    rollback(ledger, any_ledger.settings, "shop", first)
    time_passes(ledger)
    assert len(prune(ledger, MemoryStores(), "shop", 1)) == 2

    for titles in (["Straw hat", "Fez", "Toque"], ["Straw hat", "Toque", "Fez"]):
        any_ledger.hats(*titles)
        with any_ledger.live() as index:
            assert (index.manifest.products, index.store.count()) == (3, 3)
        assert any_ledger.called("straw felt silk") == ["hat-0"]
        assert any_ledger.called("beret bonnet cap") == []


def test_all_catalogs_or_one_are_cleared_away(shop: Shop, database: Database) -> None:
    for titles in (["Straw hat"], ["Felt hat"], ["Silk hat"]):
        shop.hats(*titles)
        shop.build(catalog="outlet", gates={})
    builds = {row["build"]: row["catalog"] for row in list_builds(database, None)}

    (of_shop,) = prune_all(database, shop.settings, "shop", 2)
    (of_outlet,) = prune_all(database, shop.settings, None, 2)
    assert (builds[of_shop], builds[of_outlet]) == ("shop", "outlet")
    with pytest.raises(UnknownCatalog):
        prune_all(database, shop.settings, "nothing", 2)
