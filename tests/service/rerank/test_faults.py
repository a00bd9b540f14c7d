"""Whatever an endpoint does wrong, an answer comes in time and says so."""

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from indexer.catalog.engine import Database
from indexer.settings import BudgetSettings
from service.rerank.verdicts import Mark
from tests.deadlines import late
from tests.faults.extents import extents
from tests.openai_server import ENDLESS, FAULTS, Reply, Request, saying
from tests.service.rerank.judging import FREE, Bench, answers, asked_for, bench, image_of, marks, told, yes

SECONDS = 0.6
GRACE = 10.0
"""Seconds past the deadline in which a busy machine gets to it; what hangs does so for a minute."""

ANY = {**FAULTS, **ENDLESS}


@pytest.fixture
def judge(ledger: Database) -> Iterator[Bench]:
    with bench(ledger) as one:
        yield one


@pytest.mark.parametrize(("fault", "seconds"), [*((one, 60.0) for one in FAULTS), *((one, SECONDS) for one in ENDLESS)])
def test_an_endpoint_at_fault_has_no_opinion_soon_and_it_is_said(judge: Bench, fault: str, seconds: float) -> None:
    """At once, or, where that has no end, by the deadline."""
    judge.server.answer = lambda request: ANY[fault]()
    started = time.monotonic()
    opinions = judge.judge(asked_for(words=fault), seconds=seconds)

    assert time.monotonic() - started < SECONDS + GRACE
    assert marks(opinions) == [None] * 8
    assert sum(int(said.split()[1]) for said in opinions.skipped) == 8
    assert all(said.startswith("verification: ") for said in opinions.skipped)


def others_yes(fault: str) -> Callable[[Request], Reply]:
    return lambda request: ANY[fault]() if told(request)["product"] == "Mug b" else yes(request)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_one_product_leaves_the_others_their_opinions(judge: Bench, fault: str) -> None:
    judge.server.answer = others_yes(fault)
    opinions = judge.judge(asked_for(words=f"one {fault}"), "abcd")
    assert [one is None for one in opinions.opinions] == [False, True, False, False]
    (said,) = opinions.skipped
    assert said.startswith("verification: 1 of 4 results were not verified: ")


@pytest.mark.parametrize("fault", ENDLESS)
def test_so_does_one_that_has_no_end(judge: Bench, fault: str) -> None:
    judge.server.answer = others_yes(fault)
    judged = late(
        lambda seconds: judge.judge(asked_for(words=f"one {fault}"), "abcd", seconds),
        lambda judged: [one is None for one in judged.opinions] == [False, True, False, False],
    )
    assert judged.skipped == ("verification: 1 of 4 results were not verified in time",)


@pytest.mark.parametrize(("fault", "seconds"), [*((one, 60.0) for one in FAULTS), *((one, SECONDS) for one in ENDLESS)])
def test_words_are_not_read_then(judge: Bench, fault: str, seconds: float) -> None:
    judge.server.answer = lambda request: ANY[fault]()
    started = time.monotonic()
    assert judge.model.read(f"red {fault}", ["colour"], "", started + seconds).checklist == ()
    assert time.monotonic() - started < SECONDS + GRACE


def test_an_endpoint_that_is_not_there_is_said_at_once(ledger: Database) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
    with bench(ledger, address=nobody) as judge:
        started = time.monotonic()
        (said,) = judge.judge(asked_for(words="nobody there"), "ab").skipped
        assert time.monotonic() - started < GRACE
        assert said.startswith("verification: 2 of 2 results were not verified: the endpoint could not be reached")


@pytest.mark.parametrize("requests", extents((50,), (1_000,)))
def test_many_requests_on_an_empty_budget_ask_nothing(ledger: Database, requests: int) -> None:
    with bench(ledger, budget=BudgetSettings(per_day=0.000_001)) as judge:
        case = asked_for(words="too dear")
        said = {judge.judge(case, "a").skipped for _ in range(requests)}
        assert said == {("verification: 1 of 1 results were not verified: today's budget is used up",)}
        assert judge.server.asked == []
        assert judge.server.connections == 0


def test_a_budget_is_not_exceeded_by_many_searches_at_once(ledger: Database) -> None:
    with bench(ledger) as judge:
        judge.server.always(saying('{"c1": "A", "c2": "A"}', tokens=None))
        spent = judge.governor.spent()
        one = judge.judge(asked_for(words="how much is one"), "a").usage.dollars
    with bench(ledger, budget=BudgetSettings(per_day=spent + 11.5 * one)) as judge:
        judge.server.always(saying('{"c1": "A", "c2": "A"}', tokens=None))
        with ThreadPoolExecutor(8) as threads:
            cases = [asked_for(words=f"many at once {place}") for place in range(10, 34)]
            list(threads.map(lambda case: judge.judge(case, "ab"), cases))
        for place in range(34, 40):  # what the others left while the database was busy
            judge.judge(asked_for(words=f"many at once {place}"), "ab")
        assert len(judge.server.asked) == 10
        assert judge.governor.spent() <= spent + 11.5 * one


def test_searches_at_once_get_each_its_own_answers(ledger: Database) -> None:
    with bench(ledger, price=FREE) as judge:
        judge.server.answer = answers(
            lambda request, question: "A" if told(request)["shopper"].endswith(told(request)["product"][-1]) else "C"
        )
        with ThreadPoolExecutor(4) as threads:
            cases = [asked_for(words=f"the one and only {id}") for id in "abcdefgh"]
            judged = list(threads.map(judge.judge, cases))
        for place, opinions in enumerate(judged):
            assert [one == [Mark.YES] * 2 for one in marks(opinions)] == [other == place for other in range(8)]


def test_a_deadline_in_the_middle_of_photos_judges_those_that_came(ledger: Database) -> None:
    with bench(ledger, settings={"concurrency": 1}) as judge:
        judge.photos.hanging = [image_of(id) for id in "cdefgh"]
        judged = late(
            lambda seconds: judge.judge(asked_for(words="slow photos"), seconds=seconds),
            lambda judged: marks(judged) == [[Mark.YES] * 2] * 2 + [None] * 6,
        )
        assert judged.skipped == ("verification: 6 of 8 results were not verified in time",)
