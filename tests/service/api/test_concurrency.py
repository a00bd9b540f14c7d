"""Blocking work never runs on the event loop."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from starlette.testclient import TestClient

from indexer.domain import Matrix
from indexer.settings import Settings
from tests.fakes import FakeEncoder
from tests.service.apps import app_over
from tests.service.worlds import open_fake_shop

PATIENCE = 60.0


class SlowEncoder(FakeEncoder):
    """An encoding of words lasts until the test lets it end."""

    def __init__(self) -> None:
        super().__init__()
        self.busy = threading.Event()
        self.may_end = threading.Event()

    def encode_texts(self, texts: Sequence[str]) -> Matrix:
        self.busy.set()
        assert self.may_end.wait(PATIENCE), "nobody could be served while the encoder was busy"
        return super().encode_texts(texts)


def test_a_cheap_route_answers_while_the_encoder_is_busy(memory: Settings) -> None:
    encoder = SlowEncoder()
    app = app_over(memory, lambda: open_fake_shop(memory, lambda manifest: encoder))
    with TestClient(app) as client, ThreadPoolExecutor(2) as threads:
        search = threads.submit(client.post, "/v1/search", json={"text": "red mug"})
        ready = threads.submit(client.get, "/v1/ready")
        assert encoder.busy.wait(PATIENCE)
        assert client.get("/v1/health").status_code == 200
        assert client.get("/v1/products/mug-red").status_code == 200
        assert not search.done()
        assert not ready.done()
        encoder.may_end.set()
        assert search.result(PATIENCE).json()["results"][0]["id"] == "mug-red"
        assert ready.result(PATIENCE).status_code == 200
