"""What verification changed in a run, and what it took."""

import json

import pytest

from eval.comparing.compare import compare
from eval.comparing.configuration import configuration
from eval.comparing.differences import Verdict
from eval.comparing.verification import Effect, effect_of, effects
from eval.comparing.words import as_row, effect_cost, effect_row, effect_sentence
from eval.runs.summary import summarise
from eval.suites.groups import ALL
from eval.suites.suite import Split, Suite
from tests.eval.comparing.worlds import REORDERED, A, run_of, verified_run


@pytest.fixture
def effect(suite: Suite) -> Effect:
    found = effect_of(suite, verified_run(suite, "verified", A, REORDERED), ["RR@10", "Success@1"])
    assert found is not None
    return found


def test_the_difference_is_that_of_two_runs_in_the_two_orders(suite: Suite, effect: Effect) -> None:
    apart = compare(suite, run_of(suite, "a", A), run_of(suite, "b", REORDERED), ["RR@10", "Success@1"])
    assert effect.figures == apart.figures
    assert effect.queries == apart.counts == (2, 1, 3)
    assert effect.headline.before == pytest.approx((0.5 + 1 + 0 + 1 + 0.5 + 1) / 6)
    assert effect.headline.after == pytest.approx((1 + 0.5 + 0 + 1 + 1 + 1) / 6)
    assert effect.headline.verdict is Verdict.NOT_SHOWN


def test_time_and_cost_are_those_of_one_query(effect: Effect) -> None:
    assert effect.without is not None
    assert effect.latency is not None
    assert (effect.without.p50, effect.latency.p50, effect.latency.p95) == (1.0, 2.0, 2.0)
    assert (effect.usage.calls, effect.usage.tokens_in, effect.usage.tokens_out) == (1, 1_000, 20)
    assert effect.usage.dollars == pytest.approx(0.001)
    assert effect.usage.dollars_in_all == pytest.approx(0.007)
    assert (effect.verified, effect.answered, effect.unjudged) == (7, 7, 0)


def test_it_is_said_in_a_sentence_and_a_half(effect: Effect) -> None:
    assert effect_sentence(effect).startswith("RR@10 .667 → .750, +.083 [")
    assert effect_sentence(effect).endswith("; 2 of 6 queries better, 1 worse, 3 equal.")
    assert effect_cost(effect) == (
        "7 of 7 queries verified; whole search 1.0 → 2.0 ms p50, 1.0 → 2.0 p95; 1.0 calls, 0.0 verdicts remembered, "
        "1,000 + 20 tokens, $0.0010 a query; $0.0070 in all"
    )


def test_a_summary_and_a_comparison_hold_it_and_json_has_no_nan(suite: Suite, effect: Effect) -> None:
    plain, verified = run_of(suite, "plain", A), verified_run(suite, "verified", A, REORDERED)
    assert summarise(suite, verified, ["RR@10", "Success@1"]).effect == effect
    assert summarise(suite, plain).effect is None
    comparison = compare(suite, plain, verified, ["RR@10", "Success@1"])
    assert effects(comparison) == {"verified": effect}
    row = json.loads(json.dumps(as_row(comparison), allow_nan=False))["verification"]["verified"]
    assert row == json.loads(json.dumps(effect_row(effect)))
    assert row["by"] == ["zero_shot", "gpt-4o-mini"]
    assert row["figures"][ALL][0]["with"] == pytest.approx(0.75)


def test_one_half_is_measured_by_its_own_queries(suite: Suite) -> None:
    run = verified_run(suite, "verified", A, REORDERED)
    half = effect_of(suite.part(Split.REPORT), run, ["RR@10"])
    assert half is not None
    assert (half.headline.difference.queries, half.verified) == (4, 5)
    assert half.usage.dollars_in_all == pytest.approx(0.005)


def test_what_was_not_judged_is_said(suite: Suite) -> None:
    run = verified_run(suite, "verified", A, A)
    answer = run.answers["sku"]
    assert answer.window is not None
    short = answer.model_copy(update={"window": answer.window.model_copy(update={"unjudged": 3})})
    found = effect_of(suite, run.model_copy(update={"answers": {**run.answers, "sku": short}}), ["RR@10"])
    assert found is not None
    assert "3 products not judged in time or at all" in effect_cost(found)


def test_how_it_was_verified_is_part_of_what_a_run_was_made_with(suite: Suite) -> None:
    assert configuration(verified_run(suite, "verified", A, A))["rerank.model"] == "gpt-4o-mini"
    assert "rerank.model" not in configuration(run_of(suite, "plain", A))
