"""Letters, and how sure they are, as judgements."""

import json
import math
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.endpoint import Letter, Said
from service.rerank.confidence import judgements_of
from service.rerank.prompting import options_of
from service.rerank.verdicts import UNTOLD, Constraint, Judgement, Mark

RED, LINEN = Constraint(field="colour", value="red"), Constraint(field="material", value="linen")
NOT_RED = RED.model_copy(update={"wanted": False})


def said(answers: Mapping[str, str], chances: Mapping[str, Mapping[str, float]] | None = None) -> Said:
    """As models write it, with the log-probabilities of the letters that `chances` gives."""
    tokens: list[Letter] = []
    for name, letter in answers.items():
        tokens += [Letter(text, {text: 0.0}) for text in ("{" if not tokens else ", ", f'"{name}"', ': "')]
        shares = (chances or {}).get(name, {letter: 1.0})
        tokens += [Letter(letter, {rival: math.log(share) for rival, share in shares.items()}), Letter('"', {'"': 0.0})]
    tokens.append(Letter("}", {"}": 0.0}))
    return Said("".join(token.text for token in tokens), 100, 10, tuple(tokens) if chances else ())


def judged(answers: Said, *checklist: Constraint) -> tuple[Judgement, ...]:
    options = options_of(answers.text, checklist)
    assert options is not None
    return judgements_of(checklist, options, answers)


def test_without_probabilities_a_letter_is_as_sure_as_its_word() -> None:
    assert judged(said({"c1": "A"}), RED) == (Judgement(mark=Mark.YES, degree=1),)
    assert judged(said({"c1": "B", "c2": "C"}), RED, LINEN) == (
        Judgement(mark=Mark.PARTLY, degree=0.5),
        Judgement(mark=Mark.NO, degree=0),
    )
    assert judged(said({"c1": "D"}), RED) == (UNTOLD,)


def test_probabilities_make_the_degree_the_mean_of_what_tells_something() -> None:
    (judgement,) = judged(said({"c1": "A"}, {"c1": {"A": 0.6, "B": 0.2, "C": 0.1, "D": 0.1}}), RED)
    assert judgement.mark is Mark.YES
    assert judgement.degree == pytest.approx((0.6 + 0.5 * 0.2) / 0.9)


def test_what_cannot_be_told_most_likely_is_untold() -> None:
    assert judged(said({"c1": "D"}, {"c1": {"D": 0.5, "A": 0.4, "C": 0.1}}), RED) == (UNTOLD,)


def test_it_holds_that_something_is_not_so_where_the_answer_is_no() -> None:
    (judgement,) = judged(said({"c1": "C"}, {"c1": {"C": 0.9, "A": 0.1}}), NOT_RED)
    assert judgement.mark is Mark.YES
    assert judgement.degree == pytest.approx(0.9)
    assert judged(said({"c1": "D"}), NOT_RED) == (UNTOLD,)
    assert judged(said({"c1": "B"}), NOT_RED) == (Judgement(mark=Mark.PARTLY, degree=0.5),)


def test_each_check_has_its_own_token_in_whatever_order() -> None:
    answers = said({"c2": "C", "c1": "A"}, {"c2": {"C": 0.8, "A": 0.2}, "c1": {"A": 0.7, "C": 0.3}})
    first, second = judged(answers, RED, LINEN)
    assert first.degree == pytest.approx(0.7)
    assert second.degree == pytest.approx(0.2)


@pytest.mark.parametrize("around", [("", ""), ('"', ""), ('":"', '"'), (' "', '",'), (': "', '"}')])
def test_a_letter_may_share_its_token_with_what_is_around_it(around: tuple[str, str]) -> None:
    before, after = around
    whole = '{"c1": "A"}' if before in ("", '"', ' "', ': "') else '{"c1":"A"}'
    start, end = whole.index(f"{before}A"), whole.index("A") + 1 + len(after)
    shares = {f"{before}{letter}{after}": math.log(share) for letter, share in {"A": 0.75, "C": 0.25}.items()}
    texts = (whole[:start], whole[start:end], whole[end:])
    tokens = [Letter(text, shares if place == 1 else {text: 0.0}) for place, text in enumerate(texts) if text]
    (judgement,) = judged(Said(whole, 1, 1, tuple(tokens)), RED)
    assert judgement.degree == pytest.approx(0.75)


@pytest.mark.parametrize(
    "tokens",
    [
        (Letter("A", {"A": -0.1, "C": -3.0}),),
        (Letter('{"c1": "', {}), Letter("A", {}), Letter('"}', {})),
        (Letter('{"c1": "', {}), Letter("A", {"yes": -0.1, "BANANA": -0.2}), Letter('"}', {})),
        (Letter('{"c1": "', {}), Letter("A", {"A": math.nan, "C": math.inf}), Letter('"}', {})),
        (Letter('{"c1": "', {}), Letter("A", {"A": -1e9}), Letter('"}', {})),
    ],
    ids=["not the text", "no rivals", "no letters", "no numbers", "nothing likely"],
)
def test_probabilities_that_make_no_sense_are_not_used(tokens: tuple[Letter, ...]) -> None:
    assert judged(Said('{"c1": "A"}', 1, 1, tokens), RED) == (Judgement(mark=Mark.YES, degree=1),)


def test_an_end_mark_behind_the_answer_changes_nothing() -> None:
    answers = said({"c1": "A"}, {"c1": {"A": 0.75, "C": 0.25}})
    ended = replace(answers, letters=(*answers.letters, Letter("<|im_end|>", {})))
    assert judged(ended, RED) == judged(answers, RED)


def test_a_check_that_is_answered_twice_is_as_sure_as_its_last_word() -> None:
    text = '{"c1": "C", "c1": "A"}'
    tokens = tuple(Letter(mark, {"C": -0.1, "A": -2.5} if mark in "AC" else {mark: 0.0}) for mark in text)
    assert judged(Said(text, 1, 1, tokens), RED) == (Judgement(mark=Mark.YES, degree=1),)


@given(st.dictionaries(st.sampled_from("ABCD"), st.floats(1e-6, 1), min_size=1), st.booleans())
def test_degrees_lie_between_none_and_all_and_are_absent_for_the_untold_only(
    shares: Mapping[str, float], wanted: bool
) -> None:
    total = sum(shares.values())
    chances = {letter: min(1.0, share / total) for letter, share in shares.items()}
    likeliest = max(chances, key=chances.__getitem__)
    (judgement,) = judged(said({"c1": likeliest}, {"c1": chances}), RED if wanted else NOT_RED)
    assert (judgement.degree is None) == (judgement.mark is Mark.UNKNOWN) == (likeliest == "D")
    assert json.loads(judgement.model_dump_json())["mark"] in {mark.value for mark in Mark}
