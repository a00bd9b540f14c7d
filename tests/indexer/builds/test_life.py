"""Finished builds published by hand, gone back to, copied; unfinished ones cancelled."""

import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from indexer.builds.changing import delete_products
from indexer.builds.gates import Candidate
from indexer.builds.jobs import BuildRequest, enqueue
from indexer.builds.life import Publication, cancel, copy_build, publish_build, rollback
from indexer.builds.listing import list_builds
from indexer.builds.live import open_live, published_build
from indexer.builds.publish import publish
from indexer.builds.verdict import GateVerdict
from indexer.catalog.builds import BuildRepository
from indexer.catalog.engine import Database
from indexer.catalog.records import BuildRecord
from indexer.catalog.states import BuildState
from indexer.domain import BuildManifest, Channel, VectorQuery, WordsQuery
from indexer.encoders import Encoder
from indexer.errors import (
    BuildFailed,
    CatalogueUnavailable,
    ConflictError,
    PublishRefused,
    StoreMismatch,
    UnknownBuild,
)
from indexer.settings import Settings
from indexer.stores.edge_keeping import EdgeStores
from indexer.stores.memory_keeping import MemoryStores
from indexer.stores.pointer import read_pointer, write_pointer
from tests.fakes import FakeEncoder
from tests.indexer.builds.shop import Shop, catalogue


@dataclass
class Watchman:
    """A gate that says what it is told to and remembers what it was asked."""

    refuses: bool = False
    asked: list[tuple[str, int, str | None]] = field(default_factory=list)

    def __call__(self, candidate: Candidate) -> GateVerdict:
        self.asked.append((candidate.manifest.build, candidate.index.store.count(), candidate.published))
        return GateVerdict(gate="watchman", passed=not self.refuses, reasons=("Too few hats.",) if self.refuses else ())


def in_store(settings: Settings, kind: str) -> Settings:
    return settings.model_copy(update={"store": settings.store.model_copy(update={"kind": kind})})


def no_encoder(manifest: BuildManifest) -> Encoder:
    raise AssertionError("an encoder is opened only for gates")


def refused(shop: Shop, *titles: str) -> str:
    """A finished build that a gate refused."""
    watchman = Watchman(refuses=True)
    with pytest.raises(PublishRefused):
        shop.hats(*titles, gates={"watchman": watchman})
    return watchman.asked[0][0]


def published(database: Database) -> str:
    return published_build(database, "shop")[1]


def record(database: Database, build: str) -> BuildRecord:
    with database.session() as session:
        return BuildRepository(session).get(build)


def put_in_place(database: Database, settings: Settings, build: str, **gates: Watchman) -> Publication:
    return publish_build(
        database, settings, build, (lambda _: FakeEncoder()) if gates else no_encoder, gates, lambda _: None
    )


def test_a_refused_build_can_be_published_after_all(any_ledger: Shop, ledger: Database) -> None:
    first = any_ledger.hats("Straw hat")
    second = refused(any_ledger, "Straw hat", "Felt hat")

    done = put_in_place(ledger, any_ledger.settings, second)
    assert (done.build, done.replaced, done.verdicts) == (second, first, ())
    assert published(ledger) == second
    assert any_ledger.called("felt") == ["hat-1"]
    assert (record(ledger, second).state, record(ledger, second).error) == (BuildState.PUBLISHED, None)
    assert record(ledger, first).state is BuildState.READY


def test_gates_are_asked_again_and_may_refuse_again(shop: Shop, database: Database) -> None:
    first = shop.hats("Straw hat")
    second = refused(shop, "Straw hat", "Felt hat")
    watchman = Watchman(refuses=True)

    with pytest.raises(PublishRefused, match=rf"Too few hats\.\n.*vitrine builds publish {second} --skip-gates"):
        put_in_place(database, shop.settings, second, watchman=watchman)
    assert watchman.asked == [(second, 2, first)]
    assert published(database) == first

    watchman.refuses = False
    done = put_in_place(database, shop.settings, second, watchman=watchman)
    assert [one.gate for one in done.verdicts] == ["watchman"]
    assert published(database) == second


def test_a_gate_that_meets_a_database_that_is_down_is_no_refusal(shop: Shop, database: Database) -> None:
    """A try later may find it up again."""

    def unlucky(candidate: Candidate) -> GateVerdict:
        raise CatalogueUnavailable("The catalogue is unavailable.")

    build = shop.hats("Straw hat")
    shop.hats("Felt hat")
    with pytest.raises(CatalogueUnavailable):
        publish_build(database, shop.settings, build, lambda _: FakeEncoder(), {"unlucky": unlucky}, lambda _: None)
    assert record(database, build).error is None


