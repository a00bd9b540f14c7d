from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.rerank.ordering import MODEL_LIFT, Standing, believed, left, ordered

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


@pytest.mark.parametrize("window", [3, 7])
def test_whatever_a_model_is_talked_into_its_product_rises_three_places_and_others_fall_one(window: int) -> None:
    """Every combination of the others' lifts and of the two that the model may give; contradictions are not its."""
    for lifts in product(range(MODEL_LIFT + 1), repeat=window - 1):
        for place in range(window):
            truth, talked = (
                ordered([*map(Standing, lifts[:place]), Standing(said), *map(Standing, lifts[place:])])
                for said in (0, MODEL_LIFT)
            )
            moved = [truth.index(one) - talked.index(one) for one in range(window)]
            assert max(moved) == moved[place] <= 3
            assert min(moved) >= -1


@pytest.mark.parametrize(("denied", "kept"), [(0, 3), (1, 1), (2, 0), (5, 0)])
def test_a_product_keeps_fewer_places_the_more_it_is_denied(denied: int, kept: int) -> None:
    assert left(denied) == kept


@pytest.mark.parametrize(("least", "kept"), [(None, 2), (1.0, 2), (0.8, 2), (0.5, 1), (0.2, 0), (0.0, 0)])
def test_of_a_models_word_the_weakest_point_counts(least: float | None, kept: int) -> None:
    assert believed(least) == kept
