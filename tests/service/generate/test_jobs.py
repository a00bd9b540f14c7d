"""Drawing jobs: they wait, are drawn a few at a time, are cancelled, and outlive whoever draws them."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from indexer.builds.lease import BEAT_SECONDS
from indexer.catalog.engine import Database
from indexer.errors import (
    BadPictureRequest,
    JobOver,
    NothingGenerated,
    QueueFull,
    UnknownCatalog,
    UnknownJob,
)
from service.generate.jobs import MOST_PHOTO_BYTES, Job
from service.generate.seam import Cancelled, Watch
from service.generate.work import LOOK_SECONDS
from tests.service.generate.working import PATIENCE, Slow, drawing, ended, onlooker, submitted, wait_until


def test_a_job_is_drawn_after_its_photo_within_its_time_for_its_caller(database: Database) -> None:
    seen: list[tuple[str, bytes | None, str, float]] = []

    def run(request: str, photo: bytes | None, watch: Watch) -> str:
        seen.append((request, photo, watch.caller, watch.until - time.monotonic()))
        watch.step(30, 30)
        return '{"pictures": ["ab"], "skipped": []}'

    with drawing(database, run, final_seconds=60) as jobs:
        asked = jobs.submit('{"change": "größer"}', b"\x00\xff", "shop", caller="ann")
        assert (asked.state, asked.catalog, asked.steps, asked.result) == ("queued", "shop", 0, None)
        done = ended(jobs, asked)

    assert (done.id, done.state, done.error, done.cancel_wanted) == (asked.id, "done", None, False)
    assert done.result == {"pictures": ["ab"], "skipped": []}
    assert (done.steps_done, done.steps) == (30, 30)
    assert asked.created == done.created < done.updated
    ((request, photo, caller, left),) = seen
    assert (request, photo, caller) == ('{"change": "größer"}', b"\x00\xff", "ann")
    assert 50 < left <= 60


def test_so_many_jobs_are_drawn_at_once(sqlite: Database) -> None:
    together = threading.Barrier(2)
    lock = threading.Lock()
    at_work, most = 0, 0

    def run(request: str, photo: bytes | None, watch: Watch) -> str:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        together.wait(PATIENCE)
        with lock:
            at_work -= 1
        return "{}"

    waiting = [submitted(onlooker(sqlite)) for _ in range(6)]
    with drawing(sqlite, run, at_once=2) as jobs:
        assert {ended(jobs, job).state for job in waiting} == {"done"}
    assert most == 2


def test_a_full_queue_refuses_whoever_comes_at_once_and_wherever(database: Database) -> None:
    processes = [onlooker(database, queue=4) for _ in range(3)]

    def try_to_submit(number: int) -> Job | None:
        try:
            return submitted(processes[number % 3])
        except QueueFull:
            return None

    with ThreadPoolExecutor(8) as pool:
        accepted = [job for job in pool.map(try_to_submit, range(16)) if job is not None]
    assert len(accepted) == 4
    with pytest.raises(QueueFull, match="4 pictures wait"):
        submitted(processes[0])
    processes[1].cancel(accepted[0].id)
    assert try_to_submit(2) is not None, "there is room again"


def test_what_is_no_job_is_refused(sqlite: Database) -> None:
    jobs = onlooker(sqlite)
    with pytest.raises(UnknownCatalog, match="'nowhere'"):
        jobs.submit("{}", None, "nowhere")
    with pytest.raises(BadPictureRequest, match=r"photo: it may have 33,554,432 bytes"):
        submitted(jobs, photo=bytes(MOST_PHOTO_BYTES + 1))
    for asked in (jobs.get, jobs.cancel):
        with pytest.raises(UnknownJob, match="no job 'ab'"):
            asked("ab")
    assert jobs.recent() == ()


@contextmanager
def updates(database: Database) -> Iterator[Callable[[], int]]:
    """How many there were of jobs within the block."""
    seen: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        if statement.startswith("UPDATE drawing_jobs"):
            seen.append(statement)

    sa.event.listen(database.engine, "before_cursor_execute", note)
    yield lambda: len(seen)
    sa.event.remove(database.engine, "before_cursor_execute", note)


def test_progress_is_told_soon_but_not_every_step_is_written(sqlite: Database) -> None:
    enough = threading.Event()

    def run(request: str, photo: bytes | None, watch: Watch) -> str:
        step = 0
        while not enough.wait(0.001):
            step += 1
            watch.step(step, 9_999)
        return "{}"

    with drawing(sqlite, run) as jobs:
        job = submitted(jobs)
        wait_until(lambda: jobs.get(job.id).steps_done > 0)
        with updates(sqlite) as written:
            began, first = time.monotonic(), jobs.get(job.id)
            wait_until(lambda: jobs.get(job.id).steps_done > first.steps_done)
            told_after = time.monotonic() - began
            time.sleep(2 * LOOK_SECONDS)
            count, passed = written(), time.monotonic() - began
        enough.set()
        assert ended(jobs, job).state == "done"
    assert (first.state, first.steps) == ("running", 9_999)
    assert told_after < BEAT_SECONDS
    assert 1 <= count <= 1 + passed / LOOK_SECONDS


def test_where_nothing_happens_little_is_written(sqlite: Database) -> None:
    slow = Slow()
    with drawing(sqlite, slow) as jobs:
        job = submitted(jobs)
        wait_until(lambda: jobs.get(job.id).steps_done > 0)
        told = jobs.get(job.id).updated
        with updates(sqlite) as written:
            for _ in range(10):
                submitted(jobs)
                time.sleep(LOOK_SECONDS / 5)
            passed = datetime.now(UTC) - told
            assert written() <= passed.total_seconds() / BEAT_SECONDS


def test_a_job_that_waits_is_cancelled_at_once(database: Database) -> None:
    drawn: list[str] = []

    def run(request: str, photo: bytes | None, watch: Watch) -> str:
        drawn.append(request)
        return "{}"

    jobs = onlooker(database)
    unwanted, wanted = submitted(jobs, "unwanted"), submitted(jobs, "wanted")
    assert jobs.cancel(unwanted.id).state == "cancelled"
    with pytest.raises(JobOver, match="is cancelled already"):
        jobs.cancel(unwanted.id)
    with drawing(database, run) as drawer:
        assert ended(drawer, wanted).state == "done"
        with pytest.raises(JobOver, match="is done already"):
            jobs.cancel(wanted.id)
    assert drawn == ["wanted"]


@pytest.mark.parametrize("here", [True, False], ids=["here", "elsewhere"])
def test_a_job_that_runs_is_cancelled_at_its_next_step_from_any_process(database: Database, here: bool) -> None:
    slow = Slow()
    with drawing(database, slow) as jobs:
        job = submitted(jobs)
        assert slow.began.acquire(timeout=PATIENCE)
        canceller = jobs if here else onlooker(database)
        asked = canceller.cancel(job.id)
        assert (asked.state, asked.cancel_wanted) == ("running", True)
        assert slow.stopped.acquire(timeout=PATIENCE)
        cancelled = ended(jobs, job)
    assert (cancelled.state, cancelled.result, cancelled.error) == ("cancelled", None, None)


def test_what_is_drawn_to_its_end_all_the_same_was_cancelled(sqlite: Database) -> None:
    began, enough = threading.Event(), threading.Event()

    def deaf(request: str, photo: bytes | None, watch: Watch) -> str:
        began.set()
        assert enough.wait(PATIENCE)
        return "{}"

    with drawing(sqlite, deaf) as jobs:
        job = submitted(jobs)
        assert began.wait(PATIENCE)
        jobs.cancel(job.id)
        enough.set()
        assert ended(jobs, job).state == "cancelled"


def test_a_job_that_fails_says_why_in_words_that_every_database_takes(database: Database) -> None:
    def run(request: str, photo: bytes | None, watch: Watch) -> str:
        raise NothingGenerated("Nobody could\ndraw \0 or \ud800: " + "é" * 5_000)

    with drawing(database, run) as jobs:
        failed = ended(jobs, submitted(jobs))
    assert (failed.state, failed.result) == ("failed", None)
    assert failed.error == ("Nobody could draw or ?: " + "é" * 5_000)[:1_000]


@pytest.mark.parametrize("raised", [ValueError("the key is s3cret"), MemoryError(), Cancelled()], ids=repr)
def test_what_nobody_foresaw_is_told_to_the_log_only_and_the_next_job_is_drawn(
    sqlite: Database, raised: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def run(request: str, photo: bytes | None, watch: Watch) -> str:
        if request == "bad":
            raise raised
        return "{}"

    with drawing(sqlite, run) as jobs:
        bad, good = submitted(jobs, "bad"), submitted(jobs, "good")
        assert ended(jobs, good).state == "done"
        failed = ended(jobs, bad)
    assert (failed.state, failed.error) == ("failed", "Something is broken inside; the log of the service says what.")
    assert f"Job {bad.id} broke" in caplog.text
    assert type(raised).__name__ in caplog.text


@pytest.mark.parametrize("result", ["", "nonsense", "[]", '{"a": "\\ud800"}'])
def test_a_result_that_is_no_json_object_is_none(sqlite: Database, result: str) -> None:
    with drawing(sqlite, lambda request, photo, watch: result) as jobs:
        failed = ended(jobs, submitted(jobs))
    assert (failed.state, failed.result) == ("failed", None)
