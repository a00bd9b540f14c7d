"""A merchandiser looks at a build, publishes it, goes back; writes rules and changes products: in a browser."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from indexer.bootstrap import open_catalogue, open_pipeline
from indexer.settings import Settings
from indexer.sources import open_source
from tests.pages.browsing import Browsing, check_axe, check_width
from tests.pages.serving import Served

SMALL = 24
"""Products of the stall."""
STALL = "stall"
"""A catalog of its own: others publish in the showroom."""


@dataclass(frozen=True)
class Held:
    """A build of the stall that is not published. The published one has one product more, of the title `gone`."""

    build: str
    gone: str


@pytest.fixture(scope="module")
def held(served: Served, showroom_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Held:
    photos = showroom_home.parent / "photos"
    rows = (photos / "catalogue.jsonl").read_text("utf-8").splitlines()[:SMALL]
    folder = tmp_path_factory.mktemp("stall")
    settings = Settings.model_validate({"home": served.home})
    database = open_catalogue(settings)
    build = ""
    for chosen, hold in ((rows, False), (rows[1:], True)):
        file = folder / "catalogue.jsonl"
        file.write_text("\n".join(chosen), "utf-8")
        source = open_source(str(file), root=str(photos))
        build = open_pipeline(database, settings).run(source, STALL, lambda progress: None, hold=hold).build
    database.dispose()
    return Held(build, json.loads(rows[0])["title"])


def fine(page: Page) -> None:
    check_axe(page)
    check_width(page)


def test_a_build_is_previewed_published_and_rolled_back(browsing: Browsing, held: Held) -> None:
    page, build = browsing.page(signed_in=True), held.build
    page.goto(f"/desk/builds/{build}")
    fine(page)
    page.get_by_role("link", name="Look at it beside the live one").click()
    page.get_by_label("What a shopper types").fill(held.gone)
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", name=re.compile("1 gone"))).to_be_visible()
    expect(page.get_by_text("gone", exact=True).first).to_be_visible()
    fine(page)

    page.get_by_role("link", name="To publishing").click()
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_text("Published by first admin key.")).to_be_visible()
    expect(page.get_by_text("Shoppers search this build")).to_be_visible()

    page.get_by_text("Roll back…").click()
    page.get_by_role("button", name=re.compile("Yes, go back to")).click()
    newest = page.get_by_role("region", name=STALL).get_by_role("row").nth(1)
    expect(newest).to_contain_text("first admin key")
    expect(newest).to_contain_text(build)
    fine(page)


def test_it_is_published_without_scripts_too(browsing: Browsing, held: Held) -> None:
    page, build = browsing.page(signed_in=True, javascript=False, width=320), held.build
    page.goto(f"/desk/builds/{build}")
    again = page.get_by_text("Publish it again…")
    if again.count():  # the test above took it off
        again.click()
    page.get_by_role("button", name=re.compile("^Publish$|publish it again")).click()
    expect(page.get_by_text("Shoppers search this build")).to_be_visible()
    page.get_by_text("Roll back…").click()
    page.get_by_role("button", name=re.compile("Yes, go back to")).click()
    expect(page.get_by_role("heading", name="Publications")).to_be_visible()
    page.get_by_text("Go forward again…").click()
    page.get_by_role("button", name=f"Yes, go forward to {build}").click()
    page.get_by_text("Roll back…").click()
    page.get_by_role("button", name=re.compile("Yes, go back to")).click()


def test_a_result_is_pinned_from_the_preview(browsing: Browsing, held: Held) -> None:
    page = browsing.page(signed_in=True)
    page.goto(f"/desk/rules?catalog={STALL}&q=sneakers")
    results = page.get_by_role("region", name="With your drafts").get_by_role("listitem")
    title = results.nth(3).locator(".name").inner_text()
    results.nth(3).get_by_role("button", name=re.compile("Pin first")).click()
    expect(results.first.locator(".name")).to_have_text(title)
    expect(results.first).to_contain_text("was 4")
    fine(page)
    page.get_by_role("button", name=re.compile("Publish rule")).click()
    shoppers = page.get_by_role("region", name="As shoppers see it").get_by_role("listitem")
    expect(shoppers.first.locator(".name")).to_have_text(title)
    page.get_by_role("button", name=re.compile("Take out rule")).click()
    expect(page.get_by_text("No rule is live.")).to_be_visible()


def test_a_product_is_changed_with_the_keyboard_alone(browsing: Browsing, held: Held) -> None:
    page = browsing.page(signed_in=True, dark=True)
    page.goto(f"/desk/products?catalog={STALL}")
    fine(page)
    page.get_by_role("searchbox").focus()
    page.keyboard.type("sneakers")
    page.keyboard.press("Enter")
    page.locator(".cards a").first.focus()
    page.keyboard.press("Enter")
    page.get_by_label("Price", exact=True).focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("12.34")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Every search shows it now.")
    expect(page.get_by_label("Price", exact=True)).to_have_value("12.34")
    fine(page)
    page.get_by_label("Title").fill("Felt slippers of the house")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Felt slippers of the house")


def test_every_page_fits_a_phone(browsing: Browsing, held: Held) -> None:
    page = browsing.page(signed_in=True, width=320)
    for path in (
        f"/desk/builds/{held.build}",
        "/desk/history",
        f"/desk/rules?catalog={STALL}&q=mug",
        "/desk/preview?q=mug",
    ):
        page.goto(path)
        fine(page)
