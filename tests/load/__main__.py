"""`python -m tests.load load`, `python -m tests.load soak --minutes 30`: the showroom of VITRINE_HOME, copied, served
by a process of its own and asked by this one. Both print tables for docs/load.md; 1 where a limit is passed."""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.load.arrivals import HEADER, Phase, arrive, capacity, quantile
from tests.load.shopping import Shop, resident, showroom

AT_ONCE = (os.cpu_count() or 1) + 1
"""As `load.searches` is by default."""
NORMAL, OVERLOAD, TWICE = 0.7, 3.0, 2.0
RECOVERED_SECONDS = 10.0
SETTLED_MINUTES = 5
GROWTH = 0.05


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("load", "soak"))
    parser.add_argument("--minutes", type=float, default=30.0, help="of a soak")
    parser.add_argument("--away", type=float, default=0.0, help="share of a soak's requests that may be sent away")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each phase of a load")
    parser.add_argument("--port", type=int, default=8139)
    asked = parser.parse_args()
    home = Path(os.environ.get("VITRINE_HOME", ".vitrine"))
    if not (home / "vitrine.db").exists():
        raise SystemExit(f"{home} holds no catalogue; make the showroom first: vitrine demo")
    with tempfile.TemporaryDirectory() as folder, showroom(home, Path(folder), asked.port) as shop:
        if asked.what == "load":
            return asyncio.run(load(shop, asked.seconds))
        return asyncio.run(soak(shop, asked.minutes, asked.away))


async def load(shop: Shop, seconds: float) -> int:
    """Normal, at capacity, three times that, and normal again."""
    async with shop.client() as client:
        most = await capacity(client, shop.words, AT_ONCE, seconds / 2)
        print(f"Capacity: {most.rate:.1f} searches a second with {AT_ONCE} at once.\n\n{HEADER}", flush=True)
        shares = {"70 %": NORMAL, "100 %": 1.0, "300 %": OVERLOAD, "70 % again": NORMAL}
        phases = []
        for place, (name, share) in enumerate(shares.items()):
            phases.append(await arrive(client, shop.words, Phase(name, share * most.rate), seconds, seed=place))
            print(phases[-1].row(), flush=True)
    normal, full, over, again = phases
    back = recovered(again, TWICE * normal.quantile(0.95))
    print(f"\nAccepted at 300 %: p95 {over.quantile(0.95) / full.quantile(0.95):.2f} × that at capacity,")
    print(f"{over.quantile(0.95) / normal.quantile(0.95):.2f} × that at 70 %; back to normal {back:.1f} s after it.")
    faults = sum((phase.faults for phase in phases), most.faults)
    print(f"Faults: {dict(faults) or 'none'}.")
    return int(bool(faults) or over.quantile(0.95) > TWICE * full.quantile(0.95) or back > RECOVERED_SECONDS)


def recovered(phase: Phase, limit: float) -> float:
    """Seconds from the phase's first answer to the end of the last second whose p95 was above `limit`; 0 for none."""
    first, late = min(phase.ends), 0.0
    for second in range(int(max(phase.ends) - first) + 1):
        within = [took for took, end in zip(phase.took, phase.ends, strict=True) if int(end - first) == second]
        if within and quantile(within, 0.95) > limit:
            late = second + 1.0
    return late


async def soak(shop: Shop, minutes: float, most_away: float) -> int:
    """Everything that shoppers and merchandisers do, at 70 % of what the service can do, minute by minute."""
    async with shop.client() as client:
        most = await capacity(client, shop.everything, AT_ONCE, 20.0)
        rate = NORMAL * most.rate
        print(f"Capacity: {most.rate:.1f} requests a second of the mixture, of which {rate:.1f} come.\n")
        print(HEADER.replace("| faults |", "| faults | MB |") + "---|", flush=True)
        phases, memory = [most], [resident(shop.pid)]
        until, minute = time.monotonic() + minutes * 60, 0
        while (left := until - time.monotonic()) > 1:
            minute += 1
            phase = await arrive(client, shop.everything, Phase(str(minute), rate), min(60.0, left), seed=minute)
            phases.append(phase)
            memory.append(resident(shop.pid))
            print(f"{phase.row()} {memory[-1] / 1e6:.0f} |", flush=True)
    settled = memory[min(SETTLED_MINUTES, len(memory) - 1)]
    growth = max(memory[min(SETTLED_MINUTES, len(memory) - 1) :]) / settled - 1
    faults, away = sum((phase.faults for phase in phases), most.faults), sum(phase.away for phase in phases)
    print(f"\nFaults: {dict(faults) or 'none'}; sent away: {away}; memory since minute five: {growth:+.1%} at most.")
    return int(bool(faults) or away > most_away * sum(phase.asked for phase in phases) or growth > GROWTH)


if __name__ == "__main__":
    sys.exit(main())
