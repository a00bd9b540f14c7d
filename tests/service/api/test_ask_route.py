"""POST /v1/ask, and the client that speaks to it."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import cast

import pytest
from starlette.testclient import TestClient

from indexer.catalog.states import Scope
from indexer.errors import ConflictError, EmptyQuery, InputError, NoEndpoint, UnavailableError, VitrineError
from indexer.settings import Settings
from service.ask.documents import AskedHit, AskRequest, End, Event, Hits, Sentence
from service.client import RemoteShop
from service.deadline import Deadline
from service.metrics import Metrics
from service.shop import Shop
from tests.service.apps import app_of, app_over, key_for
from tests.service.test_remote_options import served

EVENTS: tuple[Event, ...] = (
    Hits(hits=(AskedHit(id="lamp/äöü 50%", title="Lamp & <Söhne>"), AskedHit(id="b", title="B")), generated_by="m"),
    Sentence(text="It's bright & <warm>.", products=("lamp/äöü 50%",)),
    Sentence(text="Both are lamps.", products=("b", "lamp/äöü 50%")),
    End(unknown=False, dropped=2, degraded=("one",), calls=3, cached=1, tokens_in=10, tokens_out=5, dollars=0.25),
)
ASKED = AskRequest(
    question="Which is bright?",
    text="lamp",
    like="lamp/äöü 50%",
    change="but blue",
    where=("price<70", "colour=red|blue"),
    catalog="shop",
    top_k=3,
)


@dataclass
class Answering:
    """A shop that tells `events` and then fails with `late`, if there is one, or refuses with `refusal`."""

    events: tuple[Event, ...] = EVENTS
    refusal: VitrineError | None = None
    late: Exception | None = None
    endless: bool = False
    left: threading.Event = field(default_factory=threading.Event)
    """Nobody listens any longer."""
    asked: list[tuple[AskRequest, str]] = field(default_factory=list)
    metrics: Metrics = field(default_factory=Metrics)

    def ask(self, request: AskRequest, caller: str = "", deadline: Deadline | None = None) -> Iterator[Event]:
        self.asked.append((request, caller))
        if self.refusal is not None:
            raise self.refusal
        return self._told()

    def _told(self) -> Iterator[Event]:
        try:
            yield from self.events
            while self.endless:
                yield EVENTS[1]
                time.sleep(0.01)
        finally:
            self.left.set()
        if self.late is not None:
            raise self.late

    def close(self) -> None:
        pass


@pytest.fixture
def shop() -> Answering:
    return Answering()


@pytest.fixture
def client(shop: Answering) -> Iterator[TestClient]:
    with TestClient(app_of(shop), raise_server_exceptions=False) as client:
        yield client


def test_an_answer_comes_as_lines_of_json(client: TestClient, shop: Answering) -> None:
    answer = client.post("/v1/ask", json=ASKED.model_dump(mode="json"))
    assert answer.headers["content-type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert lines == [event.model_dump(mode="json") for event in EVENTS]
    assert [one["event"] for one in lines] == ["hits", "sentence", "sentence", "end"]
    assert lines[1] == {"event": "sentence", "text": "It's bright & <warm>.", "products": ["lamp/äöü 50%"]}
    assert shop.asked == [(ASKED, "")]


def test_each_key_has_a_budget_of_its_own(memory: Settings, shop: Answering) -> None:
    keys = [key_for(memory, Scope.SEARCH) for _ in range(2)]
    with TestClient(app_over(memory, lambda: cast(Shop, shop))) as client:
        for key in (*keys, keys[0]):
            client.post("/v1/ask", json={"question": "Which one?"}, headers=key)
    first, second, again = (caller for _, caller in shop.asked)
    assert first == again != second
    assert "" not in (first, second)
    assert not any(key["X-API-Key"] in caller for key in keys for caller in (first, second))


@pytest.mark.parametrize(
    ("refusal", "status", "type"),
    [
        (NoEndpoint("Set rerank.base_url."), HTTPStatus.CONFLICT, "no-endpoint"),
        (EmptyQuery("Say what."), HTTPStatus.UNPROCESSABLE_ENTITY, "empty-query"),
    ],
)
def test_what_is_refused_is_a_problem_document(
    client: TestClient, shop: Answering, refusal: VitrineError, status: HTTPStatus, type: str
) -> None:
    shop.refusal = refusal
    answer = client.post("/v1/ask", json={"question": "Which one?"})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["type"] == f"urn:vitrine:problem:{type}"


def test_without_an_endpoint_the_route_says_what_to_set(memory: Settings) -> None:
    with TestClient(app_over(memory)) as client:
        answer = client.post("/v1/ask", json={"question": "Which mug is red?"})
    assert (answer.status_code, answer.json()["type"]) == (HTTPStatus.CONFLICT, "urn:vitrine:problem:no-endpoint")
    assert "VITRINE_RERANK__BASE_URL" in answer.json()["detail"]


@pytest.mark.parametrize(
    "wrong",
    [{"question": " "}, {"question": "x" * 301}, {"top_k": 9}, {"top_k": 0}, {"verify": True}, {"where": ["x"] * 51}],
)
def test_what_is_no_question_is_refused(client: TestClient, shop: Answering, wrong: dict[str, object]) -> None:
    answer = client.post("/v1/ask", json={"question": "Which one?", **wrong})
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert answer.json()["type"] == "urn:vitrine:problem:invalid-request"
    assert shop.asked == []


@pytest.fixture(scope="module")
def remote_shop() -> Answering:
    return Answering()


@pytest.fixture(scope="module")
def remote(remote_shop: Answering) -> Iterator[RemoteShop]:
    with served(app_of(remote_shop)) as remote:
        yield remote


def test_the_client_hears_the_same_events(remote: RemoteShop, remote_shop: Answering) -> None:
    assert tuple(remote.ask(ASKED)) == EVENTS
    assert remote_shop.asked[-1] == (ASKED, "")


@pytest.mark.parametrize(
    ("refusal", "kind"), [(NoEndpoint("Set it."), ConflictError), (EmptyQuery("Say what."), InputError)]
)
def test_the_client_is_refused_with_the_same_words(
    remote: RemoteShop, remote_shop: Answering, refusal: VitrineError, kind: type[VitrineError]
) -> None:
    remote_shop.refusal = refusal
    with pytest.raises(kind, match=str(refusal)):
        list(remote.ask(ASKED))
    remote_shop.refusal = None


def test_the_client_says_that_an_answer_broke_off(remote: RemoteShop, remote_shop: Answering) -> None:
    remote_shop.late = RuntimeError()
    events = remote.ask(ASKED)
    assert next(events) == EVENTS[0]
    with pytest.raises(UnavailableError, match="broke off"):
        list(events)
    remote_shop.late = None


def test_events_arrive_while_others_are_to_come_and_who_leaves_ends_them(
    remote: RemoteShop, remote_shop: Answering
) -> None:
    remote_shop.endless = True
    remote_shop.left.clear()
    events = remote.ask(ASKED)
    assert [next(events) for _ in range(3)] == list(EVENTS[:3])
    assert not remote_shop.left.is_set()
    events.close()
    assert remote_shop.left.wait(30)
    remote_shop.endless = False
