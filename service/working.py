"""What the shop's people start from a page and need not wait for: in the background, one thing of a kind at a time.

How far it is lies in a small file under `home/work`, so that every process of the service tells it and can stop it. Who
works holds a lock that the kernel drops with the process, however it dies.
"""

import fcntl
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from indexer.domain import Frozen
from indexer.errors import ConflictError, JobOver, UnknownJob, VitrineError
from indexer.stores.pointer import write_atomically

CLOSE_SECONDS: Final = 10.0
"""How long work may take to notice that the process ends."""
NOTED_EVERY: Final = 0.5
"""Seconds."""
LOOKS: Final = 25
"""At a lock that is taken: who only looks whether it is holds it for a moment, too."""
BETWEEN_LOOKS: Final = 0.02
"""Seconds."""

LOG = logging.getLogger(__name__)

Tell = Callable[[int, int | None], None]
"""How much is done, of how much (None: not known). Raises Stopped once somebody wants it to end."""
Work = Callable[[Tell], str]
"""Does it, telling how far it is, and returns what came of it."""


class Stopped(Exception):
    """Raised in the work by what it tells its progress to."""


class WorkState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"
    """Its process ended before it did."""


class Working(Frozen):
    """One thing that is done, or was done."""

    id: str
    label: str
    """What people call it."""
    by: str
    started: datetime
    state: WorkState = WorkState.RUNNING
    done: int = 0
    total: int | None = None
    """None until it is known."""
    result: str = ""
    """What came of it."""
    error: str = ""
    ended: datetime | None = None

    @property
    def running(self) -> bool:
        return self.state is WorkState.RUNNING

    def seconds_left(self, now: datetime) -> int | None:
        """By the rate so far; None while there is none."""
        spent = (now - self.started).total_seconds()
        return round(spent / self.done * (self.total - self.done)) if self.done and self.total else None


_KEPT: Final = TypeAdapter(list[Working])


def _lost(working: Working) -> Working:
    """As it is told when nobody holds the lock."""
    return working.model_copy(update={"state": WorkState.LOST}) if working.running else working


class Workplace:
    """Thread-safe; shared by all processes with the same home and the same kind."""

    def __init__(self, home: Path, kind: str, busy: str, kept: int = 1) -> None:
        """`kind` names the files. `busy` is what is said to who comes while something runs; {label} and {by} stand for
        what and whose. `kept`: how many are remembered, the one that runs among them.
        """
        self._folder, self._kind, self._busy, self._kept = home / "work", kind, busy, kept
        self._closing = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def current(self) -> Working | None:
        """What runs, or ran last."""
        return next(iter(self.recent()), None)

    def recent(self) -> list[Working]:
        """The newest first; only that one can be running."""
        found = self._read()
        if not (found and found[0].running) or self._taken():
            return found
        again = self._read()  # it may have ended between the two looks
        return [_lost(again[0]), *again[1:]] if again and again[0].id == found[0].id else again

    def start(self, label: str, by: str, work: Work, total: int | None = None) -> Working:
        """`total` where it is known before. Raises ConflictError while something runs."""
        with self._starting:
            lock = self._claim()
            try:
                for stale in self._folder.glob(f"{self._kind}.*.stop"):
                    stale.unlink(missing_ok=True)
                begun = Working(id=secrets.token_hex(4), label=label, by=by, started=datetime.now(UTC), total=total)
                job = _Job(begun, [_lost(one) for one in self._read()][: self._kept - 1], self)
                job.write()
                self._thread = threading.Thread(target=self._do, args=(work, job, lock), name=self._kind, daemon=True)
                self._thread.start()
            except BaseException:
                os.close(lock)
                raise
        return begun

    def cancel(self, work_id: str) -> None:
        """It ends when it next tells how far it is. Raises UnknownJob, JobOver."""
        current = self.current
        if current is None or current.id != work_id:
            raise UnknownJob(f"There is no work {work_id} under way.")
        if not current.running:
            raise JobOver(f"{current.label} has ended already.")
        self._stop(current).touch()

    def close(self) -> None:
        """Stops what this process does, and waits CLOSE_SECONDS for it."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(CLOSE_SECONDS)

    def demand(self, working: Working) -> None:
        """Raises Stopped where somebody wants this to end."""
        if self._closing.is_set() or self._stop(working).exists():
            raise Stopped

    def write(self, told: list[Working]) -> None:
        """For who works: the newest first."""
        write_atomically(self._folder / f"{self._kind}.json", _KEPT.dump_json(told))

    def _do(self, work: Work, job: "_Job", lock: int) -> None:
        try:
            result = work(job.tell)
        except Stopped:
            job.end(WorkState.CANCELLED)
        except (VitrineError, OSError) as error:
            job.end(WorkState.FAILED, error=str(error))
        except Exception:  # the outermost edge of a thread: whoever waits is told that it came to nothing
            LOG.exception("%s broke in the background.", job.latest.label)
            job.end(WorkState.FAILED, error="Something is broken inside; the log says what.")
        else:
            job.end(WorkState.DONE, result=result)
        finally:
            self._stop(job.latest).unlink(missing_ok=True)
            os.close(lock)

    def _claim(self) -> int:
        """The lock, held until it is closed. Raises ConflictError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o644)
        for _ in range(LOOKS):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(BETWEEN_LOOKS)
            else:
                return lock
        os.close(lock)
        busy = self.current
        raise ConflictError(self._busy.format(label=busy.label if busy else "?", by=busy.by if busy else "?"))

    def _taken(self) -> bool:
        try:
            lock = os.open(self._lock, os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False

    def _read(self) -> list[Working]:
        try:
            return _KEPT.validate_json((self._folder / f"{self._kind}.json").read_bytes())
        except (FileNotFoundError, ValidationError):
            return []

    @property
    def _lock(self) -> Path:
        return self._folder / f"{self._kind}.lock"

    def _stop(self, working: Working) -> Path:
        """The file that is there once somebody wants this to end."""
        return self._folder / f"{self._kind}.{working.id}.stop"


@dataclass
class _Job:
    """The side of who works."""

    latest: Working
    before: list[Working]
    place: Workplace
    noted: float = 0.0

    def tell(self, done: int, total: int | None) -> None:
        self.place.demand(self.latest)
        self.latest = self.latest.model_copy(update={"done": done, "total": total})
        if time.monotonic() - self.noted >= NOTED_EVERY:
            with suppress(OSError):  # a full disk shall not end the work; the next word says more
                self.write()
            self.noted = time.monotonic()

    def end(self, state: WorkState, result: str = "", error: str = "") -> None:
        told = {"state": state, "result": result, "error": error, "ended": datetime.now(UTC)}
        self.latest = self.latest.model_copy(update=told)
        try:
            self.write()
        except OSError:  # it reads as lost
            LOG.exception("What came of %s cannot be kept.", self.latest.label)

    def write(self) -> None:
        self.place.write([self.latest, *self.before])
