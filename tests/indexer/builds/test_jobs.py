"""Whose turn it is to build: waiting builds, living and dead owners, and claims that were lost."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from indexer.builds.jobs import BuildRequest, Job, begin, end, enqueue, hold, take_over
from indexer.builds.lease import TTL, owner_name
from indexer.builds.life import cancel
from indexer.catalog.builds import BuildRepository
from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.engine import Database
from indexer.catalog.records import BuildRecord
from indexer.catalog.states import BuildState
from indexer.errors import BuildCancelled, BuildFailed, BuildInProgress, SettingsError
from indexer.sources import open_source

REQUEST = BuildRequest(source="/shop/products.csv", root="/shop", encoder="fake")
ELSEWHERE = "elsewhere:1"


def record(ledger: Database, build: str) -> BuildRecord:
    with ledger.session() as session:
        return BuildRepository(session).get(build)


def owned(ledger: Database, owner: str, beat: datetime, catalog: str = "shop") -> str:
    """A build of the catalog whose owner gave its last sign of life at `beat`."""
    build = enqueue(ledger, catalog, None, REQUEST, "memory").id
    with ledger.begin() as session:
        claimed = BuildRepository(session).claim(catalog, owner, beat, TTL)
    assert claimed is not None
    return build


@pytest.fixture(scope="module")
def dead() -> str:
    """An owner that was a process of this machine."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return owner_name(process.pid)


def test_a_queued_build_waits_with_everything_a_worker_needs(ledger: Database) -> None:
    asked = REQUEST.model_copy(update={"mapping": {"title": "name"}, "skip_gates": True})
    waiting = enqueue(ledger, "shop", "de", asked, "memory")

    assert (waiting.state, waiting.owner, waiting.heartbeat_at) == (BuildState.QUEUED, None, None)
    job = take_over(ledger, "memory")
    assert job is not None
    assert (job.build, job.catalog, job.language, job.request) == (waiting.id, "shop", "de", asked)
    assert job.owner == owner_name()


def test_while_a_build_waits_nobody_begins_another(ledger: Database) -> None:
    waiting = enqueue(ledger, "shop", None, REQUEST, "memory").id
    told = f"Build {waiting} of catalog 'shop' waits for a worker.*vitrine builds cancel {waiting}"

    with pytest.raises(BuildInProgress, match=told):
        begin(ledger, "shop", None, REQUEST, "memory")
    with pytest.raises(BuildInProgress, match=told):
        enqueue(ledger, "shop", None, REQUEST, "memory")
    assert begin(ledger, "outlet", None, REQUEST, "memory").catalog == "outlet"


def test_while_a_build_runs_nobody_begins_or_queues_another(ledger: Database) -> None:
    running = owned(ledger, ELSEWHERE, datetime.now(UTC))

    with pytest.raises(BuildInProgress, match=f"'{running}' .* in progress .* owned by {ELSEWHERE}"):
        begin(ledger, "shop", None, REQUEST, "memory")
    with pytest.raises(BuildInProgress, match=rf"{running} .* in progress \(queued\).*vitrine builds cancel {running}"):
        enqueue(ledger, "shop", None, REQUEST, "memory")
    assert take_over(ledger, "memory") is None


def test_a_cancelled_build_makes_way(ledger: Database) -> None:
    cancel(ledger, enqueue(ledger, "shop", None, REQUEST, "memory").id)

    assert take_over(ledger, "memory") is None
    assert begin(ledger, "shop", None, REQUEST, "memory").generation == 2


def test_builds_are_taken_in_their_order_and_for_the_store_at_hand(ledger: Database) -> None:
    for catalog, store in (("a", "edge"), ("b", "memory"), ("c", "memory")):
        enqueue(ledger, catalog, None, REQUEST, store)

    taken = [take_over(ledger, "memory") for _ in range(3)]
    assert [job and job.catalog for job in taken] == ["b", "c", None]


def test_of_many_workers_each_build_is_taken_by_one(ledger: Database) -> None:
    waiting = {enqueue(ledger, f"shop-{number}", None, REQUEST, "memory").id for number in range(6)}

    with ThreadPoolExecutor(8) as workers:
        jobs = list(workers.map(lambda _: take_over(ledger, "memory"), range(24)))
    taken = [job.build for job in jobs if job is not None]
    assert sorted(taken) == sorted(waiting)


