"""How often somebody asks, counted in this process."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from math import floor
from typing import Final, Protocol

SECONDS: Final = {"second": 1, "minute": 60, "hour": 3600, "day": 24 * 3600}


@dataclass(frozen=True)
class Rate:
    """So many requests in a second, a minute, an hour or a day."""

    amount: int
    unit: str

    @classmethod
    def parse(cls, written: str) -> "Rate":
        """`600/minute`, as the settings have it."""
        amount, _, unit = written.partition("/")
        return cls(int(amount), unit)

    def __str__(self) -> str:
        return f"{self.amount}/{self.unit}"


class Counts(Protocol):
    async def take(self, rate: Rate, who: str) -> float | None:
        """Counts one more request; or, where that is more than the rate, the seconds until there is room for it."""
        ...

    async def close(self) -> None: ...


class OwnCounts:
    """In memory, for one process. A window slides: what was counted in the one before weighs less the older it is.

    `limits` counts alike; its memory starts a thread with nearly every request, to forget what is over, for which the
    event loop waits behind the searches.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._windows: dict[Rate, _Window] = {}

    async def take(self, rate: Rate, who: str) -> float | None:
        return self._windows.setdefault(rate, _Window()).take(rate, who, self._clock())

    async def close(self) -> None:
        pass


@dataclass
class _Window:
    """Of one rate: who asked how often since it began, and in the one before."""

    number: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)
    before: dict[str, int] = field(default_factory=dict)

    def take(self, rate: Rate, who: str, now: float) -> float | None:
        seconds = SECONDS[rate.unit]
        number, passed = divmod(now, seconds)
        if number != self.number:
            self.before = self.counts if number == self.number + 1 else {}
            self.number, self.counts = number, {}
        left = seconds - passed
        counted, before = self.counts.get(who, 0), self.before.get(who, 0)
        if floor(before * left / seconds + counted) >= rate.amount:
            return left % (seconds / before) if before else left
        self.counts[who] = counted + 1
        return None
