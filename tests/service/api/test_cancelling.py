"""Who goes away is no longer worked for."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2

from indexer.domain import Matrix
from indexer.settings import Settings
from service.batching import BatchingEncoder
from tests.service.api.serving import PATIENCE, Talk, serving, wait_until
from tests.service.api.test_admission import HeldEncoder
from tests.service.apps import app_over
from tests.service.worlds import open_fake_shop


class ListedEncoder(HeldEncoder):
    """Says what it encoded."""

    def __init__(self) -> None:
        super().__init__()
        self.encoded: list[str] = []

    def encode_texts(self, texts: Sequence[str]) -> Matrix:
        self.encoded += texts
        return super().encode_texts(texts)


@dataclass
class World:
    address: tuple[str, int]
    encoder: ListedEncoder

    def asks(self, text: str) -> Talk:
        """A connection on which that is asked."""
        body = json.dumps({"text": text}).encode()
        return Talk(self.address).say(f"Content-Type: application/json\r\nContent-Length: {len(body)}", body)

    def counted(self, name: str) -> float:
        host, port = self.address
        told = httpx2.get(f"http://{host}:{port}/metrics", trust_env=False, timeout=PATIENCE).text
        return sum(float(line.split()[-1]) for line in told.splitlines() if line.startswith(name))

    def look_around(self) -> None:
        """The service answers somebody else twice, by when it has heard of whoever went before."""
        for _ in range(2):
            self.counted("vitrine")


@contextmanager
def world(settings: Settings, searches: int) -> Iterator[World]:
    """The encoder's calls are shared, as they are in a service."""
    encoder = ListedEncoder()
    own = settings.model_copy(update={"load": settings.load.model_copy(update={"searches": searches})})
    app = app_over(own, lambda: open_fake_shop(own, lambda _: BatchingEncoder(encoder, 1)))
    with serving(app) as address:
        try:
            yield World(address, encoder)
        finally:
            encoder.may.set()


def test_who_goes_away_while_waiting_leaves_the_queue(memory: Settings) -> None:
    with world(memory, searches=1) as shop, shop.asks("red mug") as first:
        wait_until(lambda: shop.encoder.entered == 1)
        with shop.asks("blue mug"):
            wait_until(lambda: shop.counted('vitrine_waiting{kind="search"}') == 1)
        wait_until(lambda: shop.counted('vitrine_turned_away_total{kind="search",reason="gone"}') == 1)
        assert shop.counted('vitrine_waiting{kind="search"}') == 0
        shop.encoder.may.set()
        assert first.status() == 200
    assert "blue mug" not in shop.encoder.encoded


def test_who_goes_away_before_the_encoder_is_not_encoded(memory: Settings) -> None:
    """The encoder is busy with another one's words; the place is free again as soon as it comes to these."""
    with world(memory, searches=2) as shop, shop.asks("red mug") as first:
        wait_until(lambda: shop.encoder.entered == 1)
        with shop.asks("blue mug"):
            wait_until(lambda: shop.counted('vitrine_admitted_total{kind="search"}') == 2)
        shop.look_around()
        shop.encoder.may.set()
        assert first.status() == 200
        wait_until(lambda: shop.counted('vitrine_searches_refused_total{problem="too-late"}') == 1)
    assert "blue mug" not in shop.encoder.encoded


def test_who_goes_away_in_a_stage_is_not_taken_to_the_next(memory: Settings) -> None:
    with world(memory, searches=1) as shop:
        with shop.asks("red mug"):
            wait_until(lambda: shop.encoder.entered == 1)
        shop.look_around()
        shop.encoder.may.set()
        wait_until(lambda: shop.counted('vitrine_searches_refused_total{problem="too-late"}') == 1)
        with shop.asks("blue mug") as second:
            assert second.status() == 200
        assert shop.counted("vitrine_searches_total") == 1


def test_who_stays_is_answered(memory: Settings) -> None:
    with world(memory, searches=1) as shop, shop.asks("red mug") as talk:
        shop.encoder.may.set()
        assert talk.status() == 200
