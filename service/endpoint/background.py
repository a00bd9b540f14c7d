"""A thread with an event loop, for work that others wait for no longer than they want to."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import CancelledError, Future, wait
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

_GRACE = 0.03
"""Seconds past its deadline in which work may still hand over what it came to."""
_ENDING = 1.0
"""Seconds that closing waits for what it cancels."""
_LOOK = 0.1
"""Seconds between two looks at whether work is still wanted."""


class Unwanted(Exception):
    """Whoever asked for the work wants it no more."""


@dataclass(frozen=True, eq=False)
class _Running:
    loop: asyncio.AbstractEventLoop
    enough: asyncio.Event


class Background:
    """Its thread is started by the first work and holds up no end of the process. Thread-safe."""

    def __init__(self, name: str, ending: Callable[[], Awaitable[None]]) -> None:
        """`ending` is awaited after the last work."""
        self._name = name
        self._ending = ending
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._running: Future[_Running] = Future()
        self._closed = False

    def run(self, work: Coroutine[object, object, T], until: float, unwanted: Callable[[], bool] | None = None) -> T:
        """What `work` returns or raises; TimeoutError, soon after a time of the monotonic clock, where it does
        neither, and after `close`. Raises Unwanted soon after `unwanted`, which is asked in the caller's thread, says
        so."""
        with self._lock:
            if self._closed:
                work.close()
                raise TimeoutError("It is closed.")
            waited = asyncio.run_coroutine_threadsafe(work, self._started().loop)
        try:
            return _outcome(waited, until + _GRACE, unwanted)
        except CancelledError:
            raise TimeoutError("It was closed.") from None
        finally:
            waited.cancel()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            thread, self._thread = self._thread, None
        if thread is not None:
            running = self._running.result()
            running.loop.call_soon_threadsafe(running.enough.set)
            thread.join(_ENDING)

    def _started(self) -> _Running:
        if self._thread is None:
            self._thread = threading.Thread(target=asyncio.run, args=(self._serve(),), name=self._name, daemon=True)
            self._thread.start()
        return self._running.result()

    async def _serve(self) -> None:
        running = _Running(asyncio.get_running_loop(), asyncio.Event())
        self._running.set_result(running)
        await running.enough.wait()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._ending()


def _outcome(waited: Future[T], until: float, unwanted: Callable[[], bool] | None) -> T:
    while unwanted is not None and not waited.done() and time.monotonic() < until:
        if unwanted():
            raise Unwanted
        wait((waited,), max(0.0, min(_LOOK, until - time.monotonic())))
    return waited.result(max(0.0, until - time.monotonic()))