def test_publishing_what_is_published_only_puts_the_pointer_right(shop: Shop, database: Database) -> None:
    build = shop.hats("Straw hat")
    write_pointer(shop.settings.home, "shop", "the-one-before")

    done = put_in_place(database, in_store(shop.settings, "edge"), build)
    assert (done.build, done.replaced) == (build, None)
    assert read_pointer(shop.settings.home, "shop") == build


def test_only_finished_builds_are_published_or_copied(shop: Shop, database: Database) -> None:
    standing = shop.hats("Straw hat")
    waiting = enqueue(database, "shop", None, BuildRequest(source="x", root="/", encoder="fake"), "memory").id

    for state in (None, BuildState.CANCELLED):
        if state is BuildState.CANCELLED:
            cancel(database, waiting)
        with pytest.raises(BuildFailed, match="only finished builds can be published or copied"):
            put_in_place(database, shop.settings, waiting)
        with pytest.raises(BuildFailed, match="only finished builds can be published or copied"):
            copy_build(database, shop.settings, waiting, "memory", lambda _: None)
        with pytest.raises(BuildFailed, match="only finished builds"):
            rollback(database, shop.settings, "shop", waiting)
    with pytest.raises(UnknownBuild, match=standing):
        put_in_place(database, shop.settings, "nothing")
    assert published(database) == standing


def test_going_back_takes_the_newest_older_build_and_then_the_one_before(any_ledger: Shop, ledger: Database) -> None:
    settings = any_ledger.settings
    builds = [any_ledger.hats(*["Straw hat"] * number, "Cap") for number in (1, 2, 3)]

    first = rollback(ledger, settings, "shop")
    assert (first.build, first.replaced) == (builds[1], builds[2])
    with any_ledger.live() as index:
        assert (index.manifest.build, index.store.count()) == (builds[1], 3), "its own rows, not the newest"
    assert rollback(ledger, settings, None).build == builds[0]
    with pytest.raises(ConflictError, match=f"no build of catalog 'shop' before {builds[0]} to go back to"):
        rollback(ledger, settings, "shop")

    assert rollback(ledger, settings, "shop", builds[2]).replaced == builds[0], "--to may go forward again"
    assert published(ledger) == builds[2]
    assert rollback(ledger, settings, "shop", builds[2]).replaced is None


def test_going_back_passes_over_refused_builds_unless_they_are_named(shop: Shop, database: Database) -> None:
    first = shop.hats("Straw hat")
    doubtful = refused(shop, "Felt hat")
    third = shop.hats("Silk hat")

    assert rollback(database, shop.settings, "shop").build == first
    assert rollback(database, shop.settings, "shop", third).build == third
    assert rollback(database, shop.settings, "shop", doubtful).build == doubtful
    assert record(database, doubtful).error is None


def test_going_back_to_what_is_published_leaves_it_published(any_ledger: Shop, ledger: Database) -> None:
    _, last = any_ledger.hats("Straw hat"), any_ledger.hats("Felt hat")

    assert rollback(ledger, any_ledger.settings, None, last).replaced is None
    assert record(ledger, last).state is BuildState.PUBLISHED


def test_going_back_keeps_live_changes(shop: Shop, database: Database) -> None:
    shop.hats("Straw hat", "Felt hat")
    shop.hats("Straw hat", "Felt hat", "Silk hat")
    delete_products(database, "shop", ["hat-0"])

    rollback(database, shop.settings, "shop")
    assert shop.called("straw felt silk") == ["hat-1"]


def test_a_build_of_another_catalog_is_not_gone_back_to(shop: Shop, database: Database) -> None:
    shop.hats("Straw hat")
    other = shop.build(catalog="outlet", gates={}).build

    with pytest.raises(ConflictError, match=f"Build {other} is of catalog 'outlet', not 'shop'"):
        rollback(database, shop.settings, "shop", other)


def test_embedded_builds_are_gone_back_to_while_their_store_is_there(tmp_path: Path) -> None:
    shop = Shop.at(tmp_path, "edge")
    first, second = shop.hats("Straw hat"), shop.hats("Straw hat", "Felt hat")

    with catalogue(shop.settings) as database:
        with shop.live():  # as a running service has it
            assert rollback(database, shop.settings, "shop").build == first
            assert read_pointer(shop.settings.home, "shop") == first
            assert rollback(database, shop.settings, "shop", second).replaced == first, "somebody has it open"

        EdgeStores(shop.settings.home).remove(first)
        with pytest.raises(ConflictError, match="to go back to"):
            rollback(database, shop.settings, "shop")
        with pytest.raises(StoreMismatch, match=f"vitrine builds copy {first} --to edge"):
            rollback(database, shop.settings, "shop", first)
        assert published(database) == second


