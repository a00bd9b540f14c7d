"""One owner per build: a lease that is renewed while work goes on, and that dies with its process."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from indexer.catalog.builds import BuildRepository
from indexer.catalog.engine import Database
from indexer.catalog.records import BuildRecord
from indexer.errors import UnavailableError, VitrineError

TTL = timedelta(seconds=40)
"""After this long without a heartbeat a build may be taken over."""
BEAT_SECONDS = 10.0


def owner_name() -> str:
    """`host:pid`, unique among the living processes of a network."""
    return f"{socket.gethostname()}:{os.getpid()}"


def abandoned(build: BuildRecord) -> bool:
    """Whether the owner was a process of this machine that is no longer there; its lease need not be waited for."""
    host, _, pid = (build.owner or "").rpartition(":")
    return host == socket.gethostname() and pid.isdigit() and not _alive(int(pid))


@contextmanager
def heartbeat(database: Database, build_id: str, owner: str) -> Iterator[threading.Event]:
    """Renew the lease from a thread of its own; the event is set when the lease was lost to someone else.

    A database that is down for a moment is asked again with the next beat.
    """
    stop, lost = threading.Event(), threading.Event()

    def beat() -> None:
        while not stop.wait(BEAT_SECONDS):
            try:
                with database.begin() as session:
                    BuildRepository(session).heartbeat(build_id, owner, datetime.now(UTC))
            except UnavailableError:
                continue
            except VitrineError:
                lost.set()
                return

    thread = threading.Thread(target=beat, name=f"lease-{build_id}", daemon=True)
    thread.start()
    try:
        yield lost
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
