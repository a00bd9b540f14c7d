"""Building an Edge store in a child process, at its final path.

Writing, merging and indexing hold the GIL for seconds to minutes, which a process that answers queries cannot spare.
The child owns the directory from its first file to its last and is gone before anyone opens it. A killed child leaves
a directory that no pointer names; the next build with that path replaces it.
"""

import ctypes
import os
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Final

from indexer.domain import Point
from indexer.errors import StoreOwned, StoreUnavailable, VitrineError
from indexer.stores.edge import EdgeStore
from indexer.stores.owner import Ownership
from indexer.stores.rows import Rows
from indexer.stores.seam import Layout

NICENESS: Final = 5
"""The build gives way to a service on the same machine."""
ORPHAN_SECONDS: Final = 3.0
"""How long the child of a killed process may go on owning the directory."""
PR_SET_PDEATHSIG: Final = 1
"""Of Linux's prctl(2): the signal that a process gets when its parent ends."""


class EdgeBuilder:
    """`with EdgeBuilder(path, layout, expected) as builder: builder.upsert(points) …; count = builder.finish()`.

    Leaving the block without `finish` kills the child and removes what it wrote. `upsert` returns when the child has
    taken the batch, which it does after the one before is written: one batch is under way while the caller prepares
    the next.

    Raises StoreOwned when the directory is in use, StoreUnavailable when the child dies, StoreMismatch for points that
    do not fit the layout.
    """

    def __init__(self, path: Path, layout: Layout, expected: int) -> None:
        self._path = path
        self._layout = layout
        self._finished = False
        spawn = get_context("spawn")
        self._pipe, theirs = spawn.Pipe()
        filling = theirs, path, layout, expected, os.getpid()
        self._child = spawn.Process(target=_build, args=filling, daemon=True)
        self._child.start()
        theirs.close()

    def upsert(self, points: Sequence[Point]) -> None:
        """Hand the points to the child. An error of an earlier batch may be raised here or by `finish`."""
        self._send(Rows.of(points, self._layout))

    def finish(self) -> int:
        """Merge, index, flush and close the store; the number of points it holds."""
        self._send(None)
        count = self._answer()
        self._finished = True
        return count

    def __enter__(self) -> "EdgeBuilder":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.kill()
        self._child.join()
        self._pipe.close()
        if not self._finished:
            self._discard()

    def _discard(self) -> None:
        """An unfinished store only takes room, which may be what was missing; another process's is left alone."""
        with suppress(StoreOwned, StoreUnavailable):
            owned = Ownership(self._path)
            shutil.rmtree(self._path, ignore_errors=True)
            owned.release()

    def _send(self, message: Rows | None) -> None:
        try:
            self._pipe.send(message)
        except OSError:
            self._answer()

    def _answer(self) -> int:
        try:
            answer = self._pipe.recv()
        except (EOFError, OSError) as error:
            self._child.join()
            raise StoreUnavailable(
                f"The process building {self._path} died (exit code {self._child.exitcode}): "
                "see that disk and memory have room, and build again."
            ) from error
        if isinstance(answer, VitrineError):
            raise answer
        return int(answer)


def _build(pipe: Connection, path: Path, layout: Layout, expected: int, parent: int) -> None:
    _die_with(parent)
    os.nice(NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches both; the parent decides
    try:
        pipe.send(_written(pipe, path, layout, expected))
    except VitrineError as error:
        pipe.send(error)
    except (EOFError, BrokenPipeError):
        pass  # the parent is gone: what was written is not asked for any more


def _written(pipe: Connection, path: Path, layout: Layout, expected: int) -> int:
    with _created(path, layout, expected) as store:
        while (rows := pipe.recv()) is not None:
            store.write(rows)
        store.seal()
        return store.count()


def _created(path: Path, layout: Layout, expected: int) -> EdgeStore:
    """Whoever takes a killed process's build over may find its child still at work."""
    deadline = time.monotonic() + ORPHAN_SECONDS
    while True:
        try:
            return EdgeStore.create(path, layout, expected)
        except StoreOwned:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _die_with(parent: int) -> None:
    """Merging and indexing hold the GIL, so that nothing in this process would notice: Linux kills it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit()
