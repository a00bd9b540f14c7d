"""A photo that kills its decoder, or never ends, costs its own request and no other."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.testclient import TestClient

from indexer.settings import Settings
from tests.indexer.images.children import children, processor_seconds, wait_until_at_work
from tests.indexer.images.drawn import saved, scene
from tests.indexer.images.test_decoders import HANGING
from tests.service.apps import app_over

GOOD = saved(scene(), "PNG")


def asked(client: TestClient, photo: bytes) -> tuple[int, str]:
    answer = client.post("/v1/search/photo", files={"photo": photo})
    return answer.status_code, answer.json().get("detail", "")


@pytest.fixture
def hurried(shop_settings: Settings) -> Settings:
    """One decoder, and a second and a half for each photo."""
    images = shop_settings.images.model_copy(update={"decode_seconds": 1.5, "decoders": 1})
    return shop_settings.model_copy(update={"images": images})


def test_a_photo_that_never_ends(hurried: Settings) -> None:
    with TestClient(app_over(hurried, max_photo=15_000_000)) as client, ThreadPoolExecutor(4) as pool:
        assert asked(client, GOOD)[0] == 200
        hanging = pool.submit(asked, client, HANGING)
        others = [pool.submit(asked, client, GOOD) for _ in range(3)]
        status, detail = hanging.result()
        assert (status, "(decode_timeout)" in detail) == (422, True)
        assert [one.result()[0] for one in others] == [200] * 3
        assert asked(client, GOOD)[0] == 200


@pytest.mark.parametrize("blow", [signal.SIGSEGV, signal.SIGKILL])
def test_a_photo_that_kills_its_decoder(shop_settings: Settings, blow: signal.Signals) -> None:
    images = shop_settings.images.model_copy(update={"decoders": 1})
    settings = shop_settings.model_copy(update={"images": images})
    before = children()
    with TestClient(app_over(settings, max_photo=15_000_000)) as client, ThreadPoolExecutor(4) as pool:
        assert asked(client, GOOD)[0] == 200
        (victim,) = children() - before
        idle = processor_seconds(victim)
        crashing = pool.submit(asked, client, HANGING)
        wait_until_at_work(victim, idle)
        others = [pool.submit(asked, client, GOOD) for _ in range(3)]
        os.kill(victim, blow)
        status, detail = crashing.result()
        assert (status, "(decode_failed)" in detail) == (422, True)
        assert [one.result()[0] for one in others] == [200] * 3
    assert children() <= before
