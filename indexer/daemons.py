"""Threads for what may hang: unlike those of a pool, the end of the process does not wait for them."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Answer = TypeVar("Answer")


class Daemons:
    """So many calls at a time, each in a thread of its own; one that hangs keeps its place. Thread-safe."""

    def __init__(self, at_once: int, name: str) -> None:
        self._places = threading.BoundedSemaphore(at_once)
        self._name = name

    def submit(self, call: Callable[[], Answer], patience: float | None = None) -> "Future[Answer]":
        """Returns once the call has its place. Raises TimeoutError for none within `patience` seconds."""
        if not self._places.acquire(timeout=patience):
            raise TimeoutError
        answer: Future[Answer] = Future()
        thread = threading.Thread(target=self._run, args=(call, answer), name=self._name, daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the process has no room for another thread, or ends
            self._places.release()
            raise
        return answer

    def within(self, seconds: float, call: Callable[[], Answer]) -> Answer:
        """What the call returns or raises. Raises TimeoutError when it takes longer, its place included."""
        end = time.monotonic() + seconds
        return self.submit(call, seconds).result(max(0.0, end - time.monotonic()))

    def _run(self, call: Callable[[], Answer], answer: "Future[Answer]") -> None:
        try:
            answer.set_result(call())
        except BaseException as error:  # noqa: BLE001  # the edge of the thread: whoever waits raises it
            answer.set_exception(error)
        finally:
            self._places.release()
