"""The queue of pictures to be drawn: one taker per job, a bound on what waits, and takers that die."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest
import sqlalchemy as sa

from indexer.catalog.drawing_jobs import DrawingJob, DrawingJobRepository, TakenJob
from indexer.catalog.engine import Database
from indexer.catalog.states import DrawingState
from indexer.errors import JobOver, QueueFull, UnknownCatalog, UnknownJob
from tests.indexer.catalog.samples import NOON

LATER = NOON + timedelta(minutes=1)


@contextmanager
def queue(database: Database) -> Iterator[DrawingJobRepository]:
    with database.begin() as session:
        yield DrawingJobRepository(session)


def add(database: Database, request: str = "{}", photo: bytes | None = None, *, limit: int = 99, late: int = 0) -> str:
    now = NOON + timedelta(seconds=late)
    with queue(database) as jobs:
        return jobs.add(request, photo, catalog="shop", caller="ann", limit=limit, now=now).id


def take(database: Database, owner: str = "host:1") -> TakenJob | None:
    with queue(database) as jobs:
        return jobs.take(owner, NOON)


def taken(database: Database, owner: str = "host:1") -> TakenJob:
    job = take(database, owner)
    assert job is not None
    return job


def get(database: Database, job_id: str) -> DrawingJob:
    with queue(database) as jobs:
        return jobs.get(job_id)


def photos(database: Database) -> int:
    with database.session() as session:
        counted: int = session.execute(sa.text("SELECT count(*) FROM drawing_photos")).scalar_one()
    return counted


def test_a_job_waits_is_taken_and_ends(database: Database) -> None:
    job = add(database, '{"change": "größer"}', b"\x00\xff")
    waiting = get(database, job)
    assert (waiting.state, waiting.catalog, waiting.owner) == (DrawingState.QUEUED, "shop", None)

    mine = taken(database)
    assert mine == TakenJob(job, 1, '{"change": "größer"}', "ann", b"\x00\xff")
    with queue(database) as jobs:
        jobs.beat(mine, 3, 30, LATER)
    running = get(database, job)
    assert (running.state, running.owner, running.heartbeat_at) == (DrawingState.RUNNING, "host:1", LATER)
    assert (running.steps_done, running.steps) == (3, 30)

    with queue(database) as jobs:
        jobs.end(mine, DrawingState.DONE, LATER, result='{"pictures": []}')
    done = get(database, job)
    assert (done.state, done.result, done.error, done.owner) == (DrawingState.DONE, '{"pictures": []}', None, None)
    assert photos(database) == 0, "whose photo it was is nobody's concern any more"


def test_jobs_are_taken_in_the_order_of_their_coming(database: Database) -> None:
    second, first = add(database, late=1), add(database)
    assert [taken(database).id, taken(database).id, take(database)] == [first, second, None]


def test_of_many_takers_each_job_has_one(database: Database) -> None:
    waiting = {add(database) for _ in range(6)}
    with ThreadPoolExecutor(8) as pool:
        got = [job.id for job in pool.map(lambda number: take(database, f"host:{number}"), range(24)) if job]
    while (left := take(database)) is not None:  # what was passed over, as somebody else was at it
        got.append(left.id)
    assert sorted(got) == sorted(waiting)


def test_as_many_may_wait_as_the_limit_says_whoever_comes_at_once(database: Database) -> None:
    def try_to_add(_: int) -> bool:
        try:
            add(database, limit=5)
        except QueueFull:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(try_to_add, range(24))) == 5
    taken(database)
    assert try_to_add(0), "what is drawn does not wait"
    with pytest.raises(QueueFull, match="5 pictures wait to be drawn already"):
        add(database, limit=5)


def test_a_job_is_of_a_catalog_that_there_is(database: Database) -> None:
    with pytest.raises(UnknownCatalog, match="'nowhere'"), queue(database) as jobs:
        jobs.add("{}", b"photo", catalog="nowhere", caller="", limit=1, now=NOON)
    assert photos(database) == 0


def test_what_waits_is_cancelled_at_once_and_not_taken(database: Database) -> None:
    job = add(database, photo=b"photo")
    with queue(database) as jobs:
        cancelled = jobs.cancel(job, LATER)
    assert (cancelled.state, cancelled.updated_at) == (DrawingState.CANCELLED, LATER)
    assert take(database) is None
    assert photos(database) == 0
    with pytest.raises(JobOver, match=f"Job {job} is cancelled already"), queue(database) as jobs:
        jobs.cancel(job, LATER)


Ended = Callable[[DrawingJobRepository, TakenJob], None]


@pytest.mark.parametrize(
    "ended",
    [
        lambda jobs, mine: jobs.end(mine, DrawingState.DONE, LATER, result="{}"),
        lambda jobs, mine: jobs.end(mine, DrawingState.FAILED, LATER, error="It broke."),
        lambda jobs, mine: jobs.give_back(mine, LATER),
        lambda jobs, mine: jobs.bury(jobs.get(mine.id), LATER, deaths=1, error="Dead."),
    ],
    ids=["done", "failed", "given back", "dead"],
)
def test_however_a_job_ends_that_somebody_cancelled_it_is_cancelled(database: Database, ended: Ended) -> None:
    add(database, photo=b"photo")
    mine = taken(database)
    with queue(database) as jobs:
        assert jobs.cancel(mine.id, NOON).state is DrawingState.RUNNING
        assert jobs.cancel(mine.id, NOON).cancel_wanted, "once more changes nothing"
        ended(jobs, mine)
    job = get(database, mine.id)
    assert (job.state, job.result, job.error) == (DrawingState.CANCELLED, None, None)
    assert photos(database) == 0


def test_what_is_given_back_keeps_its_place_its_photo_and_no_progress(database: Database) -> None:
    first = add(database, photo=b"photo")
    add(database, late=1)
    mine = taken(database)
    with queue(database) as jobs:
        jobs.beat(mine, 3, 30, NOON)
        jobs.give_back(mine, LATER)
    job = get(database, first)
    assert (job.state, job.owner, job.heartbeat_at, job.steps_done) == (DrawingState.QUEUED, None, None, 0)
    again = taken(database, "host:2")
    assert (again.id, again.photo, again.takes) == (first, b"photo", 2)
    assert get(database, first).deaths == 0


def test_a_dead_taker_s_job_waits_again_until_it_took_too_many_with_it(database: Database) -> None:
    job = add(database, photo=b"photo")
    for number in range(3):
        taken(database, f"host:{number}")
        assert get(database, job).deaths == number
        with queue(database) as jobs:
            jobs.bury(jobs.get(job), LATER, deaths=3, error="It kills.")
    failed = get(database, job)
    assert (failed.state, failed.error, failed.deaths) == (DrawingState.FAILED, "It kills.", 3)
    assert take(database) is None
    assert photos(database) == 0


def test_who_was_heard_of_since_is_not_buried(database: Database) -> None:
    add(database)
    mine = taken(database)
    seen = get(database, mine.id)
    with queue(database) as jobs:
        jobs.beat(mine, 0, 0, LATER)
        jobs.bury(seen, LATER, deaths=1, error="Dead.")
    assert get(database, mine.id).state is DrawingState.RUNNING
    with queue(database) as jobs:
        jobs.end(mine, DrawingState.DONE, LATER, result="{}")
        jobs.bury(seen, LATER, deaths=1, error="Dead.")
    assert get(database, mine.id).state is DrawingState.DONE


@pytest.mark.parametrize("successor", ["host:2", "host:1"], ids=["another process", "the same process"])
@pytest.mark.parametrize("buried", [True, False], ids=["buried", "given back"])
def test_who_lost_a_job_changes_nothing_any_more(database: Database, successor: str, buried: bool) -> None:
    add(database)
    mine = taken(database)
    with queue(database) as jobs:
        if buried:
            jobs.bury(jobs.get(mine.id), NOON, deaths=3, error="Dead.")
        else:
            jobs.give_back(mine, NOON)
    taken(database, successor)
    before = get(database, mine.id)
    with queue(database) as jobs:
        jobs.beat(mine, 29, 30, LATER)
        jobs.give_back(mine, LATER)
        jobs.end(mine, DrawingState.DONE, LATER, result="{}")
    assert get(database, mine.id) == before


def test_a_job_that_is_being_taken_is_passed_over(database: Database) -> None:
    """PostgreSQL only: on SQLite the second taker waits for the first."""
    if database.engine.dialect.name == "sqlite":
        return
    first, second = add(database), add(database, late=1)
    with queue(database) as jobs:
        mine = jobs.take("host:1", NOON)
        other = taken(database, "host:2")
    assert mine is not None
    assert (mine.id, other.id) == (first, second)


def test_the_newest_jobs_are_listed_first(database: Database) -> None:
    old, new = add(database), add(database, late=1)
    with queue(database) as jobs:
        assert [job.id for job in jobs.recent(None, 9)] == [job.id for job in jobs.recent("shop", 9)] == [new, old]
        assert [job.id for job in jobs.recent(None, 1)] == [new]
        assert jobs.recent("other", 9) == ()


def test_what_ended_long_ago_is_forgotten_and_what_waits_is_not(database: Database) -> None:
    ended, running, waiting = add(database), add(database, late=1), add(database, late=2)
    mine = taken(database)
    taken(database)
    with queue(database) as jobs:
        jobs.end(mine, DrawingState.DONE, NOON, result="{}")
        jobs.forget(NOON)
        assert jobs.get(ended).result == "{}"
        jobs.forget(LATER)
        assert {job.id for job in jobs.recent(None, 9)} == {running, waiting}
        with pytest.raises(UnknownJob, match=ended):
            jobs.get(ended)
