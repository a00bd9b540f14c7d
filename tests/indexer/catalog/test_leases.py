"""Who builds what: one process per build, whatever comes at once or dies."""

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial

import pytest

from indexer.catalog.builds import BuildRepository
from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.engine import Database
from indexer.catalog.records import BuildRecord
from indexer.catalog.states import BuildState
from indexer.errors import BuildInProgress, UnknownCatalog
from tests.indexer.catalog.samples import NOON
from tests.indexer.catalog.test_builds import TTL, create, finish


def claim(database: Database, owner: str, now: datetime, catalog: str = "shop") -> BuildRecord | None:
    with database.begin() as session:
        return BuildRepository(session).claim(catalog, owner, now, TTL)


def claim_any(database: Database, owner: str, now: datetime = NOON) -> BuildRecord | None:
    with database.begin() as session:
        return BuildRepository(session).claim_any(owner, now, TTL)


def at_once(*calls: Callable[[], BuildRecord | None]) -> list[str | None]:
    """The build that each call got, or the error's name; all begin at the same moment."""
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], BuildRecord | None]) -> str | None:
        gate.wait(10)
        try:
            build = call()
        except BuildInProgress:
            return "in progress"
        return None if build is None else build.id

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


class TestLease:
    def test_nothing_to_claim_means_that_a_build_may_be_created(self, database: Database) -> None:
        assert claim(database, "host:1", NOON) is None
        create(database)
        finish(database, "b1")
        assert claim(database, "host:2", NOON) is None

    def test_a_live_build_refuses_another_owner_and_is_named(self, database: Database) -> None:
        create(database)
        with pytest.raises(BuildInProgress, match=re.escape("'b1'") + ".*host:1"):
            claim(database, "host:2", NOON + TTL / 2)
        with pytest.raises(BuildInProgress, match="'b1'"):
            create(database, "b2", owner="host:2")

    def test_its_own_owner_goes_on(self, database: Database) -> None:
        create(database)
        build = claim(database, "host:1", NOON + TTL / 2)
        assert build is not None
        assert build.heartbeat_at == NOON + TTL / 2

    def test_a_stale_build_is_taken_over_and_its_old_owner_told(self, database: Database) -> None:
        create(database)
        late = NOON + TTL
        build = claim(database, "host:2", late)
        assert build is not None
        assert (build.id, build.owner, build.heartbeat_at) == ("b1", "host:2", late)
        with database.begin() as session, pytest.raises(BuildInProgress, match="host:2"):
            BuildRepository(session).heartbeat("b1", "host:1", late)

    def test_heartbeats_keep_the_lease(self, database: Database) -> None:
        create(database)
        with database.begin() as session:
            assert BuildRepository(session).heartbeat("b1", "host:1", NOON + TTL) is BuildState.QUEUED
        with pytest.raises(BuildInProgress):
            claim(database, "host:2", NOON + TTL * 1.5)

    def test_a_heartbeat_tells_that_the_build_was_cancelled(self, database: Database) -> None:
        create(database)
        finish(database, "b1", BuildState.CANCELLED)
        with database.begin() as session:
            assert BuildRepository(session).heartbeat("b1", "host:1", NOON) is BuildState.CANCELLED

    def test_what_is_released_can_be_claimed_at_once(self, database: Database) -> None:
        create(database)
        with database.begin() as session:
            BuildRepository(session).release("b1", "host:2", NOON)
            assert BuildRepository(session).get("b1").owner == "host:1", "only its owner gives a lease up"
            BuildRepository(session).release("b1", "host:1", NOON)
        build = claim(database, "host:2", NOON)
        assert build is not None
        assert build.owner == "host:2"

    def test_the_heartbeat_of_a_released_build_is_refused(self, database: Database) -> None:
        create(database, owner=None)
        with database.begin() as session, pytest.raises(BuildInProgress, match="'b1' was released"):
            BuildRepository(session).heartbeat("b1", "host:1", NOON)

    def test_one_of_two_takes_over_a_stale_build(self, database: Database) -> None:
        create(database)
        got = at_once(*(partial(claim, database, owner, NOON + TTL) for owner in ("host:2", "host:3")))
        assert sorted(map(str, got)) == ["b1", "in progress"]

    def test_a_builder_and_a_worker_do_not_both_get_a_build(self, database: Database) -> None:
        create(database, owner=None)
        got = at_once(partial(claim, database, "host:2", NOON), partial(claim_any, database, "host:3", NOON))
        assert got in (["b1", None], ["in progress", "b1"])

    def test_catalogs_are_built_independently(self, database: Database) -> None:
        with database.begin() as session:
            CatalogRepository(session).ensure("other", root="/other", source="/other")
        create(database)
        assert claim(database, "host:2", NOON, catalog="other") is None

    def test_an_unknown_catalog_cannot_be_claimed(self, database: Database) -> None:
        with pytest.raises(UnknownCatalog, match="'nowhere'"):
            claim(database, "host:1", NOON, catalog="nowhere")


