"""A service on this machine, and shoppers who ask it all the time."""

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx2
import uvicorn

from indexer.bootstrap import open_catalogue
from indexer.images.decoders import DecoderPool
from indexer.settings import Settings
from service.access import Access
from service.api.app import create_app
from service.shop import Shop
from tests.fakes import FakeEncoder
from tests.service.worlds import ACCESS

PATIENCE = 60.0
PACE = 0.1
"""Seconds from an answer to the next question."""
Answered = tuple[int, dict[str, object]]
"""Status and document."""


@contextmanager
def serving(settings: Settings) -> Iterator[str]:
    """The URL of a service that follows the ledger, and sends nobody away: the machine may be busy with the faults, and
    shoppers of one address ask more often than people do.
    """
    load = settings.load.model_copy(update={"wait_seconds": PATIENCE})
    access = settings.access.model_copy(update={"per_address": ACCESS["per_address"]})
    settings = settings.model_copy(update={"load": load, "access": access})
    database = open_catalogue(settings)
    decoders = DecoderPool.of(settings.images)
    shop = Shop(database, settings, lambda _: FakeEncoder(), decoders, follow=True)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(
            uvicorn.Config(create_app(lambda: shop, settings, Access(database)), log_level="critical")
        )
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
            database.dispose()


@dataclass
class Shoppers:
    """What they were answered: `faults` is what no shopper should see."""

    url: str
    asked: int = 0
    faults: list[str] = field(default_factory=list)
    seen: set[tuple[str, str]] = field(default_factory=set)
    """Builds, and the last words of the titles that answers from them had."""
    done: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def shop(self, least: int) -> None:
        """Ask until the others are done too, and all have asked `least` times."""
        with httpx2.Client(base_url=self.url, trust_env=False, timeout=PATIENCE) as client:
            while not (self.done.is_set() and self.asked >= least) and len(self.faults) < 10:
                status, answer = search(client, "red mug")
                with self._lock:
                    self._note(status, answer)
                time.sleep(PACE)

    def _note(self, status: int, answer: dict[str, object]) -> None:
        self.asked += 1
        results = answer.get("results")
        if status != 200 or not isinstance(results, list) or not results:
            self.faults.append(f"{status}: {answer}")
        else:
            self.seen |= {(str(answer["build"]), str(one["title"]).rsplit(" ", 1)[-1]) for one in results}


def search(client: httpx2.Client, text: str) -> Answered:
    answer = client.post("/v1/search", json={"text": text})
    return answer.status_code, answer.json()


@contextmanager
def shopping(url: str, clients: int, queries: int) -> Iterator[Shoppers]:
    """No answer was an error, and none was empty."""
    shoppers = Shoppers(url)
    with ThreadPoolExecutor(clients) as pool:
        running = [pool.submit(shoppers.shop, queries) for _ in range(clients)]
        try:
            yield shoppers
        finally:
            shoppers.done.set()
            for one in running:
                one.result()
    assert not shoppers.faults, shoppers.faults
    assert shoppers.asked >= queries
