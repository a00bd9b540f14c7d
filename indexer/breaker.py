"""A dependency that keeps failing is left alone for a while, rather than waited for by every search."""

import threading
import time
from collections.abc import Callable
from enum import IntEnum
from typing import Final

RESTING: Final = "the endpoint kept failing and is left alone for a while"


class BreakerState(IntEnum):
    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


def _nobody(state: BreakerState) -> None:
    pass


def _uncounted(kind: str) -> None:
    pass


class Breaker:
    """Closed: everybody may ask. After `failures` in a row it opens: nobody may, for `rest_seconds`. Then one caller
    may, as a probe, whose success closes it and whose failure opens it anew; of a probe that is never heard of again,
    another one may follow after as long. Thread-safe.
    """

    def __init__(
        self,
        failures: int = 5,
        rest_seconds: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
        told: Callable[[BreakerState], None] = _nobody,
        counted: Callable[[str], None] = _uncounted,
    ) -> None:
        """`told` hears of every change of state, in order, `counted` of what kind each failure is; neither may come
        back to the breaker."""
        self._failures = failures
        self._rest_seconds = rest_seconds
        self._clock = clock
        self._told = told
        self._counted = counted
        self._lock = threading.Lock()
        self._failed = 0
        self._rests_until = 0.0
        self._state = BreakerState.CLOSED

    def allows(self) -> bool:
        """Whether it may be asked now; who is told so says afterwards how it went."""
        with self._lock:
            if self._failed < self._failures:
                return True
            now = self._clock()
            if now < self._rests_until:
                return False
            self._rests_until = now + self._rest_seconds
            self._be(BreakerState.HALF_OPEN)
            return True

    def succeeded(self) -> None:
        with self._lock:
            self._failed = 0
            self._be(BreakerState.CLOSED)

    def failed(self, kind: str = "failed") -> None:
        """`kind` is one of few words in the code."""
        self._counted(kind)
        with self._lock:
            self._failed += 1
            if self._failed >= self._failures:
                self._rests_until = self._clock() + self._rest_seconds
                self._be(BreakerState.OPEN)

    def _be(self, state: BreakerState) -> None:
        if state is not self._state:
            self._state = state
            self._told(state)
