"""Three times as much as can be done: what is accepted is answered about as fast as ever, the rest is told to come
again, and a moment later all is as before. With an encoder that takes a fixed time, on however slow a machine."""

import asyncio
import random
import time
from collections.abc import Sequence

import httpx2

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
CAPACITY = 1 / CALL_SECONDS
"""Searches a second: one call of the encoder each."""


class FixedEncoder(FakeEncoder):
    """A call takes its time, whatever it encodes."""

    def encode_texts(self, texts: Sequence[str]) -> Matrix:
        time.sleep(CALL_SECONDS)
        return super().encode_texts(texts)


async def ask(client: httpx2.AsyncClient, chance: random.Random) -> httpx2.Response:
    return await client.post("/v1/search", json={"text": f"red mug {chance.randrange(10**9)}"})


async def story(url: str) -> tuple[Phase, Phase, Phase]:
    limits = httpx2.Limits(max_connections=None, keepalive_expiry=2)
    async with httpx2.AsyncClient(base_url=url, trust_env=False, timeout=PATIENCE, limits=limits) as client:
        full = await arrive(client, ask, Phase("100 %", CAPACITY), 3.0, seed=1)
        over = await arrive(client, ask, Phase("300 %", 3 * CAPACITY), 3.0, seed=2)
        again = await arrive(client, ask, Phase("50 %", 0.5 * CAPACITY), 2.0, seed=3)
    return full, over, again


def test_accepted_requests_stay_fast_at_three_times_the_capacity(memory: Settings) -> None:
    load = memory.load.model_copy(update={"searches": AT_ONCE, "waiting": 8, "wait_seconds": 0.5})
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
