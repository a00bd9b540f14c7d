"""Drawing jobs at work, for the tests of them."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.drawing_jobs import DrawingJobRepository, TakenJob
from indexer.catalog.engine import Database
from indexer.generate_settings import GenerateSettings
from service.generate.jobs import Job, Jobs
from service.generate.seam import Cancelled, Watch
from service.generate.work import Run

PATIENCE = 60.0
ELSEWHERE = "elsewhere/1:1"


@contextmanager
def with_a_catalog(database: Database) -> Iterator[Database]:
    database.upgrade()
    with database.begin() as session:
        CatalogRepository(session).ensure("shop", root="/shop", source="/shop/products.csv")
    yield database
    database.dispose()


@contextmanager
def drawing(database: Database, run: Run, **settings: int) -> Iterator[Jobs]:
    jobs = Jobs(database, run, GenerateSettings.model_validate(settings))
    jobs.start()
    try:
        yield jobs
    finally:
        jobs.close(patience=1)


def onlooker(database: Database, **settings: int) -> Jobs:
    """As in a process that does not draw."""
    return Jobs(database, nobody, GenerateSettings.model_validate(settings))


def nobody(request: str, photo: bytes | None, watch: Watch) -> str:
    raise AssertionError("not here")


def at_once(request: str, photo: bytes | None, watch: Watch) -> str:
    watch.step(3, 3)
    return json.dumps({"pictures": [request]})


class Slow:
    """Draws until it is let go, or cancelled; says what it has begun."""

    def __init__(self, result: str = "{}") -> None:
        self.began = threading.Semaphore(0)
        self.enough = threading.Event()
        self.stopped = threading.Semaphore(0)
        self._result = result

    def __call__(self, request: str, photo: bytes | None, watch: Watch) -> str:
        watch.step(1, 30)
        self.began.release()
        while not self.enough.wait(0.01):
            if watch.cancelled():
                self.stopped.release()
                raise Cancelled
        return self._result


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "it does not come"
        time.sleep(0.01)


def ended(jobs: Jobs, job: Job) -> Job:
    wait_until(lambda: jobs.get(job.id).state not in ("queued", "running"))
    return jobs.get(job.id)


def submitted(jobs: Jobs, request: str = "{}", photo: bytes | None = None) -> Job:
    return jobs.submit(request, photo, "shop")


def taken(database: Database, owner: str, now: datetime) -> TakenJob:
    """Some process has the job that waited longest, and gave its last sign of life then."""
    with database.begin() as session:
        job = DrawingJobRepository(session).take(owner, now)
    assert job is not None
    return job
