"""Measures equal values computed by hand."""

from math import log2, nan

import pytest

from eval.errors import EmptyQrels, EmptyRun, NotANumber
from eval.measures import ndcg, ranking, recall, reciprocal_rank, success

QRELS = {"q": {"b": 1, "d": 1}}


def test_ndcg_is_the_discounted_gain_over_the_best_possible() -> None:
    run = {"q": {"a": 0.9, "b": 0.8, "c": 0.7, "d": 0.6}}
    assert ndcg(run, QRELS, 10) == pytest.approx((1 / log2(3) + 1 / log2(5)) / (1 + 1 / log2(3)))


def test_ndcg_uses_the_grades_as_gains() -> None:
    run = {"q": {"a": 2.0, "b": 1.0}}
    qrels = {"q": {"a": 1, "b": 3}}
    assert ndcg(run, qrels, 10) == pytest.approx((1 + 3 / log2(3)) / (3 + 1 / log2(3)))


def test_hit_rate_is_not_recall() -> None:
    run = {"q": {"b": 0.9, "a": 0.8, "d": 0.1}}
    assert success(run, QRELS, 2) == 1.0
    assert recall(run, QRELS, 2) == 0.5


def test_reciprocal_rank_is_zero_beyond_the_cutoff() -> None:
    run = {"q": {"a": 0.9, "c": 0.8, "b": 0.7}}
    assert reciprocal_rank(run, QRELS, 10) == pytest.approx(1 / 3)
    assert reciprocal_rank(run, QRELS, 2) == 0.0


def test_equal_scores_are_ordered_by_id() -> None:
    scores = {"d": 0.5, "a": 0.5, "b": 0.5, "z": 0.9}
    assert ranking(scores) == ["z", "a", "b", "d"]
    assert success({"q": {"d": 0.5, "a": 0.5}}, {"q": {"a": 1}}, 1) == 1.0
    assert success({"q": {"d": 0.5, "a": 0.5}}, {"q": {"d": 1}}, 1) == 0.0


def test_an_unanswered_query_counts_zero() -> None:
    qrels = {"q": {"b": 1}, "silent": {"b": 1}, "blank": {"b": 1}}
    assert success({"q": {"b": 1.0}, "blank": {}}, qrels, 1) == pytest.approx(1 / 3)


def test_a_query_without_judgements_is_not_measured() -> None:
    assert success({"q": {"b": 1.0}, "other": {"x": 1.0}}, {"q": {"b": 1}}, 1) == 1.0


def test_nothing_to_measure_is_refused() -> None:
    with pytest.raises(EmptyQrels):
        ndcg({"q": {"a": 1.0}}, {}, 10)
    with pytest.raises(EmptyQrels, match="q has no relevant product"):
        ndcg({"q": {"a": 1.0}}, {"q": {"a": 0}}, 10)
    with pytest.raises(EmptyRun):
        ndcg({"q": {}}, QRELS, 10)


def test_nan_is_refused_with_its_place() -> None:
    with pytest.raises(NotANumber, match="query q scores product a"):
        ndcg({"q": {"a": nan}}, QRELS, 10)
    with pytest.raises(ValueError, match="NaN"):
        recall({"q": {"a": nan}}, QRELS, 10)
