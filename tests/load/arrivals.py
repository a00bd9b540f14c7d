"""Requests that come when they come, however long the answers take (an open loop), and what became of them."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import httpx2

ACCEPTED = range(200, 300)
SENT_AWAY = 503
PATIENCE = 60.0

Ask = Callable[[httpx2.AsyncClient, random.Random], Awaitable[httpx2.Response]]


@dataclass
class Phase:
    """`took` are seconds of what was answered, sent away or not apart; `ends` the moments of the answers, by the
    monotonic clock."""

    name: str
    rate: float
    """Requests a second."""
    took: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)
    away: int = 0
    away_took: list[float] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)

    @property
    def asked(self) -> int:
        return len(self.took) + self.away + self.faults.total()

    def quantile(self, share: float) -> float:
        return quantile(self.took, share)

    def row(self) -> str:
        away = 100 * self.away / max(1, self.asked)
        p50, p95, p99 = (1_000 * self.quantile(share) for share in (0.5, 0.95, 0.99))
        return (
            f"| {self.name} | {self.rate:.1f} | {self.asked} | {away:.1f} % | {p50:.0f} | {p95:.0f} | {p99:.0f} | "
            f"{1_000 * quantile(self.away_took, 0.95):.0f} | {self.faults.total()} |"
        )


HEADER = """| phase | asked/s | requests | sent away | p50 ms | p95 ms | p99 ms | sent away p95 ms | faults |
|---|---|---|---|---|---|---|---|---|"""


def quantile(values: Sequence[float], share: float) -> float:
    """0 of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


async def arrive(client: httpx2.AsyncClient, ask: Ask, phase: Phase, seconds: float, seed: int = 1) -> Phase:
    """Poisson arrivals; returns when the last one is answered."""
    chance = random.Random(seed)
    begun: list[asyncio.Task[None]] = []
    until = due = time.monotonic()
    until += seconds
    while (due := due + chance.expovariate(phase.rate)) < until:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        begun.append(asyncio.create_task(_one(client, ask, phase, random.Random(chance.random()))))
    await asyncio.gather(*begun)
    return phase


async def capacity(client: httpx2.AsyncClient, ask: Ask, at_once: int, seconds: float) -> Phase:
    """A closed loop: as many as may be at work at a time, each asking again at once. `rate` is what came of it."""
    phase, until = Phase("capacity", 1.0), time.monotonic() + seconds
    started = time.monotonic()

    async def keep_asking(seed: int) -> None:
        chance = random.Random(seed)
        while time.monotonic() < until:
            await _one(client, ask, phase, chance)

    await asyncio.gather(*(keep_asking(seed) for seed in range(at_once)))
    phase.rate = len(phase.took) / (time.monotonic() - started)
    return phase


async def _one(client: httpx2.AsyncClient, ask: Ask, phase: Phase, chance: random.Random) -> None:
    started = time.monotonic()
    try:
        answer = await ask(client, chance)
    except httpx2.HTTPError as error:
        phase.faults[type(error).__name__] += 1
        return
    took = time.monotonic() - started
    if answer.status_code in ACCEPTED:
        phase.took.append(took)
        phase.ends.append(time.monotonic())
    elif answer.status_code == SENT_AWAY and int(answer.headers["Retry-After"]) >= 1:
        phase.away += 1
        phase.away_took.append(took)
    else:
        phase.faults[f"{answer.status_code} {answer.text[:200]}"] += 1
