"""One owner per build: a lease that is renewed while work goes on, and that dies with its process."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from indexer.catalog.builds import BuildRepository
from indexer.catalog.engine import Database
from indexer.catalog.states import BuildState
from indexer.errors import BuildCancelled, BuildInProgress, UnavailableError, VitrineError

TTL = timedelta(seconds=40)
"""After this long without a heartbeat a build may be taken over."""
BEAT_SECONDS = 5.0


@dataclass
class Lease:
    """What the heartbeat has learnt since."""

    build: str
    _lost: threading.Event = field(default_factory=threading.Event)
    _cancelled: threading.Event = field(default_factory=threading.Event)

    def check(self) -> None:
        """Raises BuildInProgress when another process has the build now, BuildCancelled when somebody stopped it."""
        if self._cancelled.is_set():
            raise BuildCancelled(f"Build {self.build} was cancelled. Nothing was published.")
        if self._lost.is_set():
            raise BuildInProgress(f"Build {self.build} was taken over by another process.")

    def learn(self, state: BuildState | None) -> None:
        """None: somebody else has the lease."""
        if state is None:
            self._lost.set()
        elif state is BuildState.CANCELLED:
            self._cancelled.set()


def owner_name(pid: int | None = None) -> str:
    """`host/namespace:pid` of this process, or another one beside it; unique among the living ones of a network."""
    return f"{_neighbourhood()}:{os.getpid() if pid is None else pid}"


def abandoned(owner: str | None) -> bool:
    """Whether it was a process of this machine that is no longer there; its lease need not be waited for."""
    where, _, pid = (owner or "").rpartition(":")
    return where == _neighbourhood() and pid.isdigit() and not _alive(int(pid))


def _neighbourhood() -> str:
    """Where a process id means one process: containers may share a host's name, and not its ids."""
    try:
        namespace = os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        namespace = 0
    return f"{socket.gethostname()}/{namespace}"


@contextmanager
def heartbeat(database: Database, build_id: str, owner: str) -> Iterator[Lease]:
    """Renew the lease from a thread of its own.

    A database that is down for a moment is asked again with the next beat.
    """
    stop, lease = threading.Event(), Lease(build_id)

    def beat() -> None:
        while not stop.wait(BEAT_SECONDS):
            try:
                with database.begin() as session:
                    lease.learn(BuildRepository(session).heartbeat(build_id, owner, datetime.now(UTC)))
            except UnavailableError:
                continue
            except VitrineError:
                lease.learn(None)
                return

    thread = threading.Thread(target=beat, name=f"lease-{build_id}", daemon=True)
    thread.start()
    try:
        yield lease
    finally:
        stop.set()
        thread.join()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
