"""Pictures that nobody waits for: a queue in the catalogue's database, and threads that draw what waits in it.

The queue belongs to no process. Whoever draws says every few seconds that it is alive; a job whose process died, or was
not heard of for as long as a lease lasts, waits again, and is failed when it took that many processes with it.
"""

import logging
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from indexer.builds.lease import TTL, abandoned, owner_name
from indexer.catalog.drawing_jobs import DrawingJob, DrawingJobRepository
from indexer.catalog.engine import Database
from indexer.catalog.states import DrawingState
from indexer.domain import Frozen
from indexer.errors import BadPictureRequest, UnavailableError
from indexer.generate_settings import GenerateSettings
from service.generate.work import LOOK_SECONDS, Ending, Result, Run, Work, read_result

CLOSE_SECONDS = 10.0
"""How long drawings may take to notice that the process ends."""
TIDY_SECONDS = 3_600.0
RETRY_SECONDS = 2.0
"""Before a database that was away is asked again."""
MOST_DEATHS: Final = 3
MOST_PHOTO_BYTES: Final = 32 * 2**20
LISTED: Final = 50

LOG = logging.getLogger(__name__)

_DEADLY: Final = f"It was taken up {MOST_DEATHS} times, and its process ended each time before the picture was drawn."


class Job(Frozen):
    """A picture that is drawn while nobody waits for the answer."""

    id: str
    catalog: str
    state: DrawingState
    steps_done: int
    steps: int
    """Of the picture that is being drawn; 0 until it is known."""
    cancel_wanted: bool
    """A job that runs is cancelled at its next step."""
    result: Result | None
    """Of a job that is done."""
    error: str | None
    """Why it failed."""
    created: datetime
    updated: datetime

    @classmethod
    def of(cls, kept: DrawingJob) -> "Job":
        return cls(
            id=kept.id,
            catalog=kept.catalog,
            state=kept.state,
            steps_done=kept.steps_done,
            steps=kept.steps,
            cancel_wanted=kept.cancel_wanted,
            result=None if kept.result is None else read_result(kept.result),
            error=kept.error,
            created=kept.created_at,
            updated=kept.updated_at,
        )


