"""Drawing jobs whose process stopped, died, slept, or lost its database."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing import Pipe, get_context

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from indexer.builds.lease import TTL
from indexer.catalog.drawing_jobs import DrawingJobRepository
from indexer.catalog.engine import Database
from indexer.errors import (
    CatalogueUnavailable,
)
from indexer.generate_settings import GenerateSettings
from service.generate.jobs import MOST_DEATHS, Jobs
from service.generate.seam import Watch
from service.generate.work import LOOK_SECONDS
from tests.service.generate.drawing_child import draw
from tests.service.generate.working import (
    ELSEWHERE,
    PATIENCE,
    Slow,
    at_once,
    drawing,
    ended,
    onlooker,
    submitted,
    taken,
    wait_until,
)


def test_what_a_process_does_not_finish_another_one_draws(database: Database) -> None:
    slow = Slow()
    with drawing(database, slow) as jobs:
        job = submitted(jobs, "blue", b"photo")
        assert slow.began.acquire(timeout=PATIENCE)
    given_back = onlooker(database).get(job.id)
    assert (given_back.state, given_back.steps_done) == ("queued", 0)
    assert slow.stopped.acquire(timeout=PATIENCE)

    def with_photo(request: str, photo: bytes | None, watch: Watch) -> str:
        assert photo == b"photo"
        return at_once(request, photo, watch)

    with drawing(database, with_photo) as successor:
        assert ended(successor, job).result == {"pictures": ["blue"]}


def test_restarts_do_not_count_as_deaths(sqlite: Database) -> None:
    job = submitted(onlooker(sqlite))
    for _ in range(MOST_DEATHS + 1):
        slow = Slow()
        with drawing(sqlite, slow):
            assert slow.began.acquire(timeout=PATIENCE)
    with drawing(sqlite, at_once) as jobs:
        assert ended(jobs, job).state == "done"


def test_a_drawing_that_does_not_stop_is_given_back_and_comes_to_nothing(sqlite: Database) -> None:
    began, enough = threading.Event(), threading.Event()

    def deaf(request: str, photo: bytes | None, watch: Watch) -> str:
        began.set()
        assert enough.wait(PATIENCE)
        return '{"pictures": ["late"]}'

    jobs = Jobs(sqlite, deaf, GenerateSettings())
    jobs.start()
    job = submitted(jobs)
    assert began.wait(PATIENCE)
    closing = time.monotonic()
    jobs.close(patience=0.1)
    assert time.monotonic() - closing < 10
    assert jobs.get(job.id).state == "queued"
    (left,) = (thread for thread in threading.enumerate() if thread.name == f"draw-{job.id}")

    slow = Slow('{"pictures": ["new"]}')
    with drawing(sqlite, slow) as successor:
        assert slow.began.acquire(timeout=PATIENCE)
        enough.set()
        left.join(PATIENCE)
        assert successor.get(job.id).state == "running"
        slow.enough.set()
        assert ended(successor, job).result == {"pictures": ["new"]}


def test_a_process_that_is_killed_leaves_its_job_to_another(sqlite: Database) -> None:
    spawning = get_context("spawn")
    listening, telling = Pipe(duplex=False)
    job = submitted(onlooker(sqlite), "blue")
    child = spawning.Process(target=draw, args=(sqlite.url, telling), daemon=True)
    child.start()
    assert listening.poll(60), "the child begins"
    assert onlooker(sqlite).get(job.id).state == "running"
    child.kill()
    child.join()

    killed = time.monotonic()
    with drawing(sqlite, at_once) as jobs:
        assert ended(jobs, job).result == {"pictures": ["blue"]}
    assert time.monotonic() - killed < TTL.total_seconds() / 2, "a process that is seen to be dead is not waited for"


def test_who_is_not_heard_of_loses_the_job_and_who_is_heard_of_keeps_it(database: Database) -> None:
    silent, alive = submitted(onlooker(database), "silent"), submitted(onlooker(database), "alive")
    now = datetime.now(UTC)
    taken(database, ELSEWHERE, now - TTL)
    taken(database, ELSEWHERE, now)
    with drawing(database, at_once) as jobs:
        assert ended(jobs, silent).result == {"pictures": ["silent"]}
        assert jobs.get(alive.id).state == "running"


def test_who_slept_with_its_machine_does_not_take_itself_for_dead(sqlite: Database) -> None:
    slow = Slow()
    with drawing(sqlite, slow) as jobs:
        job = submitted(jobs)
        wait_until(lambda: jobs.get(job.id).steps_done > 0)
        with sqlite.begin() as session:
            session.execute(sa.text("UPDATE drawing_jobs SET heartbeat_at = '2026-01-01 00:00:00.000000'"))
        time.sleep(2 * LOOK_SECONDS)
        slow.enough.set()
        assert ended(jobs, job).state == "done"
    assert not slow.stopped.acquire(blocking=False)


def test_who_lost_a_job_is_told_to_stop(sqlite: Database) -> None:
    slow = Slow()
    with drawing(sqlite, slow) as jobs:
        job = submitted(jobs)
        assert slow.began.acquire(timeout=PATIENCE)
        with sqlite.begin() as session:
            ledger = DrawingJobRepository(session)
            ledger.bury(ledger.get(job.id), datetime.now(UTC), deaths=MOST_DEATHS, error="")
            ledger.take(ELSEWHERE, datetime.now(UTC))
        assert slow.stopped.acquire(timeout=PATIENCE)
    assert onlooker(sqlite).get(job.id).state == "running", "it is another one's to give back"


def test_a_job_that_takes_its_processes_with_it_is_failed(sqlite: Database) -> None:
    deadly, harmless = submitted(onlooker(sqlite)), submitted(onlooker(sqlite))
    long_ago = datetime.now(UTC) - 2 * TTL
    for deaths in range(MOST_DEATHS):
        assert taken(sqlite, ELSEWHERE, long_ago).id == deadly.id
        if deaths < MOST_DEATHS - 1:
            with sqlite.begin() as session:
                ledger = DrawingJobRepository(session)
                ledger.bury(ledger.get(deadly.id), long_ago, deaths=MOST_DEATHS, error="")
    with drawing(sqlite, at_once) as jobs:
        failed = ended(jobs, deadly)
        assert ended(jobs, harmless).state == "done"
    assert failed.state == "failed"
    assert "taken up 3 times" in str(failed.error)


def test_jobs_that_ended_long_ago_are_forgotten(sqlite: Database) -> None:
    old, waiting = submitted(onlooker(sqlite)), submitted(onlooker(sqlite))
    days_ago = datetime.now(UTC) - timedelta(days=8)
    with sqlite.begin() as session:
        ledger = DrawingJobRepository(session)
        ledger.cancel(old.id, days_ago)
    with drawing(sqlite, at_once, keep_jobs_days=7) as jobs:
        assert ended(jobs, waiting).state == "done"
        wait_until(lambda: [job.id for job in jobs.recent()] == [waiting.id])


class Flaky(Database):
    """Cannot be written to while it is away."""

    away = False

    @contextmanager
    def begin(self, patience: float | None = None) -> Iterator[Session]:
        if self.away:
            raise CatalogueUnavailable("The catalogue is away.")
        with super().begin(patience) as session:
            yield session


def test_what_was_drawn_is_not_lost_to_a_database_that_is_away(sqlite: Database) -> None:
    flaky = Flaky(sqlite.engine)
    slow = Slow('{"pictures": ["ab"]}')
    with drawing(flaky, slow) as jobs:
        job = submitted(jobs)
        assert slow.began.acquire(timeout=PATIENCE)
        flaky.away = True
        slow.enough.set()
        with pytest.raises(CatalogueUnavailable):
            submitted(jobs)
        time.sleep(2 * LOOK_SECONDS)
        assert jobs.get(job.id).state == "running"
        flaky.away = False
        assert ended(jobs, job).result == {"pictures": ["ab"]}
