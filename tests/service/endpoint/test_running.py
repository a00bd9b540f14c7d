import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.endpoint import Asked, Endpoint
from tests.deadlines import late
from tests.openai_server import OpenAiServer, Reply, Request, saying, slow

ASKED = Asked("Say.", ("Hello",), None, max_tokens=5)
ENOUGH = threading.Event()
"""Work that nothing else ends is over."""


async def two() -> int:
    return 2


async def mistaken() -> None:
    raise KeyError("mine")


async def sleeping() -> None:
    await asyncio.sleep(60)


async def blocking() -> None:
    ENOUGH.wait(60)


async def stubborn() -> None:
    while not ENOUGH.is_set():
        try:
            await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            continue


def test_what_the_work_returns_or_raises_is_handed_on(endpoint: Endpoint) -> None:
    assert endpoint.run(two(), time.monotonic() + 30) == 2
    with pytest.raises(KeyError, match="mine"):
        endpoint.run(mistaken(), time.monotonic() + 30)


@pytest.mark.parametrize("work", [sleeping, blocking, stubborn])
def test_nobody_waits_longer_than_they_want_to(
    endpoint: Endpoint, work: Callable[[], Coroutine[object, object, None]]
) -> None:
    ENOUGH.clear()
    endpoint.run(two(), time.monotonic() + 30)
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        endpoint.run(work(), started + 0.1)
    assert time.monotonic() - started < 10
    ENOUGH.set()
    assert endpoint.run(two(), time.monotonic() + 30) == 2


def test_work_that_is_given_up_ends(endpoint: Endpoint) -> None:
    begun, ended = [], []

    async def noting() -> None:
        begun.append(True)
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    def attempt(seconds: float) -> None:
        with pytest.raises(TimeoutError):
            endpoint.run(noting(), time.monotonic() + seconds)

    late(attempt, lambda _: bool(begun))
    endpoint.run(asyncio.sleep(0.01), time.monotonic() + 30)
    assert ended == begun


def test_many_ask_at_the_same_time(server: OpenAiServer, endpoint: Endpoint) -> None:
    """Nobody is answered before all have asked."""
    everybody = threading.Barrier(32)

    def answer(asked: Request) -> Reply:
        everybody.wait(30)
        return saying("Hello")

    server.answer = answer

    async def eight(until: float) -> list[str]:
        said = await asyncio.gather(*(endpoint.ask(ASKED, until) for _ in range(8)))
        return [one.text for one in said]

    def asking() -> list[str]:
        until = time.monotonic() + 60
        return endpoint.run(eight(until), until)

    with ThreadPoolExecutor(4) as threads:
        said = [one.result() for one in [threads.submit(asking) for _ in range(4)]]
    assert said == [["Hello"] * 8] * 4


def test_a_closed_endpoint_lets_go_of_everybody_and_takes_nobody(server: OpenAiServer, endpoint: Endpoint) -> None:
    server.always(slow(60, saying("Hello")))
    until = time.monotonic() + 50
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(lambda: endpoint.run(endpoint.ask(ASKED, until), until))
        while not server.asked:
            time.sleep(0.01)
        endpoint.close()
        with pytest.raises(TimeoutError):
            waiting.result(20)
    with pytest.raises(TimeoutError):
        endpoint.run(two(), until)
    endpoint.close()


def test_work_under_way_holds_up_no_end_of_the_process(server: OpenAiServer) -> None:
    server.always(slow(60, saying("Hello")))
    script = f"""
import sys, threading, time
from service.endpoint import Asked, Endpoint
endpoint = Endpoint({server.url!r}, None, "small", setting="rerank")
until = time.monotonic() + 60
asked = Asked("Say.", ("Hello",), None, max_tokens=5)
threading.Thread(target=lambda: endpoint.run(endpoint.ask(asked, until), until), daemon=True).start()
sys.stdin.read()
"""
    child = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 100
    while not server.asked and child.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    _, errors = child.communicate(timeout=40)
    assert (child.returncode, errors, len(server.asked)) == (0, "", 1)
