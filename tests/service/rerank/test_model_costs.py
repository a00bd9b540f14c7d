"""A model as the judge: what is remembered, what it costs, and when it is left alone."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from indexer.catalog.engine import Database, open_database
from indexer.domain import QueryKind
from indexer.settings import BudgetSettings
from service.rerank.seam import Candidate, Case, Opinions, Usage
from service.rerank.verdicts import Mark
from tests.deadlines import late
from tests.openai_server import Reply, Request, failing, graded, saying, slow
from tests.service.rerank.judging import (
    FREE,
    LOOKS,
    MUG,
    RED,
    Bench,
    asked_for,
    bench,
    candidate,
    image_of,
    marks,
    product,
    told,
    yes,
)
from tests.service.worlds import picture

YES, NO = Mark.YES, Mark.NO
ELSEWHERE = "http://models.example/v1"
"""What the settings say, for judges whose endpoints are one and the same."""


class TestRemembering:
    def test_what_was_judged_is_neither_asked_nor_looked_at_again(self, database: Database) -> None:
        case = asked_for(LOOKS, RED, kind=QueryKind.EDIT, words="but red", reference=product("start"))
        with bench(database, settings={"base_url": ELSEWHERE}) as first:
            first.server.answer = lambda request: graded({"c1": {"A": 0.6, "B": 0.4}, "c2": {"D": 1.0}})
            judged = first.judge(case, "ab")
            assert judged.usage.calls == 2
        with bench(database, settings={"base_url": ELSEWHERE}) as again:
            assert again.judge(case, "ab") == Opinions(judged.opinions, usage=Usage(cached=2))
            assert again.server.asked == []
            assert again.photos.asked == []

    @pytest.mark.parametrize(
        "case",
        [
            asked_for(words="red mugs"),
            asked_for(RED),
            asked_for(RED, MUG.model_copy(update={"value": "cup"})),
            asked_for(RED.model_copy(update={"wanted": False}), MUG),
            asked_for(LOOKS, kind=QueryKind.EDIT),
            asked_for(kind=QueryKind.PHOTO, view=picture("red")),
            asked_for(kind=QueryKind.PHOTO, reference=product("start")),
        ],
    )
    def test_another_question_is_asked(self, judge: Bench, case: Case) -> None:
        judge.judge(asked_for(), "a")
        assert judge.judge(asked_for(), "a").usage == Usage(cached=1)
        assert judge.judge(case, "a").usage.calls == 1

    def test_a_product_with_another_text_or_photo_is_asked_about(self, judge: Bench) -> None:
        before = candidate("a")
        retitled = replace(before, product=replace(before.product, title="Red mug"))
        dearer = replace(before, product=replace(before.product, price=None))
        judge.judge(asked_for(), "a")

        def usage(one: Candidate) -> Usage:
            return judge.model.rerank(asked_for(), [one], time.monotonic() + 30).usage

        assert usage(retitled).calls == 1
        assert usage(dearer) == Usage(cached=1), "nothing that the model sees has changed"
        judge.photos.hashed[image_of("a")] = "another"
        assert usage(before).calls == 1

    def test_another_view_of_the_model_is_asked(self, database: Database) -> None:
        for settings in ({"model": "other"}, {"detail": "high"}, {"side": 128}, {"logprobs": False}, {}):
            with bench(database, settings={"base_url": ELSEWHERE, **settings}) as judge:
                assert judge.judge(asked_for(), "a").usage.calls == 1, settings

    def test_photos_that_are_not_known_by_their_contents_are_judged_anew(self, judge: Bench) -> None:
        judge.photos.hashed[image_of("a")] = None
        for _ in range(2):
            assert judge.judge(asked_for(), "ab").usage.calls >= 1
        assert judge.judge(asked_for(), "ab").usage.cached == 1

    def test_no_opinion_is_remembered_of_an_answer_that_was_none(self, judge: Bench) -> None:
        judge.server.always(saying("Certainly!"))
        assert judge.judge(asked_for(), "a").skipped == (
            "verification: 1 of 1 results were not verified: the model gave no usable answer",
        )
        judge.server.answer = yes
        assert judge.judge(asked_for(), "a").usage.calls == 1


class TestMoney:
    def test_what_was_used_is_counted_and_paid(self, judge: Bench) -> None:
        usage = judge.judge(asked_for(caller="key"), "abc").usage
        assert replace(usage, dollars=0) == Usage(calls=3, tokens_in=300, tokens_out=60)
        assert usage.dollars == pytest.approx(360e-6)
        assert judge.governor.spent() == pytest.approx(360e-6, abs=2e-6)
        assert judge.governor.spent("key") == pytest.approx(360e-6, abs=2e-6)

    def test_an_answer_whose_use_is_not_told_counts_as_estimated(self, judge: Bench) -> None:
        judge.server.always(saying('{"c1": "A", "c2": "A"}', tokens=None))
        estimated = judge.judge(asked_for(), "a").usage.dollars
        assert 360e-6 < estimated < 0.002
        assert judge.governor.spent() == pytest.approx(estimated, abs=2e-6)

    def test_an_error_costs_nothing_and_a_late_answer_what_was_estimated(self, judge: Bench) -> None:
        judge.server.always(failing(404))
        assert judge.judge(asked_for(), "a").usage == Usage(calls=1)
        assert judge.governor.spent() == 0
        judge.server.always(slow(60, saying("")))
        judge.server.asked.clear()
        judged = late(lambda seconds: judge.judge(asked_for(), "a", seconds), lambda _: bool(judge.server.asked))
        assert judged.usage.dollars > 0

    def test_as_many_are_judged_as_there_is_money_for_from_the_first(self, database: Database) -> None:
        with bench(database) as judge:
            judge.server.always(saying('{"c1": "A", "c2": "A"}', tokens=None))
            one = judge.judge(asked_for(words="how much"), "a").usage.dollars
        with bench(database, budget=BudgetSettings(per_request=3.5 * one)) as judge:
            opinions = judge.judge(asked_for(), "abcdefgh")
            assert [place is None for place in marks(opinions)] == [False] * 3 + [True] * 5
            (said,) = opinions.skipped
            assert said.startswith("verification: 5 of 8 results were not verified: ")
            assert len(judge.server.asked) == 3

    def test_a_budget_that_cannot_be_read_is_none_and_ones_own_machine_needs_none(self, tmp_path: Path) -> None:
        nowhere = open_database(f"sqlite:///{tmp_path}/nowhere/c.db")
        with bench(nowhere) as judge:
            (said,) = judge.judge(asked_for(), "ab").skipped
            assert said == "verification: 2 of 2 results were not verified: the budget cannot be read"
            assert judge.server.asked == []
        with bench(nowhere, price=FREE) as judge:
            assert marks(judge.judge(asked_for(), "a")) == [[YES, YES]]


class TestResting:
    def test_an_endpoint_that_keeps_failing_is_left_alone(self, judge: Bench) -> None:
        judge.server.always(failing(401))
        failed = judge.judge(asked_for(), "abcdefgh")
        assert failed.skipped[0].endswith("the endpoint answered with status 401")
        asked = len(judge.server.asked)
        assert judge.judge(asked_for(), "abc").skipped == (
            "verification: 3 of 3 results were not verified: the endpoint kept failing and is left alone for a while",
        )
        assert len(judge.server.asked) == asked
        assert judge.governor.spent() == 0

    def test_one_that_answers_some_in_time_is_not(self, database: Database) -> None:
        """Those that began too late to be answered say nothing of its health."""

        def answer(request: Request) -> Reply:
            return yes(request) if told(request)["product"] in ("Mug a", "Mug b") else slow(60, yes(request))

        with bench(database, settings={"concurrency": 2}) as judge:
            judge.server.answer = answer
            late(
                lambda seconds: judge.judge(asked_for(), "abcdefghijkl", seconds).opinions,
                lambda opinions: [one is not None for one in opinions] == [True] * 2 + [False] * 10,
            )
            assert judge.breaker.allows()

    def test_after_its_rest_it_is_asked_once_and_then_again_as_before(self, database: Database) -> None:
        now = [0.0]
        with bench(database, clock=lambda: now[0]) as judge:
            judge.server.always(failing(401))
            judge.judge(asked_for(), "abcdefgh")
            now[0] += 31
            before = len(judge.server.asked)
            judge.judge(asked_for(), "abcdefgh")
            assert len(judge.server.asked) == before + 1, "one probe"
            now[0] += 31
            judge.server.answer = yes
            assert judge.judge(asked_for(), "abcdefgh").opinions != (None,) * 8
            assert None not in judge.judge(asked_for(), "abcdefgh").opinions
