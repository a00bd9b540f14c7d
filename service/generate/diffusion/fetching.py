"""What comes from the hub, which may take its time: fetched once for all who need it, and waited for but briefly."""

import logging
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from dataclasses import dataclass, field
from time import monotonic
from typing import Final, Generic, TypeVar

from service.generate.diffusion.weights import UnusableWeights

T = TypeVar("T")
LOG = logging.getLogger(__name__)

_WAIT: Final = 0.5
"""Seconds that a plan waits for each thing; one for a draft needs two, an index and a tokenizer."""
_PATIENCE: Final = 60.0
"""Seconds in which the hub is not asked again for what it did not give."""
_FAREWELL: Final = 5.0
"""Seconds that are waited at the end, so that the next command finds what this one began to fetch."""


@dataclass(eq=False)
class _Fetch(Generic[T]):
    answer: Future[T] = field(default_factory=Future)
    over: float = 0.0
    """When it failed, of the monotonic clock."""

    def run(self, fetch: Callable[[], T]) -> None:
        """An error belongs to those who ask, not to the thread."""
        try:
            self.answer.set_result(fetch())
        except UnusableWeights as error:
            self._failed(error)
        except Exception:
            LOG.exception("a fetch broke off")
            self._failed(UnusableWeights("its weights could not be fetched; the log says why."))

    def _failed(self, error: UnusableWeights) -> None:
        self.over = monotonic()
        self.answer.set_exception(error)

    @property
    def stale(self) -> bool:
        """It failed, and long enough ago to try again."""
        failed = self.answer.done() and self.answer.exception() is not None
        return failed and monotonic() - self.over > _PATIENCE


class Fetches(Generic[T]):
    """Thread-safe; by one thread for each thing, which goes on when nobody waits any more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fetches: dict[Hashable, _Fetch[T]] = {}

    def get(self, key: Hashable, fetch: Callable[[], T]) -> T:
        """What `fetch` gives, called once for each key; raises what it raises, and UnusableWeights where it takes
        longer."""
        with self._lock:
            found = self._fetches.get(key)
            if found is None or found.stale:
                found = self._fetches[key] = _Fetch()
                threading.Thread(target=found.run, args=(fetch,), name="fetching", daemon=True).start()
        wait_for([found.answer], _WAIT)
        if not found.answer.done():
            raise UnusableWeights(
                "its weights are still being fetched; ask again later, or download them and give their directory."
            )
        return found.answer.result()

    def close(self) -> None:
        with self._lock:
            answers = [one.answer for one in self._fetches.values()]
        wait_for(answers, _FAREWELL)
