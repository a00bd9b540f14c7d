"""Told to stop, the service ends what is under way and takes nothing more."""

from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from indexer.settings import Settings
from service.batching import BatchingEncoder
from tests.service.api.serving import PATIENCE, serving, wait_until
from tests.service.api.test_admission import MUG, HeldEncoder
from tests.service.apps import app_over
from tests.service.worlds import open_fake_shop


def test_what_is_under_way_is_answered_and_nobody_else_is_let_in(memory: Settings) -> None:
    encoder = HeldEncoder()
    app = app_over(memory, lambda: open_fake_shop(memory, lambda _: BatchingEncoder(encoder, 8)))
    with ThreadPoolExecutor(2) as threads:
        with serving(app) as (host, port):
            url = f"http://{host}:{port}"
            answer = threads.submit(httpx2.post, f"{url}/v1/search", json=MUG, timeout=PATIENCE, trust_env=False)
            wait_until(lambda: encoder.entered == 1)
            threads.submit(_let_it_end, url, encoder)
        assert answer.result(PATIENCE).status_code == 200
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(url, trust_env=False)


def _let_it_end(url: str, encoder: HeldEncoder) -> None:
    """As soon as nobody is let in any more."""

    def closed() -> bool:
        try:
            return httpx2.get(f"{url}/v1/health", trust_env=False).status_code != 200
        except httpx2.HTTPError:
            return True

    wait_until(closed)
    encoder.may.set()
