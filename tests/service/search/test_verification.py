"""The first results of a search, verified: what becomes of their order, and what is told."""

from collections.abc import Collection
from dataclasses import replace

import pytest

from indexer.catalog.states import RuleKind
from indexer.errors import QueryError
from indexer.settings import RerankSettings
from service.rerank.seam import Usage
from service.rerank.verdicts import Mark
from service.rerank.verifier import Verifier
from service.search.answer import Answer
from service.search.query import Query
from tests.service.rerank.witnesses import Witness
from tests.service.search.bazaar import Bazaar, ids, rule

RED_POSTER = Query(words="red poster", verify=True, group=False)


def verified(bazaar: Bazaar, witness: Witness, query: Query = RED_POSTER, **settings: object) -> Answer:
    """The witness has a say in the order of words and edits."""
    verifier = Verifier(RerankSettings.model_validate({"kinds": ("text", "edit"), "seconds": 60, **settings}), witness)
    return replace(bazaar, verifier=verifier).ask(query)


def unverified(bazaar: Bazaar, query: Query = RED_POSTER) -> list[str]:
    return bazaar.ids(replace(query, verify=False))


def refuting(*products: str) -> Witness:
    return Witness(refuting=frozenset(products))


def test_what_is_denied_falls_and_what_is_contradicted_goes_behind_the_verified_ones(bazaar: Bazaar) -> None:
    before = unverified(bazaar)
    witness = Witness(said={before[1]: Mark.NO}, refuting=frozenset({before[0]}))
    answer = verified(bazaar, witness)

    assert ids(answer) == [before[place] for place in (2, 3, 1, 4, 5, 6, 7, 0, 8, 9)]
    assert [result.rank for result in answer.results] == list(range(1, 11))


def test_the_answer_tells_who_judged_what_and_how_it_stood_before(bazaar: Bazaar) -> None:
    answer = verified(bazaar, Witness(otherwise=Mark.YES, usage=Usage(3, 5, 900, 40, 0.0123)), top_n=4)
    told = answer.verification

    assert told is not None
    assert told.by == ("zero_shot",)
    assert list(told.first_stage) == unverified(bazaar)[:4]
    assert (told.calls, told.cached, told.tokens_in, told.tokens_out, told.dollars) == (3, 5, 900, 40, 0.0123)
    assert [result.verdict is not None for result in answer.results] == [True] * 4 + [False] * 6
    verdict = answer.results[0].verdict
    assert verdict is not None
    assert ("colour", "red", Mark.YES) in [(one.field, one.value, one.mark) for one in verdict.checks]
    assert "rerank" in answer.timings_ms


@pytest.mark.parametrize(
    ("asked", "always", "wanted"), [(None, False, False), (None, True, True), (False, True, False)]
)
def test_the_settings_decide_where_the_request_does_not_say(
    bazaar: Bazaar, asked: bool | None, always: bool, wanted: bool
) -> None:
    answer = verified(bazaar, Witness(), replace(RED_POSTER, verify=asked), always=always, kinds=("edit",))
    assert (answer.verification is not None) is wanted


EDIT = Query(like="mug-red", change="but blue", group=False)


@pytest.mark.parametrize(("asked", "judged"), [(None, False), (True, True)])
def test_edits_are_verified_unasked_but_never_by_a_model_that_costs(
    bazaar: Bazaar, asked: bool | None, judged: bool
) -> None:
    local, model = Witness(), Witness("small")
    shop = replace(bazaar, verifier=Verifier(RerankSettings(seconds=60), local, model))
    answer = shop.ask(replace(EDIT, verify=asked))
    assert answer.verification is not None
    assert (len(local.cases), len(model.cases)) == (1, int(judged))


@pytest.mark.parametrize("query", [replace(EDIT, verify=False), replace(RED_POSTER, verify=None)])
def test_others_are_not(bazaar: Bazaar, query: Query) -> None:
    assert verified(bazaar, Witness(), query, kinds=("edit",)).verification is None


def test_nothing_is_left_out_unless_it_is_asked_for(bazaar: Bazaar) -> None:
    before = unverified(bazaar)
    strict = replace(RED_POSTER, verify=None, strict=True, why_not=(before[2],))
    answer = verified(bazaar, refuting(before[2]), strict)

    assert sorted(ids(verified(bazaar, refuting(before[2])))) == sorted(before)
    assert ids(answer) == [name for name in before if name != before[2]]
    assert answer.verification is not None
    assert answer.verification.dropped == (before[2],)
    assert answer.why_not[0].reason == "contradicted"


def test_a_strict_search_looks_behind_the_first_results_too(bazaar: Bazaar) -> None:
    before = unverified(bazaar)
    answer = verified(bazaar, refuting(before[9]), replace(RED_POSTER, verify=None, strict=True), top_n=2)
    assert ids(answer) == before[:9]


def test_strict_without_verification_is_a_contradiction() -> None:
    with pytest.raises(QueryError, match="strict"):
        Query(words="mug", strict=True, verify=False)


def test_the_next_page_goes_on_behind_the_page_however_it_was_turned_round(bazaar: Bazaar) -> None:
    query = replace(RED_POSTER, top_k=5)
    first = verified(bazaar, refuting(unverified(bazaar)[0]), query)
    second = verified(bazaar, refuting(), replace(query, cursor=first.next))
    strict = verified(bazaar, refuting(unverified(bazaar)[6]), replace(query, cursor=first.next, strict=True))

    assert sorted([*ids(first), *ids(second)]) == sorted(unverified(bazaar))
    assert ids(second) == unverified(bazaar)[5:]
    assert second.verification is None
    assert ids(strict) == [name for name in unverified(bazaar)[5:] if name != unverified(bazaar)[6]]


def test_pinned_products_and_sorted_pages_stay_as_they_are(bazaar: Bazaar) -> None:
    pinned = bazaar.ruled(rule(RuleKind.PIN, products=("drawer",)))
    assert ids(verified(pinned, refuting("drawer")))[0] == "drawer"

    by_price = replace(RED_POSTER, sort="price")
    before = unverified(bazaar, by_price)
    answer = verified(bazaar, refuting(before[0]), by_price)
    assert ids(answer) == before
    assert answer.results[0].verdict is not None
    assert answer.results[0].verdict.contradicted


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        (RED_POSTER, {"colour", "words"}),
        (Query(like="mug-red", change="but blue", verify=True), {"colour", "photo"}),
        (Query(like="mug-red", verify=True), {"photo"}),
    ],
)
def test_each_kind_of_query_has_its_checklist(bazaar: Bazaar, query: Query, fields: Collection[str]) -> None:
    witness = Witness()
    verified(bazaar, witness, query)
    assert {one.field for one in witness.cases[0].checklist} >= set(fields)
    assert witness.cases[0].kind is query.kind


def test_without_a_verifier_the_search_answers_and_says_so(bazaar: Bazaar) -> None:
    answer = bazaar.ask(RED_POSTER)
    assert ids(answer) == unverified(bazaar)
    assert answer.degraded == ["verification: rerank.backend is none"]


def test_ranks_are_told_before_and_after(bazaar: Bazaar) -> None:
    last = unverified(bazaar)[0]
    answer = verified(bazaar, refuting(last), replace(RED_POSTER, explain=True))
    assert answer.explain is not None
    assert answer.explain.stages[last]["reranked"] == 8
    assert answer.explain.stages[last]["fused"] == 1
