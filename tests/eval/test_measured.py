"""Measures by name: ir_measures' own, and ours computed by hand."""

from dataclasses import replace
from math import isnan, log2
from pathlib import Path

import pytest

from eval.errors import UnknownMeasure
from eval.measured import measured
from eval.suites.suite import Suite, SuiteCard, SuiteQuery

CARD = SuiteCard(name="hand", description="", licence="", protocol="", catalog="c")


def suite_of(*queries: SuiteQuery, **qrels: dict[str, int]) -> Suite:
    return Suite(CARD, queries, qrels, Path())


ONE = suite_of(SuiteQuery(id="q", text="x", exclude=("r",), hard_negatives=("m", "n")), q={"a": 1, "b": 3, "z": 1})
RUN = {"q": {"r": 0.99, "n": 0.9, "a": 0.8, "u": 0.7, "b": 0.6, "m": 0.5}}
"""After the reference r is taken out: n, a, u, b, m."""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Success@1", 0.0),
        ("Success@2", 1.0),
        ("RR@10", 1 / 2),
        ("R@10", 2 / 3),
        ("P@4", 2 / 4),
        ("AP@10", (1 / 2 + 2 / 4) / 3),
        ("APmin@2", (1 / 2) / 2),
        ("APmin@10", (1 / 2 + 2 / 4) / 3),
        ("nDCG@10", (1 / log2(3) + 3 / log2(5)) / (3 + 1 / log2(3) + 1 / log2(4))),
        ("NegRecall@1", 1 / 2),
        ("NegRecall@5", 1.0),
        ("Unjudged@2", 1 / 2),
        ("Unjudged@5", 3 / 5),
        ("Oracle(nDCG@10)", (3 + 1 / log2(3)) / (3 + 1 / log2(3) + 1 / log2(4))),
        ("Oracle(Success@1)", 1.0),
    ],
)
def test_values_equal_those_computed_by_hand(name: str, value: float) -> None:
    assert measured(name, ONE, RUN).mean == pytest.approx(value)


def test_gains_of_the_card_are_the_gains_of_ndcg() -> None:
    suite = replace(ONE, card=CARD.model_copy(update={"gains": {1: 1, 3: 100}}))
    ideal = 100 + 1 / log2(3) + 1 / log2(4)
    assert measured("nDCG@10", suite, RUN).mean == pytest.approx((1 / log2(3) + 100 / log2(5)) / ideal)
    assert measured("Oracle(nDCG@10)", suite, RUN).mean == pytest.approx((100 + 1 / log2(3)) / ideal)


def test_an_unanswered_query_counts_zero_and_absent_queries_do_not_count() -> None:
    suite = suite_of(
        SuiteQuery(id="q", text="x"),
        SuiteQuery(id="s", text="y"),
        SuiteQuery(id="t", text="t", absent=True),
        q={"a": 1},
        s={"a": 1},
    )
    found = measured("Success@1", suite, {"q": {"a": 1.0}, "t": {"a": 1.0}})
    assert dict(found.values) == {"q": 1.0, "s": 0.0}


def test_the_range_is_over_ways_to_ask_the_same() -> None:
    suite = suite_of(
        SuiteQuery(id="a1", text="x", paraphrases="a"),
        SuiteQuery(id="a2", text="y", paraphrases="a"),
        SuiteQuery(id="lone", text="z", paraphrases="b"),
        a1={"p": 1},
        a2={"p": 1},
        lone={"p": 1},
    )
    found = measured("Range(RR@10)", suite, {"a1": {"p": 1.0}, "a2": {"o": 2.0, "p": 1.0}, "lone": {"p": 1.0}})
    assert dict(found.values) == {"a": 0.5}
    assert not found.higher_is_better


def test_absent_auc_is_the_chance_to_tell_an_answer_from_none() -> None:
    suite = suite_of(
        SuiteQuery(id="a", text="x"),
        SuiteQuery(id="b", text="x"),
        SuiteQuery(id="n", text="x", absent=True),
        a={"p": 1},
        b={"p": 1},
    )
    run = {"a": {"p": 0.9, "o": 0.1}, "b": {"p": 0.3}, "n": {"o": 0.5}}
    assert measured("AbsentAUC", suite, run).mean == 0.5
    assert isnan(measured("AbsentAUC", ONE, RUN).mean)


@pytest.mark.parametrize("name", ["nDGC@10", "NegRecall", "Oracle(", "", "__import__('os')"])
def test_an_unknown_measure_is_refused_with_the_ones_there_are(name: str) -> None:
    with pytest.raises(UnknownMeasure, match="there are nDCG@k"):
        measured(name, ONE, RUN)
