"""Until when an answer is worth anything: passed down from a request's arrival to the last stage that works for it."""

import math
import threading
import time
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from indexer.encoders import Encoder
from indexer.errors import TooLate


class Deadline:
    """Thread-safe. `seconds` from now on; None: there is no end but `give_up`, which whoever asked may call."""

    def __init__(self, seconds: float | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seconds = seconds
        self._end = math.inf if seconds is None else clock() + seconds
        self._given_up = threading.Event()

    def left(self) -> float:
        """Seconds, never below 0; infinite without an end."""
        return 0.0 if self._given_up.is_set() else max(0.0, self._end - self._clock())

    @property
    def over(self) -> bool:
        return self.left() <= 0

    def extend(self, seconds: float) -> None:
        """For a part of the work that has a time of its own."""
        self._end += seconds

    def give_up(self) -> None:
        """Nobody waits for the answer any more: what is not begun yet is not begun."""
        self._given_up.set()

    def demand(self, stage: str) -> None:
        """Raises TooLate when `stage` would begin, or go on, for nobody."""
        if self.over:
            raise self.too_late(stage)

    def too_late(self, stage: str) -> TooLate:
        if self._given_up.is_set() or self._seconds is None:
            return TooLate(f"Whoever asked has gone; {stage} is left undone.")
        return TooLate(f"The {self._seconds:g} s that this may take were over at {stage}; try again in a moment.")


@runtime_checkable
class Hurrying(Protocol):
    """An encoder before which calls wait, and need not wait for longer than somebody does for them."""

    def until(self, deadline: Deadline) -> Encoder: ...


def hurried(encoder: Encoder, deadline: Deadline) -> Encoder:
    """The encoder for one request: its calls raise TooLate, unbegun, once the deadline is over."""
    return encoder.until(deadline) if isinstance(encoder, Hurrying) else encoder
