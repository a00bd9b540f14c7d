"""Intervals and tests: what they must do, not scipy's arithmetic."""

from math import isnan

import numpy as np
import pytest
from scipy.stats import bootstrap

from eval.statistics import difference, mean_interval


def test_an_interval_holds_the_mean_and_narrows_with_more_values() -> None:
    rng = np.random.default_rng(1)
    few, many = (mean_interval(rng.random(n).tolist()) for n in (25, 900))
    assert few.low < few.mean < few.high
    assert many.half < few.half / 4


def test_the_half_width_is_that_of_the_normal_approximation() -> None:
    values = np.random.default_rng(2).random(400)
    assert mean_interval(values.tolist()).half == pytest.approx(1.96 * values.std() / 20, rel=0.05)


@pytest.mark.parametrize("number", [7, 60, 300])
def test_the_interval_is_scipys_percentile_bootstrap(number: int) -> None:
    values = np.random.default_rng(number).random(number) ** 3
    theirs = bootstrap((values,), np.mean, n_resamples=10_000, method="percentile", rng=1).confidence_interval
    ours = mean_interval(values.tolist())
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.05 * ours.half)


def test_figures_are_the_same_every_time() -> None:
    values = np.random.default_rng(3).random(50).tolist()
    assert mean_interval(values) == mean_interval(values)


def test_one_value_has_no_interval_and_equal_values_an_empty_one() -> None:
    assert isnan(mean_interval([0.5]).low)
    assert (mean_interval([1.0, 1.0]).low, mean_interval([1.0, 1.0]).high) == (1.0, 1.0)
    assert isnan(mean_interval([]).mean)


def test_a_constant_gain_is_shown_and_noise_is_not() -> None:
    rng = np.random.default_rng(4)
    before = rng.random(200)
    gain = difference(before.tolist(), (before + 0.05 + 0.01 * rng.standard_normal(200)).tolist())
    assert gain.shown
    assert gain.p_value < 0.001
    noise = difference(before.tolist(), (before + 0.2 * np.where(np.arange(200) % 2, 1, -1)).tolist())
    assert not noise.shown
    assert noise.p_value > 0.5


def test_equal_runs_do_not_differ() -> None:
    same = difference([0.1, 0.9, 0.4], [0.1, 0.9, 0.4])
    assert not same.shown
    assert same.p_value == 1.0


def test_the_test_is_exact_for_few_pairs() -> None:
    assert difference([0.0] * 5, [0.1, 0.2, 0.3, 0.4, 0.5]).p_value == pytest.approx(2 / 2**5)


def test_one_changed_query_shows_nothing() -> None:
    assert difference([0.0, 0.5, 1.0], [0.5, 0.5, 1.0]).p_value == 1.0


def test_wordings_of_one_question_do_not_make_it_surer() -> None:
    values = np.random.default_rng(5).random(60)
    thrice, questions = np.repeat(values, 3).tolist(), [f"q{number // 3}" for number in range(180)]
    alone, asked = mean_interval(values.tolist()), mean_interval(thrice, questions)
    assert asked.half == pytest.approx(alone.half, rel=0.05)
    assert mean_interval(thrice).half < 0.7 * alone.half
    before = [0.5] * 180
    assert difference(before, thrice, questions).questions == 60
    surer, sure = difference(before, thrice, questions).p_value, difference(before[:60], values.tolist()).p_value
    assert surer == pytest.approx(sure, abs=0.03)


def test_questions_may_have_different_numbers_of_wordings() -> None:
    found = mean_interval([1.0, 1.0, 1.0, 0.0], ["a", "a", "a", "b"])
    assert (found.mean, found.low, found.high) == (0.75, 0.0, 1.0)
