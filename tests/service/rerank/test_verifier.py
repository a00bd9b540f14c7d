"""Two witnesses: one that cannot be talked to, and a model that can."""

import time
from collections.abc import Sequence

import pytest

from indexer.domain import Product, QueryKind
from indexer.settings import RerankSettings
from service.rerank.seam import Candidate, Case, Opinions, Usage
from service.rerank.verdicts import WORDS, Constraint, Mark
from service.rerank.verifier import MAX_CONSTRAINTS, Verified, Verifier, merged
from tests.fakes import FakeEncoder
from tests.service.rerank.witnesses import Witness
from tests.service.search.understanding.shop import SHOP

BLUE = Constraint(field="colour", value="blue")
LIKE = Constraint(field="kind", value="mug", stated=False)
IDS = tuple("abcdefgh")
MOVES = RerankSettings(kinds=(QueryKind.TEXT,))
"""The local witness has a say in the order of what these tests ask."""


def case(*checklist: Constraint, words: str = "blue mug") -> Case:
    return Case(QueryKind.TEXT, words, checklist or (BLUE,), SHOP, FakeEncoder())


def candidates(ids: Sequence[str] = IDS) -> list[Candidate]:
    return [Candidate(Product(id=name, title=name), "", None, {}) for name in ids]


def order(verified: Verified, ids: Sequence[str] = IDS) -> str:
    return "".join(ids[place] for place in verified.order)


def verify(verifier: Verifier, asked: Case | None = None) -> Verified:
    return verifier.verify(asked or case(), candidates(), [False] * len(IDS))


class TestAlone:
    def test_who_is_denied_something_falls_behind_and_what_is_refuted_goes_to_the_end(self) -> None:
        local = Witness(said={"b": Mark.NO, "a": Mark.NO}, refuting=frozenset("a"))
        verified = verify(Verifier(MOVES, local))

        assert order(verified) == "cbdefgha"
        assert verified.by == ("zero_shot",)
        assert [one.lift for one in verified.verdicts] == [1, 1, 3, 3, 3, 3, 3, 3]
        assert [one.contradicted for one in verified.verdicts] == [True] + [False] * 7

    def test_no_is_no_contradiction_unless_it_is_certain_and_was_asked_for(self) -> None:
        local = Witness(otherwise=Mark.NO, refuting=frozenset("a"))
        assert order(verify(Verifier(MOVES, local), case(LIKE))) == "".join(IDS)

    @pytest.mark.parametrize("mark", [Mark.YES, Mark.PARTLY, Mark.UNKNOWN])
    def test_what_holds_and_what_cannot_be_told_count_the_same(self, mark: Mark) -> None:
        verified = verify(Verifier(MOVES, Witness(said={"h": Mark.YES}, otherwise=mark)))
        assert order(verified) == "".join(IDS)

    def test_of_other_kinds_of_queries_it_gives_marks_and_moves_nothing(self) -> None:
        local = Witness(said={"b": Mark.NO}, refuting=frozenset("a"))
        verified = verify(Verifier(RerankSettings(), local))
        assert order(verified) == "".join(IDS)
        assert [one.contradicted for one in verified.verdicts] == [True] + [False] * 7

    def test_a_fixed_product_stays(self) -> None:
        local = Witness(said={"d": Mark.NO}, refuting=frozenset("a"))
        verified = Verifier(MOVES, local).verify(case(), candidates(), [True, *[False] * 7])
        assert order(verified) == "abcedfgh"


