"""Whole searches that an endpoint verifies: what comes of them when it is right, at fault, talkative or too dear."""

import json
import logging
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from indexer.bootstrap import open_catalogue
from indexer.images.decoders import DecoderPool
from indexer.settings import Settings
from service.ask.documents import AskRequest, Hits
from service.bootstrap import open_line, open_speaker, open_verifier
from service.photos import CataloguePhotos
from service.request import SearchRequest
from service.search.answer import Answer
from service.shop import Shop
from tests.deadlines import late
from tests.fakes import FakeEncoder
from tests.openai_server import ENDLESS, FAULTS, OpenAiServer, Reply, Request, answering, saying
from tests.service.ask.asked import line
from tests.service.ask.asked import told as said
from tests.service.rerank.judging import checks_in, told
from tests.service.worlds import photo_of, settings_of

RED_MUG = SearchRequest(text="red mug", verify=True, group=False)
EDIT = SearchRequest(like="mug-red", change="but blue", verify=True, group=False)


@pytest.fixture(scope="module")
def verified_home(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the small shop, as verdicts and what they cost are written down."""
    return shutil.copytree(home, tmp_path_factory.mktemp("verified") / "home")


@pytest.fixture
def server() -> Iterator[OpenAiServer]:
    with OpenAiServer() as server:
        yield server


@contextmanager
def opened(home: Path, server: OpenAiServer, budget: object = None, **rerank: object) -> Iterator[Shop]:
    """Its first photo is decoded, as a service's is before it is asked."""
    named = {"base_url": server.url, "model": "small", "side": 64, "read_queries": False, "api_key": "sk-very-secret"}
    settings = settings_of(home, store={"kind": "memory"}, rerank={**named, **rerank}, budget=budget or {})
    with _shop(settings) as shop:
        shop.warm()
        yield shop


def _shop(settings: Settings) -> Shop:
    database, decoders = open_catalogue(settings), DecoderPool.of(settings.images)
    photos = CataloguePhotos(database, decoders)
    line = open_line(settings, database)
    return Shop(
        database,
        settings,
        lambda manifest: FakeEncoder(),
        decoders,
        photos=photos,
        verifier=open_verifier(settings, line, photos),
        speaker=open_speaker(settings.rerank, line),
    )


def truthful(request: Request) -> Reply:
    """By the product's own words."""
    product = told(request)["product"].casefold()
    return answering({name: "A" if value in product else "C" for name, value in _wanted(request).items()})


def _wanted(request: Request) -> dict[str, str]:
    return {name: text.casefold().split()[-1].strip('."') for name, text in checks_in(request).items()}


def ids(answer: Answer) -> list[str]:
    return [result.id for result in answer.results]


def unverified(shop: Shop, request: SearchRequest) -> list[str]:
    """As the witness leaves it that needs no endpoint."""
    return ids(shop.search(request.model_copy(update={"verify": None if request.change else False})))


def test_words_photos_and_edits_are_judged_with_the_photos_they_need(verified_home: Path, server: OpenAiServer) -> None:
    server.answer = lambda request: answering(dict.fromkeys(checks_in(request), "A"))
    with opened(verified_home, server, seconds=20, top_n=3) as shop:
        for request, photo, pictures in ((RED_MUG, None, 1), (EDIT, None, 2), (SearchRequest(verify=True), "red", 2)):
            asked = len(server.asked)
            answer = shop.search(request, None if photo is None else photo_of(photo, 77))
            assert answer.verification is not None
            assert (answer.verification.by, answer.verification.calls) == (("zero_shot", "small"), 3)
            assert max(len(one.pictures) for one in server.asked[asked:]) == pictures
            assert answer.degraded == []
            assert all(result.verdict for result in answer.results[:3])


def test_a_second_search_asks_nothing_and_says_the_same(verified_home: Path, server: OpenAiServer) -> None:
    server.answer = truthful
    with opened(verified_home, server, seconds=20, model="rereading") as shop:
        first, second = shop.search(RED_MUG), shop.search(RED_MUG)
        assert first.verification is not None
        assert second.verification is not None
        assert (second.verification.calls, second.verification.cached) == (0, first.verification.calls)
        assert [one.verdict for one in second.results] == [one.verdict for one in first.results]


def assert_unverified(
    home: Path, server: OpenAiServer, request: SearchRequest, fault: str, seconds: float, grace: float
) -> None:
    """The search answers within its seconds and some grace, as without the endpoint, and says so."""
    with opened(home, server, seconds=seconds, model=fault) as shop:
        before = unverified(shop, request)
        started = time.monotonic()
        answer = shop.search(request)
        assert time.monotonic() - started < seconds + grace
    assert ids(answer) == before
    assert any(one.startswith("verification: ") for one in answer.degraded)


@pytest.mark.parametrize("fault", ["429 for an hour", "cut connection", "answer is no JSON", "refusal"])
def test_whatever_the_endpoint_does_wrong_the_search_answers_and_says_so(
    verified_home: Path, server: OpenAiServer, fault: str
) -> None:
    server.answer = lambda _: FAULTS[fault]()
    assert_unverified(verified_home, server, RED_MUG, fault, 20.0, grace=-5.0)


@pytest.mark.parametrize(
    ("fault", "request_"),
    [("slow", RED_MUG), ("slow", EDIT), ("endless trickle", RED_MUG)],
    ids=["slow words", "slow edit", "trickle"],
)
def test_where_the_endpoint_comes_to_no_end_the_search_answers_in_time_and_says_so(
    verified_home: Path, server: OpenAiServer, fault: str, request_: SearchRequest
) -> None:
    server.answer = lambda _: ENDLESS[fault]()
    late(
        lambda seconds: assert_unverified(verified_home, server, request_, fault, seconds, 10.0),
        lambda _: bool(server.asked),
    )


def test_an_exhausted_budget_makes_no_call_and_the_search_answers(verified_home: Path, server: OpenAiServer) -> None:
    with opened(verified_home, server, {"per_day": 0, "prices": {"small": {"input": 1, "output": 1}}}) as shop:
        for number in range(10):
            answer = shop.search(RED_MUG.model_copy(update={"text": f"red mug {number}"}))
            assert ids(answer)
            assert "today's budget is used up" in answer.degraded[0]
    assert server.asked == []


def test_neither_the_models_text_nor_the_key_comes_out_anywhere(
    verified_home: Path, server: OpenAiServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.answer = lambda request: saying(json.dumps({"c1": "A", "id": "somebody-elses", "why": "PWNED"}))
    with opened(verified_home, server, seconds=60, model="talking") as shop, caplog.at_level(logging.DEBUG):
        answer = shop.search(RED_MUG)
    assert not [word for word in ("PWNED", "somebody", "secret") if word in answer.model_dump_json() + caplog.text]
    assert all(one.headers["authorization"] == "Bearer sk-very-secret" for one in server.asked)


def test_callers_have_budgets_of_their_own(verified_home: Path, server: OpenAiServer) -> None:
    server.answer = truthful
    budget = {"per_key": 0, "prices": {"small": {"input": 1, "output": 1}}}
    with opened(verified_home, server, budget, seconds=20) as shop:
        named, nameless = (shop.search(EDIT, caller=caller) for caller in ("ann", ""))
    assert "the caller's budget for today is used up" in named.degraded[0]
    assert nameless.degraded == []


@pytest.mark.parametrize(
    ("text", "where", "expected"),
    [("blue mug", ("colour=red|blue",), {"mug-blue", "shoe-blue"}), ("yellow mug", ("colour=red",), {"mug-red"})],
    ids=["the others are left", "all are, where none is left"],
)
def test_a_question_is_about_hits_that_are_not_contradicted(
    verified_home: Path, server: OpenAiServer, text: str, where: tuple[str, ...], expected: set[str]
) -> None:
    server.answer = lambda request: truthful(request) if request.schema else said(line("Fine.", 1))
    with opened(verified_home, server, seconds=20, model="asked") as shop:
        events = [*shop.ask(AskRequest(question="Which is nicest?", text=text, where=where, top_k=8))]
    assert isinstance(events[0], Hits)
    assert expected <= {one.id for one in events[0].hits}
    assert "mug-red" not in {one.id for one in events[0].hits} - expected
