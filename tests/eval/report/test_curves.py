"""Curves agree with the measures whose cutoffs they run through."""

import pytest
from ir_measures import IPrec

from eval.measured import measured, scored
from eval.measures import each
from eval.report.curves import by_depth, leads, precision_recall
from eval.suites.suite import Suite
from tests.eval.comparing.worlds import A, run_of


def test_depth_curves_are_success_and_recall_at_every_k(suite: Suite) -> None:
    run = run_of(suite, "a", A).scores
    curves = by_depth(suite, run, 5)
    for name, measure in (("Success@k", "Success"), ("R@k", "R")):
        for k, value in curves[name].points:
            assert value == pytest.approx(measured(f"{measure}@{k:.0f}", suite, run).mean)
    assert len(curves["R@k"].points) == 5


def test_precision_at_recall_is_trec_evals(suite: Suite) -> None:
    run = run_of(suite, "a", A).scores
    for level, value in precision_recall(suite, run).points:
        expected = each(IPrec @ level, scored(suite, run), suite.qrels)
        assert value == pytest.approx(sum(expected.values()) / len(expected), abs=1e-6)


def test_an_unanswered_query_pulls_every_curve_down(suite: Suite) -> None:
    answered = {query: ranked for query, ranked in A.items() if query != "photo"}
    run = run_of(suite, "a", answered).scores
    assert by_depth(suite, run, 10)["Success@k"].points[-1][1] == pytest.approx(4 / 6)
    assert precision_recall(suite, run).points[0][1] == pytest.approx((1 / 2 + 1 + 0 + 0 + 1 / 2 + 1) / 6, abs=0.1)


def test_bands_lie_around_their_curve(suite: Suite) -> None:
    curve = by_depth(suite, run_of(suite, "a", A).scores, 3)["R@k"]
    assert all(low <= mean <= high for (_, mean), (low, high) in zip(curve.points, curve.band, strict=True))
    assert curve.band[0][0] < curve.band[0][1]


def test_a_lead_is_the_best_right_score_less_the_best_other_one(suite: Suite) -> None:
    found = leads(suite, run_of(suite, "a", A).scores)
    assert found["text"] == pytest.approx([-0.1, 0.1])
    assert found["edit"] == pytest.approx([-0.1])
    assert "photo" not in found
    assert "similar" not in found