class TestWithAModel:
    def test_its_no_costs_two_places_after_the_other_witness(self) -> None:
        model = Witness("small", said={"a": Mark.NO, "d": Mark.PARTLY}, otherwise=Mark.YES)
        verified = verify(Verifier(MOVES, Witness(), model))
        assert order(verified) == "bacdefgh"
        assert [one.model_lift for one in verified.verdicts] == [0, 2, 2, 1, 2, 2, 2, 2]
        assert verified.by == ("zero_shot", "small")

    def test_it_cannot_talk_a_contradiction_away_nor_make_one(self) -> None:
        local = Witness(refuting=frozenset("a"))
        model = Witness("small", {"a": Mark.YES, "b": Mark.NO}, otherwise=Mark.YES)
        verified = verify(Verifier(MOVES, local, model))

        assert order(verified) == "cbdefgha"
        assert [one.checks[0].mark for one in verified.verdicts][:3] == [Mark.NO, Mark.NO, Mark.YES]

    def test_what_the_shop_says_itself_it_does_not_talk_down(self) -> None:
        local = Witness(confirming=frozenset("a"), otherwise=Mark.YES)
        verified = verify(Verifier(MOVES, local, Witness("small", {"a": Mark.NO}, otherwise=Mark.YES)))
        assert order(verified) == "".join(IDS)
        assert verified.verdicts[0].checks[0].mark is Mark.YES

    def test_it_makes_one_where_the_settings_believe_it(self) -> None:
        settings = RerankSettings(kinds=(QueryKind.TEXT,), contradictions="any")
        verified = verify(Verifier(settings, Witness(), Witness("small", {"b": Mark.NO})))
        assert order(verified) == "acdefghb"

    @pytest.mark.parametrize("local", [Witness(refuting=frozenset("a")), Witness(said={"d": Mark.NO})])
    def test_a_model_that_says_nothing_at_all_leaves_the_order_that_was_and_it_is_said(self, local: Witness) -> None:
        model = Witness("small", otherwise=None, skipped=("it is away",))
        verified = verify(Verifier(MOVES, local, model))

        assert list(verified.order) == list(verify(Verifier(MOVES, local)).order)
        assert (verified.by, verified.skipped, verified.unjudged) == (("zero_shot",), ("it is away",), 8)
        assert {one.model_lift for one in verified.verdicts} == {None}

    def test_results_that_were_not_judged_in_time_lose_nothing_by_it(self) -> None:
        model = Witness("small", said={"c": Mark.NO, "h": Mark.YES}, otherwise=None, usage=Usage(calls=8, dollars=0.01))
        verified = verify(Verifier(MOVES, Witness(refuting=frozenset("a")), model))

        assert order(verified) == "bdcefgha"
        assert (verified.unjudged, verified.usage.calls) == (6, 8)
        assert [one.by for one in verified.verdicts][1:3] == [("zero_shot",), ("zero_shot", "small")]

    def test_what_it_reads_out_of_the_words_is_checked_too(self) -> None:
        model = Witness("small", reads=(Constraint(field="other", value="red laces"), BLUE))
        asked = case(BLUE, Constraint(field=WORDS, value="blue boot with red laces"))
        verified = verify(Verifier(MOVES, Witness(), model), asked)
        assert verified.usage.calls == 1
        assert [one.value for one in model.cases[0].checklist] == ["blue", "blue boot with red laces", "red laces"]

    @pytest.mark.parametrize(("settings", "words"), [(RerankSettings(read_queries=False), "blue mug"), (MOVES, "")])
    def test_nothing_is_read_without_words_or_where_it_is_not_wanted(
        self, settings: RerankSettings, words: str
    ) -> None:
        model = Witness("small", reads=(LIKE,))
        verify(Verifier(settings, Witness(), model), case(BLUE, words=words))
        assert model.cases[0].checklist == (BLUE,)


def test_it_has_what_is_left_of_the_search_where_that_is_less() -> None:
    patient = Timed()
    verifier = Verifier(RerankSettings(seconds=50), patient)
    for seconds in (7.0, 1_000.0):
        verifier.verify(case(), candidates(), [False] * len(IDS), seconds=seconds)
    assert [round(left) for left in patient.left] == [7, 50]


class Timed(Witness):
    """Notes how long it has."""

    def __init__(self) -> None:
        super().__init__()
        self.left: list[float] = []

    def rerank(self, case: Case, candidates: Sequence[Candidate], until: float) -> Opinions:
        self.left.append(until - time.monotonic())
        return super().rerank(case, candidates, until)


def test_a_checklist_is_kept_short() -> None:
    many = tuple(Constraint(field="other", value=str(number)) for number in range(20))
    assert len(merged((BLUE,), many)) == MAX_CONSTRAINTS
