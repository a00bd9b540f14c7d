"""So many at a time, and so many who wait for their turn."""

import asyncio
import time
from collections.abc import Callable
from math import ceil
from typing import Final

from indexer.errors import Overloaded

SMOOTHED: Final = 0.1
"""Weight of the newest time in the average that tells when trying again makes sense."""
ROUNDS: Final = 4
"""So many times the places are waited for first come, first served. With more in the queue than that, whoever came last
is next: there is more to do than can be done, and those who have waited long are those who will be too late (adaptive
LIFO: B. Maurer, Fail at Scale, ACM Queue 13(8), 2015; docs/load.md has what it does here)."""


class Gate:
    """Of one event loop. A turn that `turn` gave is handed to `give_back` once it is over, whether it came or not; more
    often does no harm."""

    def __init__(
        self,
        places: int,
        waiting: int,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        at_ease: float | None = None,
    ) -> None:
        """`seconds` are how long a turn is worth waiting for; `at_ease`, where it is given, for how long it is while no
        more wait than there are places: theirs are the next turns, and if those take long to come, it is not because
        too much is asked."""
        self._seconds = seconds
        self._at_ease = seconds if at_ease is None else at_ease
        self._places = places
        self._most_waiting = waiting
        self._clock = clock
        self._at_work: dict[asyncio.Future[None], float] = {}
        """Turn → when it came."""
        self._queue: dict[asyncio.Future[None], float] = {}
        """Turn → since when it is waited for, the longest first."""
        self._takes = 0.0
        """Seconds that a place is held, on a moving average."""

    @property
    def waiting(self) -> int:
        return len(self._queue)

    def turn(self) -> "asyncio.Future[None]":
        """Done when it is one's turn, which may be at once; cancelled when it will not come, as too many who came later
        wait by then."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue[turn] = self._clock()
        self._let_in()
        while len(self._queue) > self._most_waiting:
            self._eldest().cancel()
        return turn

    def patience(self, turn: "asyncio.Future[None]") -> float:
        """Seconds after which to ask again whether the turn is still worth waiting for; 0 or less once it is not, and
        for one that is not waited for."""
        since = self._queue.get(turn)
        if since is None:
            return 0.0
        worth = self._at_ease if self.waiting <= self._places else self._seconds
        return min(self._seconds, since + worth - self._clock())

    def give_back(self, turn: "asyncio.Future[None]") -> None:
        came = self._at_work.pop(turn, None)
        if came is not None:
            took = self._clock() - came
            self._takes = self._takes + SMOOTHED * (took - self._takes) if self._takes else took
        self._queue.pop(turn, None)
        self._let_in()

    def overloaded(self) -> Overloaded:
        """Says when those who are here now will have been served."""
        seconds = max(1, ceil(self._takes * (len(self._at_work) + self.waiting) / self._places))
        return Overloaded(
            f"As much is under way as this service takes on at a time; try again in {seconds} s.", seconds
        )

    def _let_in(self) -> None:
        while self._queue and len(self._at_work) < self._places:
            crowded = len(self._queue) > ROUNDS * self._places
            turn = self._queue.popitem()[0] if crowded else self._eldest()
            self._at_work[turn] = self._clock()
            turn.set_result(None)

    def _eldest(self) -> "asyncio.Future[None]":
        turn = next(iter(self._queue))
        del self._queue[turn]
        return turn
