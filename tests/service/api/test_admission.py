"""As much at a time as is done well; the rest waits a moment, or is told to come again."""

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager

import httpx2
import pytest
from fastapi import FastAPI, Request
from fastapi.routing import APIRoute
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Send
from starlette.types import Scope as Connection

from indexer.catalog.states import Scope
from indexer.domain import Matrix
from indexer.errors import Overloaded
from indexer.settings import Settings
from service.api.admission import ALWAYS_HELD, MOST_HELD, Admission, admitted, threads_for
from service.api.work import SEARCHES, SLOW, STAFF, UNASKED, Work, work_of
from tests.fakes import FakeEncoder
from tests.service.api.serving import PATIENCE, wait_until
from tests.service.apps import app_over, key_for
from tests.service.worlds import open_fake_shop, photo_of

MUG = {"text": "red mug"}


class HeldEncoder(FakeEncoder):
    """Encodes once it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may = threading.Event()
        self.entered = 0

    def encode_texts(self, texts: Sequence[str]) -> Matrix:
        self.entered += 1
        assert self.may.wait(PATIENCE)
        return super().encode_texts(texts)


class World:
    def __init__(
        self, settings: Settings, client: TestClient, encoder: HeldEncoder, threads: ThreadPoolExecutor
    ) -> None:
        self.client, self.encoder, self._threads = client, encoder, threads
        self.merchandiser = key_for(settings, Scope.MERCHANDISE)

    def ask(self) -> "Future[httpx2.Response]":
        return self._threads.submit(self.client.post, "/v1/search", json=MUG)

    def gauge(self, name: str) -> float:
        lines = self.client.get("/metrics").text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(name))


@contextmanager
def world(settings: Settings, **load: float) -> Iterator[World]:
    encoder = HeldEncoder()
    own = settings.model_copy(update={"load": settings.load.model_copy(update=load)})
    app = app_over(own, lambda: open_fake_shop(own, lambda _: encoder))
    with TestClient(app) as client, ThreadPoolExecutor(32) as threads:
        try:
            yield World(own, client, encoder, threads)
        finally:
            encoder.may.set()


def test_what_is_too_much_is_told_when_to_come_again(memory: Settings) -> None:
    with world(memory, searches=1, waiting=1, wait_seconds=PATIENCE) as shop:
        first = shop.ask()
        wait_until(lambda: shop.encoder.entered == 1)
        second = shop.ask()
        wait_until(lambda: shop.gauge('vitrine_waiting{kind="search"}') == 1)
        third = shop.ask()
        answer = second.result(PATIENCE)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) >= 1
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["type"].endswith("overloaded")
        assert "try again in" in answer.json()["detail"]
        assert shop.encoder.entered == 1
        shop.encoder.may.set()
        assert [first.result(PATIENCE).status_code, third.result(PATIENCE).status_code] == [200, 200]
        assert shop.gauge('vitrine_turned_away_total{kind="search",reason="full"}') == 1
        assert shop.gauge('vitrine_admitted_total{kind="search"}') == 2


def test_where_many_wait_who_has_waited_too_long_is_sent_away(memory: Settings) -> None:
    with world(memory, searches=1, waiting=5, wait_seconds=0.1) as shop:
        first = shop.ask()
        wait_until(lambda: shop.encoder.entered == 1)
        waiting = [shop.ask(), shop.ask()]
        away = next(as_completed(waiting, PATIENCE))
        assert away.result().status_code == 503
        shop.encoder.may.set()
        others = [first, *(one for one in waiting if one is not away)]
        assert [one.result(PATIENCE).status_code for one in others] == [200, 200]
        assert shop.ask().result(PATIENCE).status_code == 200
        assert shop.gauge('vitrine_turned_away_total{kind="search",reason="late"}') == 1


def test_as_many_more_as_there_are_places_may_wait_however_long_searches_take(memory: Settings) -> None:
    """Few who each wait for their answer are not too many for a slow machine: four on two cores, say."""
    with world(memory, searches=2, wait_seconds=0.05) as shop:
        asked = [shop.ask() for _ in range(4)]
        wait_until(lambda: shop.gauge('vitrine_waiting{kind="search"}') == 2)
        time.sleep(0.2)
        shop.encoder.may.set()
        assert [one.result(PATIENCE).status_code for one in asked] == [200] * 4


def test_cheap_and_slow_work_do_not_wait_behind_searches(memory: Settings) -> None:
    with world(memory, searches=1, waiting=0) as shop:
        first = shop.ask()
        wait_until(lambda: shop.encoder.entered == 1)
        assert shop.ask().result(PATIENCE).status_code == 503
        assert shop.client.get("/v1/health").status_code == 200
        assert shop.client.get("/v1/catalogs").status_code == 200
        assert shop.client.get("/v1/products/mug-red").status_code == 200
        assert shop.client.post("/v1/ask", json={**MUG, "question": "Which is red?"}).status_code == 409
        assert not first.done()


def test_a_search_that_took_its_time_is_not_gone_on_with(memory: Settings) -> None:
    with world(memory, seconds=0.3) as shop:
        slow = shop.ask()
        wait_until(lambda: shop.encoder.entered == 1 or slow.done())
        time.sleep(0.35)
        shop.encoder.may.set()
        answer = slow.result(PATIENCE)
        assert answer.status_code == 503
        assert answer.json()["type"].endswith("too-late")
        assert "The 0.3 s that this may take were over at" in answer.json()["detail"]


def test_there_are_threads_for_all_that_may_be_at_work(memory: Settings) -> None:
    """Fifty searches at once, more than the framework's forty threads, and something cheap beside them."""
    assert threads_for(memory.load.model_copy(update={"searches": 50})) > 50 + 2 * memory.load.slow_work
    with world(memory, searches=50) as shop, ThreadPoolExecutor(50) as crowd:
        answers = [crowd.submit(shop.client.post, "/v1/search", json=MUG) for _ in range(50)]
        wait_until(lambda: shop.encoder.entered == 50)
        assert shop.client.get("/v1/products/mug-red").status_code == 200
        shop.encoder.may.set()
        assert {answer.result(PATIENCE).status_code for answer in answers} == {200}


