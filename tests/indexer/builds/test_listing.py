"""Builds as people and programs see them, while they run and afterwards."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from indexer.builds.changing import delete_products
from indexer.builds.gates import Candidate
from indexer.builds.jobs import BuildRequest, enqueue, take_over
from indexer.builds.lease import owner_name
from indexer.builds.listing import list_builds, show_build
from indexer.builds.pipeline import Pipeline
from indexer.builds.progress import Ledgered, Progress
from indexer.builds.verdict import GateVerdict
from indexer.catalog.builds import BuildRepository
from indexer.catalog.engine import Database, open_database
from indexer.catalog.placements import PlacementRepository
from indexer.catalog.states import BuildState
from indexer.errors import UnknownBuild
from indexer.store_settings import StoreSettings
from tests.fakes import FakeEncoder
from tests.indexer.builds.shop import Shop, catalogue, other_mugs, sell_mugs

SPENT = 40
"""Seconds."""


def shown(database: Database, build: str) -> Any:
    return show_build(database, build)


def running(database: Database, state: BuildState, **counts: int) -> str:
    """A build that has been in a stage for SPENT seconds."""
    build = enqueue(database, "shop", None, BuildRequest(source="x.csv", root="/", encoder="fake"), "memory").id
    now = datetime.now(UTC)
    with database.begin() as session:
        builds = BuildRepository(session)
        builds.set_state(build, state, now)
        builds.save_counts(build, {"began": int(now.timestamp()) - SPENT, **counts}, now)
    return build


def test_a_running_stage_tells_its_rate_and_the_time_left(database: Database) -> None:
    build = running(database, BuildState.EMBEDDING, done=200, total=1_000, rejected=7)

    progress = shown(database, build)["progress"]
    assert (progress["done"], progress["total"], progress["rejected"]) == (200, 1_000, 7)
    assert progress["per_second"] == pytest.approx(200 / SPENT, rel=0.1)
    assert progress["seconds_left"] == pytest.approx(800 * SPENT / 200, rel=0.1)
    assert set(progress) == {"done", "total", "rejected", "per_second", "seconds_left"}
    (row,) = list_builds(database, "shop")
    assert row["state"] == "embedding"
    assert str(row["progress"]).startswith("200 of 1,000, 1")
    assert str(row["progress"]).endswith(" s left")


def test_a_stage_whose_end_is_not_known_tells_its_rate_only(database: Database) -> None:
    build = running(database, BuildState.READING, done=5_000, rejected=0)

    assert set(shown(database, build)["progress"]) == {"done", "rejected", "per_second"}
    assert list_builds(database, "shop")[0]["progress"] == "5,000"


def test_what_has_ended_or_not_begun_has_no_rate(database: Database) -> None:
    running(database, BuildState.CANCELLED, done=200, total=1_000, rejected=0)
    waiting = enqueue(database, "shop", None, BuildRequest(source="x.csv", root="/", encoder="fake"), "memory").id

    newest, oldest = list_builds(database, "shop")
    assert (newest["build"], newest["progress"], oldest["progress"]) == (waiting, None, None)
    assert shown(database, str(oldest["build"]))["progress"] == {"done": 200, "total": 1_000, "rejected": 0}
    assert shown(database, waiting)["progress"] == {}


def test_a_finished_build_shows_what_it_is_made_of_and_what_it_left_out(shop: Shop, database: Database) -> None:
    sell_mugs(shop)
    shop.write([*other_mugs({"lamp": {"images": "lamp1.png,nowhere.png"}}), {"id": "nameless"}])
    report = shop.build(gates={})
    delete_products(database, "shop", ["scarf"])

    found = shown(database, "shop")
    assert found == shown(database, report.build), "a catalog's name means its newest"
    assert (found["state"], found["published"], found["owner"]) == ("published", True, owner_name())
    assert (found["source"], found["request"]["encoder"]) == (str(shop.file), "showroom")
    assert found["photos"] == {"pending": 0, "ready": 4, "rejected": 1}
    assert found["rejected"] == {"broken_row": 1, "missing": 1}
    assert found["stores"] == {}
    assert (found["made_of"]["products"], found["made_of"]["images"]) == (5, 4)
    assert found["made_of"]["fingerprint"] == FakeEncoder().spec.fingerprint
    assert found["created"] <= found["finished"]


def test_the_stores_of_a_build_are_shown_with_the_live_changes_they_lack(shop: Shop, database: Database) -> None:
    build = shop.hats("Straw hat", "Felt hat")
    for kind, applied in (("edge", 0), ("qdrant", 1)):
        with database.begin() as session:
            PlacementRepository(session).put(build, kind, applied)
    delete_products(database, "shop", ["hat-0"])

    assert shown(database, build)["stores"] == {
        "edge": {"live_changes_behind": 1},
        "qdrant": {"live_changes_behind": 0},
    }


def test_what_is_not_there_is_refused_by_the_names_there_are(database: Database) -> None:
    with pytest.raises(UnknownBuild, match="There is no build 'nothing'"):
        show_build(database, "nothing")


def test_states_and_counts_are_seen_by_others_while_a_build_runs(any_ledger: Shop, ledger: Database) -> None:
    """By a connection of their own, stage after stage up to the publication."""
    shop = any_ledger
    embedded = shop.settings.model_copy(update={"store": StoreSettings(kind="edge")})
    sell_mugs(shop)
    request = BuildRequest(source=str(shop.file), root=str(shop.folder), encoder="fake")
    waiting = enqueue(ledger, "shop", None, request, "edge").id
    seen: list[tuple[str, int | None, int | None]] = []

    with catalogue(shop.settings) as another:

        def look(_: Progress) -> None:
            found = shown(another, waiting)
            seen.append((found["state"], found["progress"].get("done"), found["progress"].get("total")))

        def gate(candidate: Candidate) -> GateVerdict:
            seen.append((shown(another, waiting)["state"], None, None))
            return GateVerdict(gate="gate", passed=True)

        seen.append((shown(another, waiting)["state"], None, None))
        job = take_over(ledger, "edge")
        assert job is not None
        Pipeline(ledger, embedded, FakeEncoder(), {"gate": gate}).go_on(job, look)
        seen.append((shown(another, waiting)["state"], None, None))

    assert list(dict.fromkeys(state for state, _, _ in seen)) == [
        "queued",
        "reading",
        "embedding",
        "writing",
        "verifying",
        "published",
    ]
    assert {("reading", 5, None), ("embedding", 5, 5), ("writing", 6, 6)} <= set(seen)


def test_a_note_that_the_database_does_not_take_costs_nothing(tmp_path: Path) -> None:
    gone = open_database(f"sqlite:///{tmp_path}/nowhere/vitrine.db")

    Ledgered(gone, "build")(Progress("writing", 1, 10, 0, "points"))


def test_notes_are_made_at_a_stages_first_word_and_its_last(shop: Shop, database: Database) -> None:
    build = running(database, BuildState.WRITING)
    note = Ledgered(database, build)

    for done, noted in ((10, 10), (20, 10), (100, 100)):
        note(Progress("writing", done, 100, 0, "points"))
        assert shown(database, build)["progress"]["done"] == noted
