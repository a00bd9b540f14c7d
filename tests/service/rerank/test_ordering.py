from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.rerank.ordering import ALONE_LIFT, LOCAL_LIFT, MODEL_LIFT, Standing, ordered, places

standings = st.builds(Standing, st.integers(0, 3), st.booleans(), st.booleans())


def test_a_lifted_result_rises_by_its_lift_at_most_and_equal_ones_keep_their_order() -> None:
    assert ordered([Standing(), Standing(), Standing(), Standing(3)]) == [0, 3, 1, 2]
    assert ordered([Standing(2), Standing(2), Standing(2)]) == [0, 1, 2]


def test_what_is_contradicted_goes_to_the_end_of_the_window_in_its_order() -> None:
    window = [Standing(contradicted=True), Standing(), Standing(3, contradicted=True), Standing(1)]
    assert ordered(window) == [1, 3, 2, 0]


def test_a_fixed_result_keeps_its_place_and_the_others_go_around_it() -> None:
    window = [Standing(fixed=True, contradicted=True), Standing(contradicted=True), Standing(), Standing(3)]
    assert ordered(window) == [0, 3, 2, 1]


def test_without_verdicts_the_order_stays() -> None:
    assert ordered([Standing()] * 8) == list(range(8))
    assert ordered([]) == []


@given(st.lists(standings, max_size=12))
@settings(deadline=None, max_examples=50)
def test_nothing_is_added_and_nothing_lost(window: list[Standing]) -> None:
    assert sorted(ordered(window)) == list(range(len(window)))


@pytest.mark.parametrize("window", [3, 6])
def test_whatever_a_model_is_talked_into_its_product_rises_three_places_and_others_fall_one(window: int) -> None:
    """Every combination of the others' lifts; contradictions and what is known locally are no model's to change."""
    for lifts in product(range(LOCAL_LIFT + MODEL_LIFT + 1), repeat=window - 1):
        for place in range(window):
            for known in range(LOCAL_LIFT + 1):
                others = [Standing(lift) for lift in lifts]
                truth, talked = (
                    ordered([*others[:place], Standing(known + said), *others[place:]]) for said in (0, MODEL_LIFT)
                )
                moved = [truth.index(one) - talked.index(one) for one in range(window)]
                assert max(moved) == moved[place] <= 3
                assert min(moved) >= -1


@pytest.mark.parametrize(("score", "lifted"), [(None, 0), (0.0, 0), (0.4, 1), (0.9, 3), (1.0, 3)])
def test_a_score_lifts_whole_places(score: float | None, lifted: int) -> None:
    assert places(score, ALONE_LIFT) == lifted
