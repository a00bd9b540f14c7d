"""What suites say of two runs, without a shop."""

import pytest

from eval.errors import MeasureError
from eval.gating.findings import figure, listed, signed
from eval.gating.suites import check_canaries, check_floor, compare, overlap
from eval.measures import Run
from eval.suites.suite import Suite, SuiteCard, SuiteQuery

CARD = SuiteCard(name="text", description="d", licence="none", protocol="p", catalog="shop")
RIGHT = {"right": 1.0}
WRONG = {"wrong": 1.0}
LATE = {**{f"other-{n}": 2.0 for n in range(9)}, "right": 1.0}
"""The tenth of ten."""
TOO_LATE = {**LATE, "other-9": 2.0}


def suite_of(count: int) -> Suite:
    queries = tuple(SuiteQuery(id=f"q{n}", text=f"words {n}", hard_negatives=("wrong",)) for n in range(count))
    return Suite(CARD, queries, {query.id: {"right": 1, "wrong": 0} for query in queries})


def run_of(*answers: dict[str, float]) -> Run:
    return {f"q{n}": answer for n, answer in enumerate(answers)}


def test_a_canary_lives_while_a_right_product_is_among_the_first_ten() -> None:
    alive = check_canaries(suite_of(2), run_of(RIGHT, LATE), gone=())
    assert (alive.reasons, alive.figures) == ((), {"canaries text": 1.0})

    dead = check_canaries(suite_of(4), run_of(RIGHT, TOO_LATE, WRONG), gone=())
    assert dead.figures == {"canaries text": 0.25}
    assert "3 of 4 canaries" in dead.reasons[0]
    assert "'words 1' (wants right), 'words 2' (wants right), 'words 3' (wants right)" in dead.reasons[0]


def test_a_loss_is_refused_when_it_is_sure_and_above_what_is_borne() -> None:
    suite, before, after = suite_of(20), run_of(*[RIGHT] * 20), run_of(*[RIGHT] * 10, *[WRONG] * 10)
    found = compare(suite, before, after, "Success@1", 0.01)
    assert found.figures == {"text Success@1 published": 1.0, "text Success@1 gain": -0.5}
    (reason,) = found.reasons
    assert reason.startswith("Success@1 on suite text went from 1.00 to .50 (−.50 [−.70, −.30]); most lost: 'words 10'")
    assert reason.endswith("'words 14' 1.00 → .00 and 5 more.")
    assert compare(suite, before, after, "Success@1", 0.5).reasons == ()


def test_a_loss_that_may_be_chance_passes() -> None:
    before, after = run_of(*[RIGHT] * 20), run_of(*[RIGHT] * 18, WRONG, WRONG)
    one_back = {**after, "q0": RIGHT}
    assert compare(suite_of(20), {**before, "q0": WRONG}, one_back, "Success@1", 0.01).reasons == ()
    assert compare(suite_of(1), run_of(RIGHT), run_of(WRONG), "Success@1", 0.01).reasons == (), (
        "one query shows nothing"
    )


def test_a_gain_and_no_change_pass() -> None:
    worse, better = run_of(*[WRONG] * 9), run_of(*[RIGHT] * 9)
    assert compare(suite_of(9), worse, better, "nDCG@10", 0.01).reasons == ()
    assert compare(suite_of(9), better, better, "nDCG@10", 0.0).reasons == ()


def test_where_less_is_better_a_rise_is_the_loss() -> None:
    clean, dirty = run_of(*[RIGHT] * 9), run_of(*[{**RIGHT, **WRONG}] * 9)
    (reason,) = compare(suite_of(9), clean, dirty, "NegRecall@10", 0.01).reasons
    assert "went from .00 to 1.00 (+1.00 [+1.00, +1.00]); most lost: 'words 0' .00 → 1.00" in reason
    assert compare(suite_of(9), dirty, clean, "NegRecall@10", 0.01).reasons == ()


def test_a_floor_holds_whatever_is_published() -> None:
    suite, run = suite_of(2), run_of(RIGHT, WRONG)
    assert check_floor(suite, run, "Success@1", 0.5).reasons == ()
    assert check_floor(suite, run, "Success@1", None).figures == {"text Success@1": 0.5}
    assert "is .50, less than the minimum .51" in check_floor(suite, run, "Success@1", 0.51).reasons[0]
    told = check_floor(suite, run, "NegRecall@10", 0.9)
    assert (told.reasons, told.notices) == ((), ["gate.minimum says nothing of NegRecall@10, of which less is better."])


def test_a_measure_without_anything_to_measure_is_an_error() -> None:
    with pytest.raises(MeasureError, match="holds nothing that Range"):
        check_floor(suite_of(2), run_of(RIGHT, RIGHT), "Range(nDCG@10)", None)
    with pytest.raises(MeasureError, match="answers no query"):
        compare(suite_of(2), run_of(RIGHT, RIGHT), {}, "nDCG@10", 0.01)


def test_overlap_counts_what_the_first_ten_have_in_common_in_any_order() -> None:
    before, after = run_of(RIGHT, LATE, RIGHT), run_of(RIGHT, TOO_LATE)
    found = overlap(suite_of(4), before, after)
    assert found.figures == {"text overlap@10": pytest.approx((1.0 + 0.9 + 0.0) / 3)}
    assert found.notices == ["Most changed on suite text, by overlap of the first 10 products: 'words 2' .00."]
    assert overlap(suite_of(4), {}, {}).figures == {}, "nothing was answered by either"


def test_numbers_and_names_are_short() -> None:
    assert [figure(value) for value in (0.914, 1.0, 0.0)] == [".91", "1.00", ".00"]
    assert [signed(value) for value in (-0.19, 0.19, -0.001, 1.0)] == ["−.19", "+.19", ".00", "+1.00"]
    assert listed(["a", "b"]) == "a, b"
    assert listed([str(n) for n in range(1_007)]) == "0, 1, 2, 3, 4 and 1,002 more"