def test_nobodys_upload_is_read_for_nothing(memory: Settings) -> None:
    """Whoever may not do it is told so before a place is taken, and before the body is read."""
    closed = memory.access.model_copy(update={"public": ()})
    with world(memory.model_copy(update={"access": closed}), searches=1, waiting=0) as shop:
        form = {"photo": ("a.png", photo_of("red"), "image/png")}
        assert shop.client.post("/v1/search/photo", files=form).status_code == 401
        assert shop.gauge('vitrine_admitted_total{kind="search"}') == 0


def test_while_it_is_stopped_it_is_not_ready_and_answers_all_the_same(memory: Settings) -> None:
    with world(memory) as shop:
        shop.encoder.may.set()
        assert shop.client.get("/v1/ready").status_code == 200
        app = shop.client.app
        assert isinstance(app, FastAPI)
        app.state.draining = True
        told = shop.client.get("/v1/ready")
        assert (told.status_code, "being stopped" in told.json()["detail"]) == (503, True)
        assert shop.client.get("/v1/health").status_code == 200
        assert shop.ask().result(PATIENCE).status_code == 200


def test_uploads_that_fill_the_memory_they_have_leave_room_for_words(memory: Settings) -> None:
    piece = bytes(1 << 20)

    async def let_in(scope: Connection, receive: Receive, send: Send) -> None:
        await admitted(Request(scope), Work.CHEAP)

    async def outcomes() -> list[bool]:
        admission, app = Admission(let_in, memory.load), FastAPI()
        full = asyncio.Event()

        async def is_let_in(*pieces: bytes, whole: bool = True) -> bool:
            left = list(pieces)

            async def receive() -> Message:
                if not left:
                    full.set()
                    await asyncio.Event().wait()
                return {"type": "http.request", "body": left.pop(0), "more_body": bool(left) or not whole}

            async def send(message: Message) -> None: ...

            try:
                await admission({"type": "http", "app": app}, receive, send)
            except Overloaded:
                return False
            return True

        slow = asyncio.ensure_future(is_let_in(*[piece] * (MOST_HELD // len(piece)), whole=False))
        await full.wait()
        beside = [await is_let_in(bytes(ALWAYS_HELD)), await is_let_in(piece)]
        slow.cancel()
        await asyncio.wait({slow})
        return [*beside, await is_let_in(piece)]

    assert asyncio.run(outcomes()) == [True, False, True]


@pytest.fixture(scope="module")
def routes(memory: Settings) -> set[str]:
    """Of the API and of all pages, by method and template."""
    client = TestClient(app_over(memory, pages=True))
    app = client.app
    assert isinstance(app, FastAPI)
    return {f"{method} {one.path}" for one in _routes(app) for method in one.methods or ()}


def _routes(app: FastAPI) -> list[APIRoute]:
    found, left = [], list(app.routes)
    while left:
        one = left.pop()
        if isinstance(one, APIRoute):
            found.append(one)
        included = getattr(one, "original_router", None)
        left += getattr(included, "routes", [])
    return found


def test_every_line_of_the_table_is_a_route(routes: set[str]) -> None:
    assert {*SEARCHES, *SLOW, *STAFF, *UNASKED} - routes == set()


@pytest.mark.parametrize(
    ("methods", "path", "work"),
    [
        ({"POST"}, "/v1/search", Work.SEARCH),
        ({"GET", "HEAD"}, "/", Work.SEARCH),
        ({"PUT"}, "/v1/products", Work.STAFF),
        ({"POST"}, "/v1/ask", Work.SLOW),
        ({"GET"}, "/v1/health", Work.UNASKED),
        ({"GET"}, "/v1/products/{product_id:path}", Work.CHEAP),
        ({"GET"}, "/some/page/to/come", Work.CHEAP),
    ],
)
def test_what_the_table_does_not_name_is_cheap(methods: set[str], path: str, work: Work) -> None:
    assert work_of(methods, path) is work
