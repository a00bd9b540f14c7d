"""Running a suite over a real build with the fake encoder."""

from itertools import pairwise
from pathlib import Path

import pytest

from eval.errors import RunError, SuiteError
from eval.measured import measured
from eval.runs.document import RunDocument, read_run, revision, write_run
from eval.runs.runner import run_suite, suite_of
from eval.runs.summary import summarise
from eval.suites.files import write_suite
from eval.suites.suite import Suite, SuiteQuery
from indexer.settings import Settings
from tests.eval.worlds import fake_bench
from tests.fakes import FakeEncoder


@pytest.fixture
def document(suite: Suite, shop: Settings) -> RunDocument:
    with fake_bench(shop) as bench:
        return run_suite(suite, bench, shop.search, watch=lambda done, total: None)


def test_every_query_is_answered_in_the_order_shoppers_see(suite: Suite, document: RunDocument) -> None:
    assert set(document.answers) == {query.id for query in suite.queries}
    assert document.answers["red-mug"].ranked[0].id == "mug-red"
    assert document.answers["in-blue"].ranked[0].id == "mug-blue"
    for answer in document.answers.values():
        scores = [one.score for one in answer.ranked]
        assert all(better > worse for better, worse in pairwise(scores))
    assert measured("R@10", suite, document.scores).mean == pytest.approx(1.0)


def test_a_run_reads_back_and_says_what_made_it(document: RunDocument, tmp_path: Path) -> None:
    for name in ("run.json", "run.json.gz"):
        write_run(document, tmp_path / name)
        assert read_run(tmp_path / name) == document
    assert (tmp_path / "run.json.gz").stat().st_size < (tmp_path / "run.json").stat().st_size
    assert document.build is not None
    assert document.build.encoder.name == "fake"
    assert document.revision == revision()


def test_repeating_a_run_gives_the_same_answers(suite: Suite, shop: Settings, document: RunDocument) -> None:
    with fake_bench(shop) as bench:
        assert document.search is not None
        again = run_suite(suite_of(document), bench, document.search, watch=lambda done, total: None)
    assert again.scores == document.scores


def test_a_suite_that_changed_since_is_not_the_runs(suite: Suite, document: RunDocument) -> None:
    write_suite(suite.only(suite.queries[:2]), suite.directory)
    with pytest.raises(RunError, match="changed since run"):
        suite_of(document)


def test_judgements_of_unknown_products_are_refused_by_name(suite: Suite, shop: Settings) -> None:
    wrong = suite.only(suite.queries[:1])
    wrong = Suite(wrong.card, wrong.queries, {"red-mug": {"mug-red": 1, "unheard-of": 1}}, wrong.directory)
    with fake_bench(shop) as bench, pytest.raises(SuiteError, match=r"names 1 of 2 products .* unheard-of"):
        run_suite(wrong, bench, shop.search, watch=lambda done, total: None)


def test_what_cannot_be_answered_counts_zero_and_is_named(suite: Suite, shop: Settings) -> None:
    (suite.directory / "photos" / "red.png").write_bytes(b"no picture")
    odd = SuiteQuery(id="sku", text="tea", where=("flavour=mint",))
    queries = tuple(odd if query.id == "sku" else query for query in suite.queries)
    asked = Suite(suite.card, queries, suite.qrels, suite.directory)
    with fake_bench(shop) as bench:
        document = run_suite(asked, bench, shop.search, watch=lambda done, total: None)
    assert set(document.unanswered) == {"photo", "sku"}
    assert "flavour" in document.unanswered["sku"]
    values = measured("Success@1", asked, document.scores).values
    assert (values["photo"], values["sku"], values["red-mug"]) == (0.0, 0.0, 1.0)


def test_queries_are_encoded_in_batches_ahead(suite: Suite, shop: Settings) -> None:
    encoder = FakeEncoder()
    with fake_bench(shop, encoder) as bench:
        run_suite(suite, bench, shop.search, watch=lambda done, total: None)
    assert encoder.texts[:4] == ["red mug", "blue shoe", "XK-4711", "zeppelin"]


def test_a_summary_has_figures_for_all_for_kinds_and_for_tags_that_are_not_small(
    suite: Suite, document: RunDocument
) -> None:
    summary = summarise(suite, document)
    assert list(summary.figures) == ["all", "text", "photo", "edit", "similar"]
    (headline, *_) = summary.figures["all"]
    assert (headline.measure, headline.queries) == ("nDCG@10", 6)
    assert summary.latencies["whole"].p95 >= summary.latencies["whole"].p50 > 0


def test_a_run_with_doubled_or_unsorted_answers_is_refused(document: RunDocument, tmp_path: Path) -> None:
    text = document.model_dump_json()
    first, second = (one.id for one in document.answers["red-mug"].ranked[:2])
    (tmp_path / "run.json").write_text(text.replace(f'"id":"{second}"', f'"id":"{first}"'))
    with pytest.raises(RunError, match="comes twice"):
        read_run(tmp_path / "run.json")
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(RunError, match="is no run: name: "):
        read_run(tmp_path / "run.json")
