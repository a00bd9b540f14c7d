"""What is kept of a suite ranks as the search itself does, under the present weights and under others."""

from pathlib import Path

import pytest

from eval.measured import measured, scored
from eval.measures import ranking
from eval.runs.document import RunDocument
from eval.runs.runner import run_suite
from eval.suites.suite import Suite, SuiteQuery
from eval.web.sliders_ranking import ranking_run
from eval.web.sliders_scores import (
    FILES,
    SuiteScores,
    drawn_queries,
    read_scores,
    scores_path,
    suite_scores,
    summed,
    write_scores,
)
from indexer.domain import Channel, QueryKind
from indexer.errors import BadWeights
from indexer.settings import SearchSettings, Settings
from tests.eval.worlds import fake_bench

OTHER = {
    QueryKind.TEXT: {Channel.IMAGE: 0.1, Channel.TEXT: 0.2, Channel.LEXICAL: 0.7},
    QueryKind.PHOTO: {Channel.IMAGE: 0.3, Channel.TEXT: 0.7},
    QueryKind.EDIT: {Channel.IMAGE: 0.9, Channel.TEXT: 0.1},
    QueryKind.SIMILAR: {Channel.TEXT: 1.0},
}
SETTINGS = (
    SearchSettings(),
    SearchSettings(weights=OTHER),
    SearchSettings(fusion="raw"),
    SearchSettings(boosts={"in_stock=true": 0.7, "colour=blue": -0.4}),
)


def both(suite: Suite, shop: Settings, search: SearchSettings) -> tuple[SuiteScores, RunDocument]:
    with fake_bench(shop) as bench:
        scores = suite_scores(suite, bench, search, lambda done, total: None)
        return scores, run_suite(suite, bench, search, watch=lambda done, total: None)


@pytest.mark.parametrize("search", SETTINGS, ids=["present", "others", "raw", "boosted"])
def test_kept_scores_rank_as_the_search_does(suite: Suite, shop: Settings, search: SearchSettings) -> None:
    scores, document = both(suite, shop, search)
    kept = ranking_run(scores.queries, search.weights)
    found = scored(suite, document.scores)
    assert {query: ranking(docs) for query, docs in kept.items()} == {
        query: ranking(docs) for query, docs in document.scores.items() if query in found
    }
    for name in ("nDCG@10", "Success@1"):
        assert measured(name, suite, kept).values == measured(name, suite, document.scores).values


def test_other_weights_are_tried_on_scores_that_were_kept_for_the_present_ones(suite: Suite, shop: Settings) -> None:
    scores, _ = both(suite, shop, SearchSettings())
    _, document = both(suite, shop, SearchSettings(weights=OTHER))
    kept = ranking_run(scores.queries, OTHER)
    assert {query: ranking(docs) for query, docs in kept.items()} == {
        query: ranking(docs) for query, docs in document.scores.items() if query in kept
    }


def test_weights_that_leave_a_query_without_a_channel_are_refused(suite: Suite, shop: Settings) -> None:
    scores, _ = both(suite, shop, SearchSettings())
    nothing = {kind: {Channel.LEXICAL: 0.0} for kind in QueryKind}
    with pytest.raises(BadWeights, match="all are zero"):
        ranking_run(scores.queries, nothing)


def test_a_query_that_cannot_be_asked_is_told(suite: Suite, shop: Settings) -> None:
    (suite.directory / "photos" / "red.png").write_bytes(b"no picture")
    odd = SuiteQuery(id="sku", text="tea", where=("flavour=mint",))
    asked = Suite(
        suite.card, tuple(odd if one.id == "sku" else one for one in suite.queries), suite.qrels, suite.directory
    )
    scores, _ = both(asked, shop, SearchSettings())
    assert set(scores.unanswered) == {"photo", "sku"}
    assert "flavour" in scores.unanswered["sku"]


def test_ranks_and_distributions_become_weighted_sums() -> None:
    assert summed(SearchSettings(fusion="rrf")).fusion == "calibrated"
    assert summed(SearchSettings(fusion="raw")).fusion == "raw"


def test_of_a_very_large_suite_some_are_drawn_always_the_same(suite: Suite) -> None:
    queries = tuple(SuiteQuery(id=f"q{number}", text="mug") for number in range(700))
    large = Suite(suite.card, queries, {query.id: {"mug-red": 1} for query in queries})
    drawn = drawn_queries(large)
    assert len(drawn) == 500
    assert drawn == drawn_queries(large)
    assert [query for query in queries if query in drawn] == list(drawn)


def test_scores_read_back_and_old_ones_go(suite: Suite, shop: Settings, tmp_path: Path) -> None:
    scores, _ = both(suite, shop, SearchSettings())
    paths = [scores_path(tmp_path, suite, f"build-{number}", SearchSettings()) for number in range(FILES + 3)]
    for path in paths:
        write_scores(scores, path)
    assert read_scores(paths[-1]) == scores
    assert len(list(paths[0].parent.iterdir())) == FILES
    paths[-1].write_bytes(b"no scores")
    assert read_scores(paths[-1]) is None