@pytest.mark.parametrize("kind", ["edge", "faiss"])
def test_a_copied_build_answers_as_the_original_and_nothing_is_encoded(
    kind: str, shop: Shop, database: Database
) -> None:
    if kind == "faiss":
        pytest.importorskip("faiss")
    build = shop.hats("Straw hat", "Felt hat", "Silk scarf")
    delete_products(database, "shop", ["hat-1"])
    told: list[str] = []

    manifest = copy_build(database, shop.settings, build, kind, lambda progress: told.append(progress.stage))
    assert (manifest.build, set(told)) == (build, {"writing"})
    there = in_store(shop.settings, kind)
    query = VectorQuery({Channel.TEXT: FakeEncoder().word("silk")})
    index = open_live(database, there, build)
    try:
        with shop.live() as original:
            for asked in (query, WordsQuery("hat")):
                mine, theirs = index.store.search(asked, 10), original.store.search(asked, 10)
                assert [hit.product_id for hit in mine] == [hit.product_id for hit in theirs]
                np.testing.assert_allclose([hit.score for hit in mine], [hit.score for hit in theirs], atol=1e-3)
            assert index.store.count() == original.store.count() == 2
    finally:
        index.close()
    assert read_pointer(shop.settings.home, "shop") == build

    told.clear()
    assert copy_build(database, shop.settings, build, kind, lambda progress: told.append(progress.stage)) == manifest
    assert told == [], "what is there is verified, not written again"


def test_a_copy_whose_embeddings_are_gone_says_what_to_do_and_leaves_nothing(shop: Shop, database: Database) -> None:
    build = shop.hats("Straw hat")
    for segment in (shop.settings.home / "embeddings").rglob("*.safetensors"):
        segment.unlink()

    with pytest.raises(StoreMismatch, match="build catalog shop again"):
        copy_build(database, shop.settings, build, "edge", lambda _: None)
    assert not EdgeStores(shop.settings.home).holds(build)


def test_what_has_ended_cannot_be_cancelled(any_ledger: Shop, ledger: Database) -> None:
    build = any_ledger.hats("Straw hat")

    with pytest.raises(ConflictError, match="is published already and cannot be cancelled"):
        cancel(ledger, build)
    with pytest.raises(UnknownBuild):
        cancel(ledger, "nothing")
    assert published(ledger) == build


def test_a_waiting_build_is_cancelled_at_once(any_ledger: Shop, ledger: Database) -> None:
    waiting = enqueue(ledger, "shop", None, BuildRequest(source="x", root="/", encoder="fake"), "memory").id

    assert cancel(ledger, waiting).state is BuildState.CANCELLED
    assert [row["state"] for row in list_builds(ledger, "shop")] == ["cancelled"]


def test_a_build_that_went_while_it_was_to_be_published_is_not(any_ledger: Shop, ledger: Database) -> None:
    """As when another process forgets it between the looking and the publishing."""
    gone, standing = any_ledger.hats("Straw hat"), any_ledger.hats("Felt hat")
    with ledger.session() as session:
        manifest = BuildRepository(session).manifest(gone)
    assert manifest is not None
    with ledger.begin() as session:
        BuildRepository(session).remove(gone)

    with pytest.raises(UnknownBuild):
        publish(ledger, MemoryStores(), manifest)
    assert published(ledger) == standing


def test_a_build_that_was_given_up_while_it_was_to_be_published_is_not(any_ledger: Shop, ledger: Database) -> None:
    """As when its store is being removed between the looking and the publishing."""
    given_up, standing = any_ledger.hats("Straw hat"), any_ledger.hats("Felt hat")
    with ledger.begin() as session:
        manifest = BuildRepository(session).manifest(given_up)
        BuildRepository(session).set_state(given_up, BuildState.CANCELLED, datetime.now(UTC))
    assert manifest is not None

    with pytest.raises(BuildFailed, match="cannot be published"):
        publish(ledger, MemoryStores(), manifest)
    assert published(ledger) == standing


def test_a_build_that_cannot_be_verified_for_want_of_embeddings_says_what_to_do(tmp_path: Path) -> None:
    shop = Shop.at(tmp_path, store="edge")
    former, _ = shop.hats("Straw hat"), shop.hats("Felt hat")
    shutil.rmtree(shop.settings.home / "embeddings")
    with catalogue(shop.settings) as database, pytest.raises(StoreMismatch, match="build catalog shop again"):
        put_in_place(database, shop.settings, former)
