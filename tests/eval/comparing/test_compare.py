"""Two runs of the small suite side by side, in figures, in words and as JSON."""

import json
from dataclasses import replace
from math import isnan

import pytest

from eval.comparing.compare import compare
from eval.comparing.configuration import Changed, configuration, differing
from eval.comparing.differences import Verdict
from eval.comparing.words import as_row, part, sentence, title
from eval.errors import EmptySuite, MeasureError, RunError, UnknownMeasure
from eval.suites.suite import Split, Suite
from indexer.settings import SearchSettings
from tests.eval.comparing.worlds import A, B, run_of


def test_means_differences_and_counts(suite: Suite) -> None:
    found = compare(suite, run_of(suite, "a", A), run_of(suite, "b", B), ["RR@10"])
    headline = found.headline
    assert headline.before == pytest.approx((0.5 + 1 + 0 + 1 + 0.5 + 1) / 6)
    assert headline.after == pytest.approx((1 + 0.5 + 1 + 1 + 0.5 + 1) / 6)
    assert headline.difference.interval.mean == pytest.approx(1 / 6)
    assert headline.verdict is Verdict.NOT_SHOWN
    assert found.counts == (2, 1, 3)
    assert found.overlap == pytest.approx((1 + 1 + 0.5 + 1 + 1 + 1) / 6)


def test_the_suites_measures_are_compared_for_kinds_as_well(suite: Suite) -> None:
    found = compare(suite, run_of(suite, "a", A), run_of(suite, "b", B))
    assert list(found.figures) == ["all", "text", "photo", "edit", "similar"]
    assert [one.measure for one in found.figures["text"]] == list(suite.card.measures)
    assert found.figures["text"][1].difference.queries == 3


def test_one_half_can_be_compared_alone(suite: Suite) -> None:
    runs = run_of(suite, "a", A), run_of(suite, "b", B)
    report = compare(suite, *runs, ["RR@10"], Split.REPORT)
    assert report.headline.difference.queries == 4
    assert part(report) == "the report half of the queries"
    assert "all queries" in part(compare(suite, *runs, ["RR@10"]))
    only_tuned = suite.part(Split.TUNE)
    with pytest.raises(EmptySuite, match="in its half report"):
        compare(only_tuned, *runs, ["RR@10"], Split.REPORT)


def test_the_words_say_the_verdict_and_the_figures(suite: Suite) -> None:
    a, b = run_of(suite, "old", A), run_of(suite, "new", B)
    found = compare(suite, a, b, ["RR@10"])
    assert title(found) == "No difference shown between old and new"
    assert sentence(found).startswith("RR@10 .667 → .833, +.167 [")
    assert sentence(found).endswith("]; 2 of 6 queries better, 1 worse, 3 equal.")
    worst = run_of(suite, "worst", {query: ["lamp-black"] for query in A})
    assert title(compare(suite, a, worst, ["RR@10"])) == "worst finds worse than old"
    assert title(compare(suite, worst, a, ["RR@10"])) == "old finds better than worst"
    assert title(compare(suite, a, b, ["AbsentAUC"])).endswith("cannot be told")
    assert title(compare(suite, a, run_of(suite, "old", B), ["RR@10"])).endswith("between old (A) and old (B)")


def test_it_says_what_the_runs_do_not_have_in_common(suite: Suite) -> None:
    a = run_of(suite, "a", A)
    b = run_of(suite, "b", A, build="b2", search=SearchSettings(depth=50))
    assert differing(a, b) == (Changed("build", "b1", "b2"), Changed("search.depth", "100", "50"))
    assert configuration(a)["search.weights.photo.image"] == "1.0"
    assert configuration(a)["encoder.fingerprint"] == "f" * 64
    assert b.build is not None
    added = b.model_copy(update={"build": b.build.model_copy(update={"libraries": {}})})
    assert Changed("libraries.numpy", "2.2", None) in differing(a, added)


def test_runs_of_different_suites_are_refused(suite: Suite) -> None:
    other = replace(suite, card=suite.card.model_copy(update={"name": "other"}))
    with pytest.raises(RunError, match="a and b answer suites small and other"):
        compare(suite, run_of(suite, "a", A), run_of(other, "b", B))
    changed = suite.only(suite.queries[:3])
    with pytest.raises(RunError, match="different states of suite small"):
        compare(suite, run_of(suite, "a", A), run_of(changed, "b", B))


def test_measures_without_anything_to_measure_are_named(suite: Suite) -> None:
    runs = run_of(suite, "a", A), run_of(suite, "b", B)
    assert compare(suite, *runs, ["RR@10", "Range(RR@10)"]).unmeasured == ["Range(RR@10)"]
    with pytest.raises(MeasureError, match="holds nothing that Range"):
        compare(suite, *runs, ["Range(RR@10)", "RR@10"])
    with pytest.raises(UnknownMeasure):
        compare(suite, *runs, ["nDCJ@10"])


def test_the_json_has_no_nan_and_names_the_changed_queries(suite: Suite) -> None:
    b = run_of(suite, "b", {**B, "more": []}, unanswered={"more": "the store was down"})
    row = as_row(compare(suite, run_of(suite, "a", A), b, ["RR@10", "AbsentAUC"]))
    read = json.loads(json.dumps(row, allow_nan=False))
    assert [one["query"] for one in read["wins"]] == ["sku", "red-mug"]
    assert [one["query"] for one in read["losses"]] == ["more", "blue-shoe"]
    assert read["wins"][0]["ranks"] == [{"product": "XK-4711", "grade": 1, "a": None, "b": 1}]
    assert read["figures"]["all"][1]["interval"] == [None, None]
    assert read["unanswered"] == {"a": {}, "b": {"more": "the store was down"}}
    assert read["split"] == "all"


def test_an_unanswered_query_is_lost_not_left_out(suite: Suite) -> None:
    silent = {query: ranked for query, ranked in A.items() if query != "more"}
    found = compare(suite, run_of(suite, "a", A), run_of(suite, "b", silent, unanswered={"more": "gone"}), ["RR@10"])
    assert [one.query.id for one in found.losses] == ["more"]
    assert found.headline.difference.queries == 6
    assert not isnan(found.overlap)