class TestWorker:
    @pytest.fixture(autouse=True)
    def _another_catalog(self, database: Database) -> None:
        with database.begin() as session:
            CatalogRepository(session).ensure("other", root="/other", source="/other")

    def test_a_build_without_an_owner_waits_for_a_worker(self, database: Database) -> None:
        waiting = create(database, owner=None)
        assert (waiting.owner, waiting.heartbeat_at) == (None, None)
        taken = claim_any(database, "host:1")
        assert taken is not None
        assert (taken.id, taken.owner, taken.heartbeat_at) == ("b1", "host:1", NOON)
        assert claim_any(database, "host:2") is None

    def test_the_oldest_comes_first(self, database: Database) -> None:
        create(database, "b2", owner=None, catalog="other", now=NOON)
        create(database, "b1", owner=None, now=NOON + TTL)
        got = [claim_any(database, "host:1", NOON + TTL) for _ in range(2)]
        assert [build.id for build in got if build] == ["b2", "b1"]

    def test_a_dead_worker_s_build_is_taken_over_and_finished_ones_are_left_alone(self, database: Database) -> None:
        create(database, "b1", owner=None)
        finish(database, "b1", BuildState.CANCELLED)
        create(database, "b2", owner="host:1", catalog="other")
        assert claim_any(database, "host:2", NOON + TTL / 2) is None
        taken = claim_any(database, "host:2", NOON + TTL)
        assert taken is not None
        assert (taken.id, taken.owner) == ("b2", "host:2")

    def test_the_choice_can_be_narrowed(self, database: Database) -> None:
        create(database, "b1", owner=None)
        with database.begin() as session:
            assert BuildRepository(session).claim_any("host:1", NOON, TTL, store="qdrant") is None
            assert BuildRepository(session).claim_any("host:1", NOON, TTL, store="edge") is not None

    def test_workers_that_come_at_once_get_different_builds(self, database: Database) -> None:
        create(database, "b1", owner=None)
        create(database, "b2", owner=None, catalog="other")
        got = at_once(*(partial(claim_any, database, f"host:{number}") for number in range(4)))
        assert sorted(map(str, got)) == ["None", "None", "b1", "b2"]

    def test_a_build_that_is_being_claimed_is_passed_over(self, database: Database) -> None:
        """PostgreSQL only: on SQLite the second worker waits for the first."""
        if database.engine.dialect.name == "sqlite":
            return
        create(database, "b1", owner=None)
        create(database, "b2", owner=None, catalog="other", now=NOON + TTL)
        with database.begin() as session:
            first = BuildRepository(session).claim_any("host:1", NOON, TTL)
            second = claim_any(database, "host:2")
        assert first is not None
        assert second is not None
        assert (first.id, second.id) == ("b1", "b2")
