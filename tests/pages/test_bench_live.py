"""Judging, sliders and the query lab as people use them, in a browser."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from eval.suites.judgements import Judgements, read_judgements
from eval.suites.making.make import MadeKind, Recipe, make_suites
from eval.web.archive import key_of_suite
from indexer.bootstrap import open_catalogue
from indexer.images.decoders import DecoderPool
from indexer.settings import Settings
from tests.pages.browsing import Browsing, check_axe, check_width
from tests.pages.serving import CATALOG, Served


@pytest.fixture(scope="module")
def suites(served: Served) -> dict[str, Path]:
    """Of words and of edits, made from the catalogue that is served, by the keys that the bench has for them."""
    settings = Settings.model_validate({"home": served.home, "catalog": CATALOG})
    recipe = Recipe(catalog=CATALOG, kinds=(MadeKind.TEXT, MadeKind.EDIT), queries=4)
    out = served.home / "suites" / "live"
    with DecoderPool.of(settings.images) as decoders:
        made = make_suites(recipe, out, open_catalogue(settings), decoders, lambda done, total: None).suites
    return {key_of_suite(settings, one.directory) or "": one.directory for one in made}


def of(suites: dict[str, Path], name: str) -> tuple[str, Path]:
    return next((key, directory) for key, directory in suites.items() if directory.name == name)


def figures(page: Page) -> dict[str, float]:
    places = page.eval_on_selector_all(
        "[data-group]",
        """all => all.map(one => [
            one.dataset.group + ' ' + one.dataset.measure, one.querySelector('[data-now]').dataset.now
        ])""",
    )
    return {name: float(value) for name, value in places}


def shown(page: Page) -> list[str]:
    return list(page.eval_on_selector_all("#ranking li:not([hidden])", "all => all.map(one => one.dataset.at)"))


@pytest.mark.parametrize(("name", "slider"), [("text", "text.image"), ("edit", "edit.text")])
def test_moved_sliders_say_what_the_service_would(
    browsing: Browsing, desk_page: Page, suites: dict[str, Path], name: str, slider: str
) -> None:
    key, _ = of(suites, name)
    desk_page.goto(f"/bench/sliders?suite={key}")
    desk_page.get_by_role("button", name="Store the scores").click()
    desk_page.wait_for_selector("[data-ready]")
    before = figures(desk_page)
    assert before["all ndcg"] > 0.3
    moved = desk_page.locator(f"input[name='{slider}']")
    moved.focus()
    moved.press("Home")
    moved.press("PageUp")
    expect(desk_page.locator("#fragment")).to_contain_text(f"[search.weights.{name}]")
    check_axe(desk_page)
    without = browsing.page(signed_in=True, javascript=False)
    without.goto(desk_page.url)
    told = figures(without)
    assert figures(desk_page) == {place: pytest.approx(value, abs=1e-6) for place, value in told.items()}
    assert shown(desk_page) == shown(without)
    assert desk_page.locator("#fragment").inner_text().strip() == without.locator("#fragment").inner_text().strip()
    assert desk_page.locator("#worse a").all_inner_texts() == without.locator("#worse a").all_inner_texts()
    desk_page.get_by_role("link", name="As they are now").click()
    expect(desk_page.locator("#paste")).to_be_hidden()
    assert figures(desk_page) == before


def test_another_query_is_looked_at_without_leaving_the_page(desk_page: Page, suites: dict[str, Path]) -> None:
    key, _ = of(suites, "text")
    desk_page.goto(f"/bench/sliders?suite={key}")
    store = desk_page.get_by_role("button", name="Store the scores")
    if store.is_visible():
        store.click()
    desk_page.wait_for_selector("[data-ready]")
    first = shown(desk_page)
    desk_page.get_by_label("Question to look at").select_option(index=3)
    expect(desk_page.locator("#ranking")).to_have_attribute("data-query", re.compile(".+"))
    expect(desk_page.locator("#asked")).to_have_text(
        desk_page.locator("select[name=query] option:checked").inner_text()
    )
    assert len(shown(desk_page)) == 10
    assert "query=" in desk_page.url
    assert first


def test_pictures_are_graded_by_keys(desk_page: Page, suites: dict[str, Path]) -> None:
    key, directory = of(suites, "text")
    desk_page.goto(f"/bench/judge?suite={key}")
    cards = desk_page.locator(".judge-card")
    names = cards.evaluate_all("all => all.map(one => one.dataset.product)")
    expect(cards.first).to_be_focused()
    for pressed in ("3", "0", "2", "u", "ArrowLeft", "1"):
        desk_page.keyboard.press(pressed)
    expect(desk_page.locator("#told")).to_contain_text("1,")
    expect(desk_page.locator("#graded")).to_have_text("2")
    check_axe(desk_page)
    query = desk_page.locator("#sheet").get_attribute("data-query") or ""
    assert _given(read_judgements(directory), query) == {names[0]: 3, names[1]: 1}
    desk_page.keyboard.press("n")
    desk_page.wait_for_url("**query=**")
    desk_page.keyboard.press("3")
    expect(desk_page.locator("#told")).to_contain_text("3,")
    second = desk_page.locator("#sheet").get_attribute("data-query")
    desk_page.goto(f"/bench/judge?suite={key}")
    assert desk_page.locator("#sheet").get_attribute("data-query") == second


def _given(judgements: Judgements, query: str) -> dict[str, int]:
    (judge,) = judgements.grades
    return judgements.of(judge, query)


def test_pictures_are_graded_without_scripts(browsing: Browsing, suites: dict[str, Path]) -> None:
    key, directory = of(suites, "edit")
    page = browsing.page(signed_in=True, javascript=False)
    page.goto(f"/bench/judge?suite={key}")
    page.locator(".judge-card").first.get_by_role("button", name="2, Good").click()
    expect(page.locator(".judge-card").first).to_have_attribute("data-grade", "2")
    page.locator(".judge-card").first.get_by_role("button", name="Take back").click()
    expect(page.locator(".judge-card").first).to_have_attribute("data-grade", "")
    assert read_judgements(directory).judged == 0


def test_a_grade_that_is_lost_is_told_and_shown_as_lost(
    browsing: Browsing, desk_page: Page, suites: dict[str, Path]
) -> None:
    key, _ = of(suites, "edit")
    desk_page.goto(f"/bench/judge?suite={key}")
    desk_page.route("**/bench/judge", lambda route: route.abort())
    desk_page.keyboard.press("3")
    expect(desk_page.locator("#failed")).to_contain_text("could not be saved")
    expect(desk_page.locator(".judge-card").first).to_have_attribute("data-grade", "")
    browsing.faults[:] = [one for one in browsing.faults if "ERR_FAILED" not in one]


def test_nothing_is_wider_than_a_phone_and_all_can_read_it(browsing: Browsing, suites: dict[str, Path]) -> None:
    key, _ = of(suites, "edit")
    page = browsing.page(signed_in=True, width=320)
    for path in ("lab?q=red+mug&why_not=nope", f"judge?suite={key}", "judge", f"sliders?suite={key}", "sliders"):
        page.emulate_media(color_scheme="light")
        page.goto(f"/bench/{path}")
        check_width(page)
        check_axe(page)
        page.emulate_media(color_scheme="dark")
        check_axe(page, "color-contrast")
