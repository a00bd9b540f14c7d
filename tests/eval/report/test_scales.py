"""Axes end and tick at round values."""

from math import inf, nan

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from eval.report.scales import Scale


def test_ticks_are_round_and_labelled_with_the_decimals_they_need() -> None:
    scale = Scale.over([0.13, 0.87], 0, 100)
    assert [scale.label(tick) for tick in scale.ticks] == ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]
    assert [Scale.over([-40, 60], 0, 1).label(tick) for tick in (-40, 0, 60)] == ["-40", "0", "60"]


def test_values_lie_between_the_ends_also_when_the_axis_points_up() -> None:
    scale = Scale.over([0, 10], 300, 20)
    assert (scale.at(0), scale.at(5), scale.at(10)) == (300, 160, 20)


def test_an_axis_that_is_not_rounded_ends_at_its_outermost_value() -> None:
    scale = Scale.over([1, 97], 0, 1, rounded=False)
    assert (scale.low, scale.high) == (1, 97)
    assert scale.ticks == [20, 40, 60, 80]


@pytest.mark.parametrize("values", [[], [nan, inf], [0.5], [0.0, 0.0], [-3.0]])
def test_there_is_an_axis_for_any_values(values: list[float]) -> None:
    scale = Scale.over(values, 0, 100)
    assert scale.low < scale.high
    assert 2 <= len(scale.ticks) <= 12


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20))
def test_every_value_and_tick_lies_within(values: list[float]) -> None:
    assume(max(values) - min(values) > 1e-6)
    scale = Scale.over(values, 0, 100)
    assert all(-0.001 <= scale.at(one) <= 100.001 for one in [*values, *scale.ticks])
    assert 3 <= len(scale.ticks) <= 8