def test_a_build_whose_process_died_here_is_taken_over_at_once(ledger: Database, dead: str) -> None:
    left = owned(ledger, dead, datetime.now(UTC))

    job = take_over(ledger, "memory")
    assert job is not None
    assert (job.build, job.owner) == (left, owner_name())


def test_whoever_builds_again_goes_on_with_a_dead_processs_build_as_asked_now(ledger: Database, dead: str) -> None:
    left = owned(ledger, dead, datetime.now(UTC))
    asked = REQUEST.model_copy(update={"source": "/shop/others.csv"})

    job = begin(ledger, "shop", None, asked, "memory")
    assert job.build == left
    assert record(ledger, left).settings == asked.model_dump()


def test_a_build_of_another_machine_is_taken_over_when_it_fell_silent(ledger: Database) -> None:
    left = owned(ledger, ELSEWHERE, datetime.now(UTC) - TTL + timedelta(seconds=20))
    assert take_over(ledger, "memory") is None

    with ledger.begin() as session:
        BuildRepository(session).heartbeat(left, ELSEWHERE, datetime.now(UTC) - TTL - timedelta(seconds=1))
    job = take_over(ledger, "memory")
    assert job is not None
    assert job.build == left


def test_a_build_that_does_not_say_what_it_is_of_has_failed(ledger: Database, dead: str) -> None:
    """As older versions left them."""
    with ledger.begin() as session:
        CatalogRepository(session).ensure("shop", root="/shop", source="/shop/products.csv")
        BuildRepository(session).create(
            "old", "shop", owner=dead, store="memory", source="x", settings={}, now=datetime.now(UTC)
        )

    assert take_over(ledger, "memory") is None
    left = record(ledger, "old")
    assert left.state is BuildState.FAILED
    assert "build shop again" in (left.error or "")


def running(ledger: Database) -> Job:
    return begin(ledger, "shop", None, REQUEST, "memory")


def held(ledger: Database, job: Job) -> None:
    with ledger.begin() as session:
        hold(BuildRepository(session), job)


def test_a_claim_is_held_until_the_build_is_cancelled(ledger: Database) -> None:
    job = running(ledger)
    held(ledger, job)
    cancel(ledger, job.build)

    with pytest.raises(BuildCancelled, match=f"Build {job.build} was cancelled. Nothing was published"):
        held(ledger, job)
    end(ledger, job, BuildState.FAILED, "its store is gone")
    assert record(ledger, job.build).state is BuildState.CANCELLED


def test_a_claim_that_another_process_has_now_ends_nothing(ledger: Database) -> None:
    job = running(ledger)
    with ledger.begin() as session:
        BuildRepository(session).claim("shop", ELSEWHERE, datetime.now(UTC) + TTL, timedelta(0))

    with pytest.raises(BuildInProgress, match=f"taken over by {ELSEWHERE}"):
        held(ledger, job)
    end(ledger, job, BuildState.FAILED, "its store is owned by another process")
    assert record(ledger, job.build).state is BuildState.QUEUED


def test_a_build_that_has_ended_cannot_be_gone_on_with(ledger: Database) -> None:
    job = running(ledger)
    with ledger.begin() as session:
        BuildRepository(session).set_state(job.build, BuildState.READY, datetime.now(UTC))

    with pytest.raises(BuildFailed, match="is ready already"):
        held(ledger, job)
    end(ledger, job, BuildState.FAILED, "too late")
    assert record(ledger, job.build).state is BuildState.READY


def test_an_unknown_language_begins_and_queues_nothing(ledger: Database) -> None:
    for ask in (begin, enqueue):
        with pytest.raises(SettingsError, match="language 'xx'"):
            ask(ledger, "shop", "xx", REQUEST, "memory")
    with ledger.session() as session:
        assert CatalogRepository(session).names() == ()


def test_a_request_means_the_same_files_to_every_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "products.csv").write_text("nr,title\nhat,Straw hat\n")
    monkeypatch.chdir(tmp_path)
    request = BuildRequest.of(open_source("products.csv", {"id": "nr"}), "fake", {"id": "nr"})

    monkeypatch.chdir("/")
    assert os.path.isabs(request.root)
    assert [row.id for row in BuildRequest.model_validate(request.model_dump()).open().rows()] == ["hat"]  # type: ignore[union-attr]
