"""Three times as much as can be done: what is accepted is answered about as fast as ever, the rest is told to come
again, and a moment later all is as before. In short by counting: who waits, waits for so many others and no more. At
length by the clock, with an encoder that takes a fixed time."""

import asyncio
import random
import threading
import time
from collections.abc import Sequence

import httpx2
import pytest

from indexer.domain import Matrix
from indexer.settings import Settings
from service.batching import BatchingEncoder
from tests.fakes import FakeEncoder
from tests.load.__main__ import recovered
from tests.load.arrivals import Phase, arrive
from tests.service.api.serving import PATIENCE, serving
from tests.service.apps import app_over
from tests.service.worlds import open_fake_shop

CALL_SECONDS = 0.1
AT_ONCE = 2
WAITING = 8
CAPACITY = 1 / CALL_SECONDS
"""Searches a second: one call of the encoder each."""


class FixedEncoder(FakeEncoder):
    """A call takes its time, whatever it encodes."""

    def encode_texts(self, texts: Sequence[str]) -> Matrix:
        time.sleep(CALL_SECONDS)
        return super().encode_texts(texts)


class HeldEncoder(FakeEncoder):
    """A call takes until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.free = threading.Event()
        self.free.set()

    def encode_texts(self, texts: Sequence[str]) -> Matrix:
        assert self.free.wait(PATIENCE)
        return super().encode_texts(texts)


async def ask(client: httpx2.AsyncClient, chance: random.Random) -> httpx2.Response:
    return await client.post("/v1/search", json={"text": f"red mug {chance.randrange(10**9)}"})


async def counted(url: str, encoder: HeldEncoder) -> tuple[list[int], list[int], list[int]]:
    """The statuses of those that were answered while nothing was done, of the others, and of some who came later."""
    limits = httpx2.Limits(max_connections=None)
    chance = random.Random(1)
    async with httpx2.AsyncClient(base_url=url, trust_env=False, timeout=PATIENCE, limits=limits) as client:
        assert (await ask(client, chance)).status_code == 200
        encoder.free.clear()
        asked = {asyncio.create_task(ask(client, chance)) for _ in range(3 * (AT_ONCE + WAITING))}
        waiting = asked
        while len(waiting) > AT_ONCE + WAITING:
            _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        encoder.free.set()
        at_once, others = [one.result() for one in asked - waiting], [await one for one in waiting]
        later = [await ask(client, chance) for _ in range(AT_ONCE + WAITING)]
    assert all(int(one.headers["Retry-After"]) >= 1 for one in at_once)
    return [one.status_code for one in at_once], [one.status_code for one in others], [one.status_code for one in later]


def test_at_three_times_what_may_wait_the_rest_is_sent_away_at_once(memory: Settings) -> None:
    load = memory.load.model_copy(update={"searches": AT_ONCE, "waiting": WAITING, "wait_seconds": PATIENCE})
    own = memory.model_copy(update={"load": load})
    encoder = HeldEncoder()
    app = app_over(own, lambda: open_fake_shop(own, lambda _: BatchingEncoder(encoder, 1)))
    with serving(app) as (host, port):
        at_once, others, later = asyncio.run(counted(f"http://{host}:{port}", encoder))

    assert at_once == [503] * (2 * (AT_ONCE + WAITING))
    assert others == later == [200] * (AT_ONCE + WAITING)


async def story(url: str) -> tuple[Phase, Phase, Phase]:
    limits = httpx2.Limits(max_connections=None, keepalive_expiry=2)
    async with httpx2.AsyncClient(base_url=url, trust_env=False, timeout=PATIENCE, limits=limits) as client:
        full = await arrive(client, ask, Phase("100 %", CAPACITY), 3.0, seed=1)
        over = await arrive(client, ask, Phase("300 %", 3 * CAPACITY), 3.0, seed=2)
        again = await arrive(client, ask, Phase("50 %", 0.5 * CAPACITY), 2.0, seed=3)
    return full, over, again


@pytest.mark.long
def test_accepted_requests_stay_fast_at_three_times_the_capacity(memory: Settings) -> None:
    load = memory.load.model_copy(update={"searches": AT_ONCE, "waiting": WAITING, "wait_seconds": 0.5})
    own = memory.model_copy(update={"load": load})
    app = app_over(own, lambda: open_fake_shop(own, lambda _: BatchingEncoder(FixedEncoder(), 1)))
    with serving(app) as (host, port):
        full, over, again = asyncio.run(story(f"http://{host}:{port}"))

    assert not full.faults + over.faults + again.faults
    assert over.quantile(0.95) <= 2 * full.quantile(0.95)
    assert over.away >= over.asked / 3, "it was asked for far more than it can do"
    assert len(over.took) >= CAPACITY, "and did a good part of what it can"
    assert not again.away
    assert recovered(again, 2 * full.quantile(0.95)) <= 10
