"""Builds that are finished and asked about, and left for people to publish."""

from datetime import UTC, datetime

import pytest

from indexer.builds.asked import kept_verdicts
from indexer.builds.gates import Candidate
from indexer.builds.jobs import BuildRequest
from indexer.builds.life import publish_build, rollback
from indexer.builds.listing import list_builds
from indexer.builds.live import published_build
from indexer.builds.prune import KEEP_HELD, prune_all
from indexer.builds.verdict import GateVerdict
from indexer.catalog.builds import BuildRepository
from indexer.catalog.engine import Database
from indexer.catalog.states import BuildState
from indexer.errors import ConflictError, NothingPublished, UnknownBuild
from tests.fakes import FakeEncoder
from tests.indexer.builds.shop import Shop

AGREES = GateVerdict(gate="watchman", passed=True, figures={"recall@10": 0.99}, notices=("Few queries.",))
REFUSES = GateVerdict(gate="watchman", passed=False, reasons=("Too few hats.",))


def held(shop: Shop, *titles: str, verdict: GateVerdict = AGREES) -> str:
    def watchman(candidate: Candidate) -> GateVerdict:
        return verdict

    shop.write([{"id": f"hat-{number}", "title": title} for number, title in enumerate(titles)])
    report = shop.build(gates={"watchman": watchman}, hold=True)
    assert (report.state, report.verdicts) == ("held", (verdict,))
    return report.build


def put_in_place(database: Database, shop: Shop, build: str) -> None:
    publish_build(database, shop.settings, build, lambda _: FakeEncoder(), {}, lambda _: None)


def test_a_held_build_is_finished_and_publishes_nothing(any_ledger: Shop, ledger: Database) -> None:
    build = held(any_ledger, "Straw hat")

    with ledger.session() as session:
        record = BuildRepository(session).get(build)
    assert (record.state, record.error) == (BuildState.READY, None)
    with pytest.raises(NothingPublished):
        published_build(ledger, "shop")
    assert kept_verdicts(ledger, build) == (AGREES,)

    put_in_place(ledger, any_ledger, build)
    assert published_build(ledger, "shop")[1] == build


def test_what_a_gate_has_against_it_is_kept_and_is_no_failure(shop: Shop, database: Database) -> None:
    build = held(shop, "Straw hat", verdict=REFUSES)

    assert kept_verdicts(database, build) == (REFUSES,)
    with database.session() as session:
        assert "Too few hats." in (BuildRepository(session).get(build).error or "")


def test_verdicts_are_those_of_the_newest_asking(shop: Shop, database: Database) -> None:
    build = held(shop, "Straw hat", verdict=REFUSES)
    publish_build(
        database, shop.settings, build, lambda _: FakeEncoder(), {"watchman": lambda _: AGREES}, lambda _: None
    )
    assert kept_verdicts(database, build) == (AGREES,)


def test_a_build_that_nobody_was_asked_about_has_no_verdicts(shop: Shop, database: Database) -> None:
    assert kept_verdicts(database, shop.hats("Straw hat")) == ()
    with pytest.raises(UnknownBuild):
        kept_verdicts(database, "no-such-build")


def test_one_does_not_go_back_to_a_build_that_people_never_published(shop: Shop, database: Database) -> None:
    shop.hats("Straw hat")
    held(shop, "Felt hat")
    last = shop.hats("Top hat")
    put_in_place(database, shop, last)

    assert shop.called("top") == ["hat-0"]
    rollback(database, shop.settings, "shop")
    assert shop.called("straw") == ["hat-0"]


def test_one_goes_back_to_a_held_build_that_was_published(shop: Shop, database: Database) -> None:
    first = held(shop, "Straw hat")
    put_in_place(database, shop, first)
    shop.hats("Felt hat")

    rollback(database, shop.settings, "shop")
    assert published_build(database, "shop")[1] == first
    with pytest.raises(ConflictError):
        rollback(database, shop.settings, "shop")


def test_a_build_that_waits_to_be_published_is_not_cleared_away(shop: Shop, database: Database) -> None:
    live = shop.hats("Straw hat")
    waiting = held(shop, "Felt hat")

    assert prune_all(database, shop.settings, "shop", keep=1) == []
    put_in_place(database, shop, waiting)
    assert live not in prune_all(database, shop.settings, "shop", keep=1)  # searched a moment ago


def test_builds_that_wait_do_not_push_out_what_one_goes_back_to(shop: Shop, database: Database) -> None:
    before = shop.hats("Straw hat")
    shop.hats("Felt hat")
    for number in range(KEEP_HELD + 1):
        held(shop, "Top hat", f"Hat {number}")

    prune_all(database, shop.settings, "shop", keep=2)
    rollback(database, shop.settings, "shop")
    assert published_build(database, "shop")[1] == before


def test_the_newest_that_wait_stay_whatever_was_begun_since(shop: Shop, database: Database) -> None:
    shop.hats("Straw hat")
    waiting = [held(shop, "Top hat", f"Hat {number}") for number in range(KEEP_HELD + 1)]
    with database.begin() as session:
        BuildRepository(session).create(
            "queued", "shop", owner="", store="memory", source="x", settings={}, now=datetime.now(UTC)
        )

    prune_all(database, shop.settings, "shop", keep=1)
    left = {row["build"] for row in list_builds(database, "shop")}
    assert left.intersection(waiting) == set(waiting[-KEEP_HELD:])


def test_requests_of_older_versions_hold_nothing() -> None:
    request = BuildRequest.model_validate({"source": "x", "root": "/", "encoder": "fake"})
    assert (request.hold, request.by) == (False, "")
