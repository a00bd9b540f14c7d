"""Building an Edge store in a child process, at its final path.

Writing, merging and indexing hold the GIL for seconds to minutes, which a process that answers queries cannot spare.
The child owns the directory from its first file to its last and is gone before anyone opens it. A killed child leaves
a directory that no pointer names; the next build with that path replaces it.
"""

import os
import signal
from collections.abc import Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Final

from indexer.domain import Point
from indexer.errors import StoreUnavailable, VitrineError
from indexer.stores.edge import EdgeStore
from indexer.stores.rows import Rows
from indexer.stores.seam import Layout

NICENESS: Final = 5
"""The build gives way to a service on the same machine."""


class EdgeBuilder:
    """`with EdgeBuilder(path, layout, expected) as builder: builder.upsert(points) …; count = builder.finish()`.

    Leaving the block without `finish` kills the child. `upsert` returns when the child has taken the batch, which it
    does after the one before is written: one batch is under way while the caller prepares the next.

    Raises StoreOwned when the directory is in use, StoreUnavailable when the child dies, StoreMismatch for points that
    do not fit the layout.
    """

    def __init__(self, path: Path, layout: Layout, expected: int) -> None:
        self._path = path
        self._layout = layout
        spawn = get_context("spawn")
        self._pipe, theirs = spawn.Pipe()
        self._child = spawn.Process(target=_build, args=(theirs, path, layout, expected), daemon=True)
        self._child.start()
        theirs.close()

    def upsert(self, points: Sequence[Point]) -> None:
        """Hand the points to the child. An error of an earlier batch may be raised here or by `finish`."""
        self._send(Rows.of(points, self._layout))

    def finish(self) -> int:
        """Merge, index, flush and close the store; the number of points it holds."""
        self._send(None)
        return self._answer()

    def __enter__(self) -> "EdgeBuilder":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.kill()
        self._child.join()
        self._pipe.close()

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
                f"The process building {self._path} died (exit code {self._child.exitcode}): build again."
            ) from error
        if isinstance(answer, VitrineError):
            raise answer
        return int(answer)


def _build(pipe: Connection, path: Path, layout: Layout, expected: int) -> None:
    os.nice(NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches both; the parent decides
    try:
        pipe.send(_written(pipe, path, layout, expected))
    except VitrineError as error:
        pipe.send(error)
    except (EOFError, BrokenPipeError):
        pass  # the parent is gone: what was written is not asked for any more


def _written(pipe: Connection, path: Path, layout: Layout, expected: int) -> int:
    with EdgeStore.create(path, layout, expected) as store:
        while (rows := pipe.recv()) is not None:
            store.write(rows)
        store.seal()
        return store.count()
