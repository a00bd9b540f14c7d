"""Most-changed queries, where right answers went, and how much two runs have in common."""

import pytest

from eval.comparing.queries import RankChange, losses, overlap, query_changes, wins
from eval.measured import measured
from eval.suites.suite import Suite
from tests.eval.comparing.worlds import A, Answers, B, run_of


def scores(answers: Answers) -> dict[str, dict[str, float]]:
    return {query: {one: -float(rank) for rank, one in enumerate(ranked)} for query, ranked in answers.items()}


def test_wins_and_losses_are_the_most_changed_first(suite: Suite) -> None:
    a, b = scores(A), scores(B)
    pair = measured("RR@10", suite, a), measured("RR@10", suite, b)
    changes = query_changes(suite, a, b, pair)
    assert [(one.query.id, one.gain) for one in wins(changes)] == [("sku", 1.0), ("red-mug", 0.5)]
    assert [(one.query.id, one.gain) for one in losses(changes)] == [("blue-shoe", -0.5)]
    assert [one.query.id for one in changes] == [query.id for query in suite.judged]


def test_fewer_hard_negatives_are_a_win(suite: Suite) -> None:
    a, b = scores(A), scores({**A, "in-blue": ["mug-blue"]})
    pair = measured("NegRecall@10", suite, a), measured("NegRecall@10", suite, b)
    assert [one.query.id for one in wins(query_changes(suite, a, b, pair))] == ["in-blue"]


def test_right_products_are_followed_from_run_to_run(suite: Suite) -> None:
    a, b = scores(A), scores({**A, "red-mug": ["mug-sketch"]})
    pair = measured("RR@10", suite, a), measured("RR@10", suite, b)
    ranks = next(one.ranks for one in query_changes(suite, a, b, pair) if one.query.id == "red-mug")
    assert ranks == (RankChange("mug-red", 2, 2, None), RankChange("mug-sketch", 1, 3, 1))


def test_places_are_counted_without_what_the_query_excludes(suite: Suite) -> None:
    a = scores(A)
    pair = measured("RR@10", suite, a), measured("RR@10", suite, a)
    ranks = next(one.ranks for one in query_changes(suite, a, a, pair) if one.query.id == "in-blue")
    assert ranks == (RankChange("mug-blue", 1, 2, 2),)


def test_overlap_is_the_share_of_the_longer_answer(suite: Suite) -> None:
    found = overlap(suite, scores(A), scores({**B, "more": []}))
    assert found["red-mug"] == 1.0
    assert found["sku"] == 0.5
    assert found["more"] == 0.0
    assert "no-such-thing" not in found
    assert overlap(suite, scores(A), scores(B), k=1)["red-mug"] == 0.0
    assert overlap(suite, {}, {}) == {}
    assert sum(found.values()) / len(found) == pytest.approx((1 + 1 + 0.5 + 1 + 1 + 0) / 6)


def test_runs_are_run_documents_too(suite: Suite) -> None:
    assert overlap(suite, run_of(suite, "a", A).scores, scores(A)) == dict.fromkeys(suite.qrels, 1.0)
