"""Verdicts go by the interval; p-values are adjusted for how many were looked at."""

from math import isnan, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from eval.comparing.differences import Verdict, adjusted, compare_measure, holm
from eval.measured import Measured

GAINS = {f"q{n}": 0.2 + n / 100 for n in range(12)}
NOTHING = dict.fromkeys(GAINS, 0.0)


def verdict(name: str, before: dict[str, float], after: dict[str, float]) -> Verdict:
    found = compare_measure(Measured(name, before), Measured(name, after))
    assert found is not None
    return found.verdict


def test_the_second_run_is_better_where_the_interval_leaves_zero_out() -> None:
    assert verdict("nDCG@10", NOTHING, GAINS) is Verdict.BETTER
    assert verdict("nDCG@10", GAINS, NOTHING) is Verdict.WORSE


def test_less_is_better_for_measures_of_what_is_wrong() -> None:
    assert verdict("NegRecall@10", NOTHING, GAINS) is Verdict.WORSE
    assert verdict("Range(nDCG@10)", GAINS, NOTHING) is Verdict.BETTER


def test_an_interval_over_zero_shows_no_difference() -> None:
    swinging = {name: 0.3 if number % 2 else -0.3 for number, name in enumerate(GAINS)}
    assert verdict("nDCG@10", NOTHING, swinging) is Verdict.NOT_SHOWN
    assert verdict("nDCG@10", GAINS, GAINS) is Verdict.NOT_SHOWN


def test_one_changed_query_is_no_evidence() -> None:
    found = compare_measure(Measured("nDCG@10", NOTHING), Measured("nDCG@10", {**NOTHING, "q3": 1.0}))
    assert found is not None
    assert found.difference.p_value == 1.0
    assert found.verdict is Verdict.NOT_SHOWN


def test_a_single_value_has_no_interval_to_judge_by() -> None:
    assert verdict("AbsentAUC", {"suite": 0.6}, {"suite": 0.9}) is Verdict.UNKNOWN


def test_only_queries_that_both_have_a_value_for_are_compared() -> None:
    found = compare_measure(Measured("Unjudged@10", {"a": 0.5, "b": 0.1}), Measured("Unjudged@10", {"a": 0.1, "c": 0}))
    assert found is not None
    assert (found.before, found.after, found.difference.queries) == (0.5, 0.1, 1)
    assert compare_measure(Measured("R@10", {"a": 1.0}), Measured("R@10", {"b": 1.0})) is None


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []
    alone, undefined = holm([0.02, nan])
    assert alone == 0.02
    assert isnan(undefined)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_lies_between_the_false_discovery_rate_and_bonferroni(p_values: list[float]) -> None:
    rates = false_discovery_control(p_values)
    for p, rate, found in zip(p_values, rates, holm(p_values), strict=True):
        assert rate - 1e-12 <= found <= min(1.0, p * len(p_values)) + 1e-12


def test_all_groups_are_one_family() -> None:
    found = compare_measure(Measured("nDCG@10", NOTHING), Measured("nDCG@10", GAINS))
    assert found is not None
    families = adjusted({"text": [found, found], "photo": [found]})
    assert [one.adjusted_p for one in families["text"]] == pytest.approx([3 * found.difference.p_value] * 2)
