"""An endpoint that keeps failing is left alone for a while, rather than waited for by every search."""

import threading
import time
from collections.abc import Callable


class Breaker:
    """Closed: everybody may ask. After `failures` in a row it opens: nobody may, for `rest_seconds`. Then one caller
    may, as a probe, whose success closes it and whose failure opens it anew; of a probe that is never heard of again,
    another one may follow after as long. Thread-safe.
    """

    def __init__(
        self, failures: int = 5, rest_seconds: float = 30.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._failures = failures
        self._rest_seconds = rest_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._failed = 0
        self._rests_until = 0.0

    def allows(self) -> bool:
        """Whether the endpoint may be asked now; who is told so says afterwards how it went."""
        with self._lock:
            if self._failed < self._failures:
                return True
            now = self._clock()
            if now < self._rests_until:
                return False
            self._rests_until = now + self._rest_seconds
            return True

    def succeeded(self) -> None:
        with self._lock:
            self._failed = 0

    def failed(self) -> None:
        with self._lock:
            self._failed += 1
            if self._failed >= self._failures:
                self._rests_until = self._clock() + self._rest_seconds
