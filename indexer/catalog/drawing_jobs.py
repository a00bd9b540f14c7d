"""The queue of pictures to be drawn: what waits, who draws what, and how it ended."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.models import DrawingJobRow, DrawingPhotoRow
from indexer.catalog.states import UNENDED_STATES, DrawingState
from indexer.errors import JobOver, QueueFull, UnknownJob

_ADDING = 0x64726177  # "draw"
"""PostgreSQL's lock of whoever adds a job."""


@dataclass(frozen=True, slots=True)
class DrawingJob:
    """A job without what it is to draw."""

    id: str
    catalog: str
    state: DrawingState
    owner: str | None
    heartbeat_at: datetime | None
    cancel_wanted: bool
    takes: int
    """How often it was taken up."""
    deaths: int
    """How many of those who took it up were not heard of again."""
    steps_done: int
    steps: int
    """0 until it is known."""
    result: str | None
    error: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class TakenJob:
    """A job in the hands of whoever took it up, until it ends, is given back, or its taker counts as dead."""

    id: str
    takes: int
    """What tells this taking from the ones before it and after it, also by the same process."""
    request: str
    caller: str
    photo: bytes | None


class DrawingJobRepository:
    """What changes a job that was taken does nothing once it is no longer the taker's."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(
        self, request: str, photo: bytes | None, *, catalog: str, caller: str, limit: int, now: datetime
    ) -> DrawingJob:
        """A job that waits; `caller` has 64 characters at most. Nobody else adds one until the transaction ends, so
        that `limit` holds over processes.

        Raises QueueFull where as many wait already, UnknownCatalog.
        """
        CatalogRepository(self._session).get(catalog)
        if self._session.get_bind().dialect.name == "postgresql":
            self._session.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADDING)))
        if self.waiting() >= limit:
            raise QueueFull(f"{limit} pictures wait to be drawn already, as many as may. Try again in a minute.")
        job_id = secrets.token_hex(8)
        blank = {"cancel_wanted": False, "takes": 0, "deaths": 0, "steps_done": 0, "steps": 0}
        given = {"id": job_id, "catalog": catalog, "caller": caller, "request": request}
        row = {**given, **blank, "state": DrawingState.QUEUED, "created_at": now, "updated_at": now}
        self._session.execute(sa.insert(DrawingJobRow).values(row))
        if photo is not None:
            self._session.execute(sa.insert(DrawingPhotoRow).values(job=job_id, photo=photo))
        return self.get(job_id)

    def take(self, owner: str, now: datetime) -> TakenJob | None:
        """The job that has waited longest, now the owner's; None where none waits.

        Jobs that another one takes, or cancels, at this moment are passed over.
        """
        waiting = sa.select(DrawingJobRow.id).where(DrawingJobRow.state == DrawingState.QUEUED)
        oldest = waiting.order_by(DrawingJobRow.created_at, DrawingJobRow.id).limit(1)
        taken = (
            sa.update(DrawingJobRow)
            .where(DrawingJobRow.id == oldest.with_for_update(skip_locked=True).scalar_subquery())
            .values(state=DrawingState.RUNNING, owner=owner, heartbeat_at=now, updated_at=now)
            .values(takes=DrawingJobRow.takes + 1)
            .returning(DrawingJobRow.id, DrawingJobRow.takes, DrawingJobRow.request, DrawingJobRow.caller)
        )
        row = self._session.connection().execute(taken).one_or_none()
        if row is None:
            return None
        photo = self._session.scalar(sa.select(DrawingPhotoRow.photo).where(DrawingPhotoRow.job == row.id))
        return TakenJob(row.id, row.takes, row.request, row.caller, photo)

    def beat(self, taken: TakenJob, steps_done: int, steps: int, now: datetime) -> None:
        """A sign of life, with how far the job is."""
        changed = sa.update(DrawingJobRow).where(*_is_of(taken))
        changed = changed.values(heartbeat_at=now, updated_at=now, steps_done=steps_done, steps=steps)
        self._session.execute(changed)

    def end(
        self,
        taken: TakenJob,
        state: DrawingState,
        now: datetime,
        *,
        result: str | None = None,
        error: str | None = None,
    ) -> None:
        """The job has ended, as cancelled when somebody wanted that first."""
        job = self._locked(taken)
        if job is None:
            return
        if job.cancel_wanted:
            self._end(job.id, DrawingState.CANCELLED, now)
        else:
            self._end(job.id, state, now, result=result, error=error)

    def give_back(self, taken: TakenJob, now: datetime) -> None:
        """The job waits again, in its old place, or is cancelled when somebody wanted that."""
        job = self._locked(taken)
        if job is not None:
            self._let_go(job, now)

    def bury(self, job: DrawingJob, now: datetime, *, deaths: int, error: str) -> None:
        """The owner was not heard of: the job waits for another one, or has failed where it was the last of `deaths`.

        Nothing to do when somebody else did so, or the owner has said something since.
        """
        query = _jobs().where(DrawingJobRow.id == job.id).with_for_update()
        found = self._session.execute(query).one_or_none()
        if found is None or DrawingJob(*found) != job:
            return
        if job.deaths + 1 >= deaths and not job.cancel_wanted:
            self._end(job.id, DrawingState.FAILED, now, error=error)
        else:
            self._let_go(job, now)
        self._session.execute(_named(job.id).values(deaths=job.deaths + 1))

    def cancel(self, job_id: str, now: datetime) -> DrawingJob:
        """A job that waits has ended; whoever draws one that runs is told. Raises UnknownJob, JobOver."""
        job = self._one(job_id, _jobs().with_for_update())
        if job.state not in UNENDED_STATES:
            raise JobOver(f"Job {job_id} is {job.state} already and cannot be cancelled.")
        if job.state is DrawingState.QUEUED:
            self._end(job_id, DrawingState.CANCELLED, now)
        else:
            self._session.execute(_named(job_id).values(cancel_wanted=True, updated_at=now))
        return self.get(job_id)

    def get(self, job_id: str) -> DrawingJob:
        """Raises UnknownJob."""
        return self._one(job_id, _jobs())

    def recent(self, catalog: str | None, limit: int) -> tuple[DrawingJob, ...]:
        """The newest first; of all catalogs where none is named."""
        query = _jobs().order_by(DrawingJobRow.created_at.desc(), DrawingJobRow.id).limit(limit)
        if catalog is not None:
            query = query.where(DrawingJobRow.catalog == catalog)
        return tuple(DrawingJob(*row) for row in self._session.execute(query))

    def running(self) -> tuple[DrawingJob, ...]:
        """Those of all processes."""
        rows = self._session.execute(_jobs().where(DrawingJobRow.state == DrawingState.RUNNING))
        return tuple(DrawingJob(*row) for row in rows)

    def any_waits(self) -> bool:
        return self.waiting() > 0

    def waiting(self) -> int:
        """Jobs that nobody has taken up yet."""
        counted = sa.select(sa.func.count()).where(DrawingJobRow.state == DrawingState.QUEUED)
        return self._session.execute(counted).scalar_one()

    def forget(self, before: datetime) -> None:
        """Delete jobs that ended earlier."""
        old = sa.delete(DrawingJobRow).where(DrawingJobRow.updated_at < before)
        self._session.execute(old.where(DrawingJobRow.state.not_in(UNENDED_STATES)))

    def _one(self, job_id: str, query: sa.Select[*tuple[Any, ...]]) -> DrawingJob:
        row = self._session.execute(query.where(DrawingJobRow.id == job_id)).one_or_none()
        if row is None:
            raise UnknownJob(f"There is no job {job_id!r}; jobs that ended are kept for some days only.")
        return DrawingJob(*row)

    def _locked(self, taken: TakenJob) -> DrawingJob | None:
        """None when it is no longer the taker's."""
        query = _jobs().where(*_is_of(taken)).with_for_update()
        row = self._session.execute(query).one_or_none()
        return None if row is None else DrawingJob(*row)

    def _let_go(self, job: DrawingJob, now: datetime) -> None:
        if job.cancel_wanted:
            self._end(job.id, DrawingState.CANCELLED, now)
            return
        again = {"state": DrawingState.QUEUED, "owner": None, "heartbeat_at": None, "steps_done": 0}
        self._session.execute(_named(job.id).values({**again, "updated_at": now}))

    def _end(
        self, job_id: str, state: DrawingState, now: datetime, *, result: str | None = None, error: str | None = None
    ) -> None:
        ended = {"state": state, "owner": None, "heartbeat_at": None, "result": result, "error": error}
        self._session.execute(_named(job_id).values({**ended, "updated_at": now}))
        self._session.execute(sa.delete(DrawingPhotoRow).where(DrawingPhotoRow.job == job_id))


def _jobs() -> sa.Select[*tuple[Any, ...]]:
    return sa.select(
        DrawingJobRow.id,
        DrawingJobRow.catalog,
        DrawingJobRow.state,
        DrawingJobRow.owner,
        DrawingJobRow.heartbeat_at,
        DrawingJobRow.cancel_wanted,
        DrawingJobRow.takes,
        DrawingJobRow.deaths,
        DrawingJobRow.steps_done,
        DrawingJobRow.steps,
        DrawingJobRow.result,
        DrawingJobRow.error,
        DrawingJobRow.created_at,
        DrawingJobRow.updated_at,
    )


def _named(job_id: str) -> sa.Update:
    return sa.update(DrawingJobRow).where(DrawingJobRow.id == job_id)


def _is_of(taken: TakenJob) -> tuple[sa.ColumnElement[bool], ...]:
    running = DrawingJobRow.state == DrawingState.RUNNING
    return DrawingJobRow.id == taken.id, DrawingJobRow.takes == taken.takes, running
