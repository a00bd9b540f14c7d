"""A folder of an object store, for those who answer shoppers meanwhile."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, TypeVar

from indexer.breaker import RESTING, Breaker
from indexer.daemons import Daemons
from indexer.places import Held, Remote

Answer = TypeVar("Answer")

SECONDS: Final = 2.0
"""That are waited for a picture, which comes in a tenth of that, whatever the patience of the store's driver."""
LISTING_SECONDS: Final = 10.0
AT_ONCE: Final = 8
"""Requests; those that hang take a place until their driver gives them up."""


class Bucket:
    """Raises OSError, also for what does not come in time and while the store is left alone, as it kept failing.
    Thread-safe."""

    def __init__(self, place: Remote, breaker: Breaker | None = None, seconds: float = SECONDS) -> None:
        self._place = place
        self._breaker = breaker or Breaker()
        self._seconds = seconds
        self._requests = Daemons(AT_ONCE, "pictures-afar")

    def read(self, name: str, most: int) -> bytes:
        """The first bytes, so many at most."""
        return self._asked(lambda: (self._place / name).read(most), self._seconds)

    def write(self, name: str, content: bytes) -> None:
        self._asked(lambda: (self._place / name).write(content), self._seconds)

    def remove(self, name: str) -> None:
        with suppress(FileNotFoundError):
            self._asked((self._place / name).remove, self._seconds)

    def files(self) -> Sequence[Held]:
        return self._asked(self._place.files, LISTING_SECONDS)

    def close(self) -> None:
        """Nothing is kept open, and what hangs is not waited for."""

    def _asked(self, request: Callable[[], Answer], seconds: float) -> Answer:
        if not self._breaker.allows():
            raise OSError(RESTING)
        try:
            answer = self._requests.within(seconds, request)
        except FileNotFoundError:
            self._breaker.succeeded()
            raise
        except TimeoutError as error:
            self._breaker.failed("late")
            raise OSError(f"it did not answer within {seconds:g} s") from error
        except OSError:
            self._breaker.failed()
            raise
        self._breaker.succeeded()
        return answer
