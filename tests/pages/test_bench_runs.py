"""An evaluation run and a comparison as an analyst makes them, in a browser."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from eval.suites.making.make import MadeKind, Recipe, make_suites
from indexer.bootstrap import open_catalogue
from indexer.images.decoders import DecoderPool
from indexer.settings import Settings
from tests.pages.browsing import BUILT, Browsing, check_axe, check_width
from tests.pages.serving import CATALOG, Served


@pytest.fixture(scope="module")
def suite(served: Served) -> Path:
    """Of a few words and edits."""
    settings = Settings.model_validate({"home": served.home, "catalog": CATALOG})
    recipe = Recipe(catalog=CATALOG, kinds=(MadeKind.TEXT,), queries=4)
    with DecoderPool.of(settings.images) as decoders:
        out = served.home / "suites" / "runs"
        return (
            make_suites(recipe, out, open_catalogue(settings), decoders, lambda done, total: None).suites[0].directory
        )


def run(page: Page, name: str, settings: str) -> None:
    page.goto("/bench/suites")
    page.get_by_role("article").filter(has_text="runs/text").get_by_role("link", name="Run it").click()
    page.get_by_label("Name of the run").fill(name)
    page.get_by_label("Search settings to try").fill(settings)
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_text(f"“{name}” is done.")).to_be_visible(timeout=BUILT)


def test_two_runs_are_made_looked_at_and_compared(desk_page: Page, suite: Path) -> None:
    page = desk_page
    run(page, "As it is", "")
    page.get_by_role("link", name="Look at it").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("A right product comes first for")
    check_axe(page)
    check_width(page)
    with page.expect_download() as keeping:
        page.get_by_role("link", name="Questions (CSV)").click()
    assert "nDCG@10" in Path(keeping.value.path()).read_text("utf-8-sig").splitlines()[0]
    run(page, "Words alone", "weights.text.image=0")
    check_axe(page)
    check_width(page)
    for name, letter in (("As it is", "A"), ("Words alone", "B")):
        row = page.get_by_role("row").filter(has=page.get_by_role("link", name=name))
        row.get_by_role("radio", name=f"as {letter}").check()
    page.get_by_role("button", name="Compare A and B").click()
    expect(page.get_by_role("heading", name="Measures")).to_be_visible()
    expect(page.get_by_text("search.weights.text.image")).to_be_visible()
    check_axe(page)
    check_width(page)


def test_a_mistake_is_told_beside_what_was_typed(browsing: Browsing, suite: Path) -> None:
    page = browsing.page(signed_in=True)
    page.goto("/bench#start")
    page.get_by_role("heading", name="Start a run").click()
    page.get_by_label("Name of the run").fill("Mistaken")
    page.get_by_label("Search settings to try").fill("weights.text.image=much")
    with page.expect_response("**/bench/runs") as answered:
        page.get_by_role("button", name="Start", exact=True).click()
    assert answered.value.status == 400
    expect(page.get_by_role("alert")).to_contain_text("search.weights")
    expect(page.get_by_label("Name of the run")).to_have_value("Mistaken")
    assert len(browsing.faults) == 1
    browsing.faults.clear()  # Chromium tells the console of every answer of 400


def test_the_bench_works_without_scripts(browsing: Browsing, suite: Path) -> None:
    page = browsing.page(signed_in=True, javascript=False)
    run(page, "Plainly", "")
