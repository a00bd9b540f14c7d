"""Reports are whole, safe and honest: pictures inside, hostile text inert, what is missing said."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from eval.comparing.compare import compare
from eval.report.checking import checked
from eval.report.comparison import write_comparison_report
from eval.report.curves import Curve
from eval.report.run import as_row, report_of, title, write_run_report
from eval.suites.checks.report import Finding, Range, Severity, SuiteReport
from eval.suites.suite import Suite
from indexer.settings import SearchSettings, Settings
from tests.eval.comparing.worlds import REORDERED, A, B, manifest, run_of, verified_run
from tests.pages import HOSTILE, Page

CHECKS = SuiteReport(
    suite="small",
    digest="d" * 64,
    catalog="shop",
    queries=7,
    absent=1,
    judgements=8,
    halves={"tune": 2, "report": 5},
    tags={},
    categories={HOSTILE: 6},
    relevant=Range(least=1, median=1.5, most=2),
    findings=(
        Finding(
            check="no-photo",
            severity=Severity.WARNING,
            count=3,
            what="products of the suite have no photo that can be searched",
            examples=("mug-red", HOSTILE),
        ),
    ),
    skipped=("leaks into the gallery",),
)


def run_page(suite: Suite, settings: Settings, path: Path, **changes: object) -> Page:
    document = run_of(suite, "a", A).model_copy(update=changes)
    write_run_report(report_of(suite, document, checks=CHECKS), settings, path)
    return Page(path.read_text("utf-8"))


def comparison_page(suite: Suite, settings: Settings, path: Path) -> Page:
    a, b = run_of(suite, "old", A), run_of(suite, HOSTILE, B, search=SearchSettings(depth=50))
    write_comparison_report(compare(suite, a, b), settings, path)
    return Page(path.read_text("utf-8"))


@pytest.fixture
def hostile(suite: Suite) -> Suite:
    """The small suite with markup wherever its maker can put some."""
    card = suite.card.model_copy(update={"description": HOSTILE, "licence": HOSTILE, "protocol": HOSTILE})
    queries = tuple(one.model_copy(update={"text": HOSTILE}) if one.text else one for one in suite.queries)
    return replace(suite, card=card, queries=queries)


def test_a_run_is_shown_with_pictures_figures_and_configuration(suite: Suite, shop: Settings, tmp_path: Path) -> None:
    page = run_page(suite, shop, tmp_path / "run.html")
    assert "A right product comes first for 50 % of the questions, among the first 10 for 83 %" in page.words
    assert len(page.pictures) > 10
    assert page.having("li", "right") >= 8
    assert page.having("li", "trap") == 1
    assert "Red mug" in page.words
    assert sum(tag == "svg" for tag, _ in page.tags) == 3
    for said in ("Apache-2.0", "Every product is in the gallery.", "abc123", "search.weights.text.image", "b1"):
        assert said in page.words
    assert "products of the suite have no photo that can be searched" in page.words
    assert "right products per query 1 to 2, median 1.5" in page.words
    assert page.asks_nothing


def test_a_comparison_shows_wins_losses_and_what_differs(suite: Suite, shop: Settings, tmp_path: Path) -> None:
    page = comparison_page(suite, shop, tmp_path / "cmp.html")
    assert "No difference shown between old and" in page.words
    assert "2 of 6 queries better, 1 worse, 3 equal" in page.words
    assert page.having("article", "case") == 3
    assert page.having("span", "up") > 0
    assert page.having("span", "down") > 0
    assert "search.depth" in page.words
    assert page.pictures


def test_markup_from_a_shop_or_a_suite_stays_words(hostile: Suite, shop: Settings, tmp_path: Path) -> None:
    run = run_page(hostile, shop, tmp_path / "run.html", name=HOSTILE, unanswered={"more": HOSTILE})
    comparison = comparison_page(hostile, shop, tmp_path / "cmp.html")
    for page in (run, comparison):
        assert page.asks_nothing
        assert page.words.count(HOSTILE) >= 4


def test_a_verified_run_is_shown_with_and_without_verification(suite: Suite, broken: Settings, tmp_path: Path) -> None:
    verified = verified_run(suite, "verified", A, REORDERED)
    write_run_report(report_of(suite, verified, ["RR@10"]), broken, tmp_path / "run.html")
    comparison = compare(suite, run_of(suite, "plain", A), verified, ["RR@10"])
    write_comparison_report(comparison, broken, tmp_path / "cmp.html")
    for path, heading in (("run.html", "With and without verification"), ("cmp.html", "verified with and without")):
        page = Page((tmp_path / path).read_text("utf-8"))
        assert heading in page.words
        assert "Verified by zero_shot and gpt-4o-mini: RR@10 .667 → .750" in page.words
        assert "whole search 1.0 → 2.0 ms p50" in page.words
        assert "$0.0010 a query" in page.words
    assert "without verification" not in run_page(suite, broken, tmp_path / "plain.html").words


def test_a_report_is_written_without_a_catalogue(suite: Suite, shop: Settings, tmp_path: Path) -> None:
    page = run_page(suite, shop.model_copy(update={"home": tmp_path / "empty"}), tmp_path / "run.html")
    assert "The pictures of all" in page.words
    assert "There is no catalog 'shop'" in page.words
    assert len(page.pictures) == 1


@pytest.fixture
def broken(shop: Settings, tmp_path: Path) -> Settings:
    """A home whose database is none, so that nothing is decoded either."""
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "vitrine.db").write_bytes(b"no database" * 100)
    return shop.model_copy(update={"home": tmp_path / "broken"})


def test_a_report_is_written_without_a_database(suite: Suite, broken: Settings, tmp_path: Path) -> None:
    page = comparison_page(suite, broken, tmp_path / "cmp.html")
    assert "are missing:" in page.words
    assert page.pictures == []
    assert page.words.count("no photo") > 10


def test_unanswered_queries_are_seen(suite: Suite, broken: Settings, tmp_path: Path) -> None:
    answers = {query: answer for query, answer in run_of(suite, "a", A).answers.items() if query != "more"}
    page = run_page(suite, broken, tmp_path / "run.html", answers=answers, unanswered={"more": "the store was down"})
    assert "1 query was not answered, and counts as zero." in page.words
    assert "the store was down" in page.words


def test_products_and_photos_that_are_gone_are_counted(suite: Suite, shop: Settings, tmp_path: Path) -> None:
    (suite.directory / "photos" / "red.png").unlink()
    page = run_page(suite, shop, tmp_path / "run.html")
    assert "1 have no picture, or it is no longer there." in page.words
    assert "A question's photo cannot be shown." in page.words
    assert "no photo" in page.words


def test_nearly_all_is_not_all(suite: Suite) -> None:
    report = report_of(suite, run_of(suite, "a", A))
    shares = {1.0: 0.001, 2.0: 0.998}
    curve = Curve(list(shares.items()), [(0.0, 1.0)] * 2)
    assert title(replace(report, curves={"Success@k": curve})) == (
        "A right product comes first for under 1 % of the questions, among the first 2 for over 99 %"
    )


def test_headroom_is_said_when_it_is_measured(suite: Suite) -> None:
    document = run_of(suite, "a", A)
    row = as_row(report_of(suite, document, ["nDCG@10", "Oracle(nDCG@10)"]))
    headroom = row["headroom"]
    assert isinstance(headroom, list)
    assert [one["measure"] for one in headroom] == ["nDCG@10"]
    assert headroom[0]["best"] > headroom[0]["now"]
    assert as_row(report_of(suite, document))["headroom"] == []


def test_the_json_holds_curves_and_checks_and_no_nan(suite: Suite) -> None:
    row = as_row(report_of(suite, run_of(suite, "a", A), checks=CHECKS))
    read = json.loads(json.dumps(row, allow_nan=False))
    assert len(read["curves"]["Success@k"]["points"]) == 100
    assert read["checks"]["findings"][0]["count"] == 3
    assert read["worst"][0]["query"] == "sku"
    assert read["configuration"]["store"] == "memory"


def test_the_suite_is_checked_with_and_without_its_catalogue(suite: Suite, shop: Settings, broken: Settings) -> None:
    document = run_of(suite, "a", A)
    whole = checked(suite, document, shop)
    assert whole.skipped == ()
    assert "no-photo" in {one.check for one in whole.findings}
    assert checked(suite, document, broken).skipped
    another = manifest().model_copy(update={"catalog": "another"})
    assert checked(suite, document.model_copy(update={"build": another}), shop).skipped