class Jobs:
    """Thread-safe. Every process may submit, look and cancel; those that `start` draw, `settings.at_once` at a time."""

    def __init__(self, database: Database, run: Run, settings: GenerateSettings) -> None:
        self._database = database
        self._run = run
        self._settings = settings
        self._owner = owner_name()
        self._lock = threading.Lock()
        self._works: dict[Work, threading.Thread] = {}
        """What is drawn here, and by whom; under the lock."""
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._tidied: float | None = None
        self._keeper = threading.Thread(target=self._keep, name="drawing-jobs", daemon=True)

    def submit(self, request_json: str, photo: bytes | None, catalog: str, caller: str = "") -> Job:
        """`caller`, of 64 characters at most, pays for it.

        Raises QueueFull, UnknownCatalog, BadPictureRequest for a photo of more than MOST_PHOTO_BYTES, and
        CatalogueUnavailable as all that follow.
        """
        if photo is not None and len(photo) > MOST_PHOTO_BYTES:
            raise BadPictureRequest(f"photo: it may have {MOST_PHOTO_BYTES:,} bytes, not {len(photo):,}.")
        limit = self._settings.queue
        with self._database.begin() as session:
            jobs = DrawingJobRepository(session)
            kept = jobs.add(request_json, photo, catalog=catalog, caller=caller, limit=limit, now=_now())
        self._wake.set()
        return Job.of(kept)

    def get(self, job_id: str) -> Job:
        """Raises UnknownJob."""
        with self._database.session() as session:
            return Job.of(DrawingJobRepository(session).get(job_id))

    def recent(self, catalog: str | None = None, limit: int = LISTED) -> tuple[Job, ...]:
        """The newest first; of all catalogs where none is named."""
        with self._database.session() as session:
            return tuple(Job.of(kept) for kept in DrawingJobRepository(session).recent(catalog, limit))

    def cancel(self, job_id: str) -> Job:
        """A job that waits has ended with that; one that runs, here or elsewhere, ends at its next step.

        Raises UnknownJob, JobOver.
        """
        with self._database.begin() as session:
            kept = DrawingJobRepository(session).cancel(job_id, _now())
        self._wake.set()
        return Job.of(kept)

    def start(self) -> None:
        """Begin to draw what waits, once."""
        self._keeper.start()

    def close(self, patience: float = CLOSE_SECONDS) -> None:
        """Give back what is being drawn, so that another process, or this one's successor, draws it anew.

        A drawing that does not stop within `patience` seconds comes to nothing.
        """
        self._closing.set()
        self._wake.set()
        if self._keeper.is_alive():
            self._keeper.join()
        with self._lock:
            works = dict(self._works)
        for work in works:
            work.stop.set()
        until = time.monotonic() + patience
        for work, thread in works.items():
            thread.join(max(0.0, until - time.monotonic()))
            if thread.is_alive():
                LOG.warning("Job %s does not stop; another process will draw it.", work.job.id)
                self._note(work, None)

    def _at_work(self) -> Sequence[Work]:
        with self._lock:
            return tuple(self._works)

    def _keep(self) -> None:
        """Until the end: look after what is drawn, and begin what waits."""
        while not self._closing.is_set():
            self._wake.clear()
            patience = LOOK_SECONDS
            try:
                self._look()
            except UnavailableError as error:
                LOG.warning("The queue of drawing jobs is out of reach: %s", error)
                patience = RETRY_SECONDS
            except Exception:  # a fault in here must not stop the queue for good
                LOG.exception("The queue of drawing jobs could not be looked at.")
                patience = RETRY_SECONDS
            self._wake.wait(patience)

    def _look(self) -> None:
        with self._database.session() as session:
            jobs = DrawingJobRepository(session)
            running, waits = jobs.running(), jobs.any_waits()
        works, kept = self._at_work(), {one.id: one for one in running}
        for work in works:
            work.heed(kept.get(work.job.id))
        strange = [one for one in running if not any(work.is_of(one) for work in works)]
        self._tell(works, [one for one in strange if _is_dead(one)])
        while waits and self._take_up():
            pass
        self._tidy()

    def _tell(self, works: Sequence[Work], dead: Sequence[DrawingJob]) -> None:
        due = [(work, progress) for work in works if (progress := work.untold()) is not None]
        if not due and not dead:
            return
        with self._database.begin() as session:
            jobs = DrawingJobRepository(session)
            for work, progress in due:
                jobs.beat(work.job, *progress, _now())
            for one in dead:
                LOG.warning("Job %s: its process %s is not heard of any more.", one.id, one.owner)
                jobs.bury(one, _now(), deaths=MOST_DEATHS, error=_DEADLY)
        for work, progress in due:
            work.told(progress)

    def _take_up(self) -> bool:
        """Whether there may be another one to take."""
        if len(self._at_work()) >= self._settings.at_once or self._closing.is_set():
            return False
        with self._database.begin() as session:
            taken = DrawingJobRepository(session).take(self._owner, _now())
        if taken is None:
            return False
        work = Work(taken)
        thread = threading.Thread(target=self._draw, args=(work,), name=f"draw-{taken.id}", daemon=True)
        with self._lock:
            self._works[work] = thread
        thread.start()
        return True

    def _tidy(self) -> None:
        now = time.monotonic()
        if self._tidied is not None and now - self._tidied < TIDY_SECONDS:
            return
        with self._database.begin() as session:
            DrawingJobRepository(session).forget(_now() - timedelta(days=self._settings.keep_jobs_days))
        self._tidied = now

    def _draw(self, work: Work) -> None:
        try:
            self._note(work, work.drawn(self._run, self._settings.final_seconds))
        finally:
            with self._lock:
                del self._works[work]
            self._wake.set()

    def _note(self, work: Work, ending: Ending | None) -> None:
        """What was drawn is not lost to a database that is away for a while."""
        while True:
            try:
                with self._database.begin() as session:
                    jobs = DrawingJobRepository(session)
                    jobs.beat(work.job, *work.progress, _now())
                    if ending is None:
                        jobs.give_back(work.job, _now())
                    else:
                        jobs.end(work.job, ending.state, _now(), result=ending.result, error=ending.error)
                return
            except UnavailableError as error:
                LOG.warning("Job %s has ended, which cannot be noted: %s", work.job.id, error)
                if self._closing.wait(RETRY_SECONDS):
                    return


def _is_dead(kept: DrawingJob) -> bool:
    return abandoned(kept.owner) or kept.heartbeat_at is None or kept.heartbeat_at <= _now() - TTL


def _now() -> datetime:
    return datetime.now(UTC)
