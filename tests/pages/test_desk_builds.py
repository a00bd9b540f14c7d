"""A merchandiser builds a catalogue: from a file on their own machine to a build that waits to be published."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.pages.browsing import BUILT, Browsing, check_axe

FEED = "id,title,price,colour,images\nhat,Straw hat,5 EUR,yellow,gone.png\ncap,Cap,7 EUR,red,\n,Nameless,,,\n"


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    file = tmp_path / "hats.csv"
    file.write_text(FEED)
    return file


def choose(page: Page, feed: Path, catalog: str) -> None:
    page.goto("/desk/new")
    page.get_by_label("A catalogue file").set_input_files(feed)
    page.get_by_label("Name of the catalogue").fill(catalog)
    page.get_by_role("button", name="Look at it", exact=True).click()


def test_from_a_file_to_a_build_that_waits(desk_page: Page, feed: Path) -> None:
    page = desk_page
    choose(page, feed, "hats")
    expect(page.get_by_role("heading", name="hats.csv")).to_be_visible()
    expect(page.get_by_role("heading", name="Straw hat")).to_be_visible()
    check_axe(page)

    page.get_by_role("button", name="See what it would change").click()
    expect(page.get_by_text("every product is new")).to_be_visible(timeout=BUILT)
    expect(page.get_by_text("Photo missing").first).to_be_visible()
    check_axe(page)

    page.get_by_role("button", name="Build", exact=True).click()
    expect(page).to_have_url(re.compile(r"/desk/builds/\d{8}-"))
    expect(page.get_by_text("Held for you")).to_be_visible(timeout=BUILT)  # without a reload by hand
    expect(page.get_by_role("link", name=re.compile("Broken row"))).to_be_visible()
    check_axe(page)

    page.get_by_role("link", name=re.compile("Photo missing")).click()
    expect(page.get_by_role("cell", name=re.compile("gone.png")).first).to_be_visible()
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download as CSV").click()
    assert downloading.value.path().read_text().startswith("line,product,photo,reason,detail")

    page.goto("/desk")
    expect(page.get_by_text("waits for you to publish")).to_be_visible()


def test_the_same_without_scripts(browsing: Browsing, feed: Path) -> None:
    page = browsing.page(signed_in=True, javascript=False)
    feed.write_text("nr,kopf\nhut,Strohhut\n")
    choose(page, feed, "huete")
    expect(page.get_by_text("needed")).to_have_count(2)
    page.get_by_label("Id needed").select_option("id:nr")
    page.get_by_label("Title needed").select_option("title:kopf")
    page.get_by_role("button", name="Read it so").click()
    page.get_by_role("button", name="See what it would change").click()
    expect(page.get_by_text("every product is new")).to_be_visible(timeout=BUILT)
    page.get_by_role("button", name="Build", exact=True).click()
    expect(page.get_by_text("Held for you")).to_be_visible(timeout=BUILT)


def test_a_file_that_is_too_large_is_told_before_it_is_sent(desk_page: Page, feed: Path) -> None:
    desk_page.goto("/desk/new")
    field = desk_page.get_by_label("A catalogue file")
    field.evaluate("one => { one.dataset.most = '10'; }")
    field.set_input_files(feed)
    assert "too large" in field.evaluate("one => one.validationMessage")
    desk_page.get_by_role("button", name="Look at it", exact=True).click()
    assert desk_page.url.endswith("/desk/new")


def test_what_was_typed_is_still_there_when_the_file_is_refused(browsing: Browsing) -> None:
    desk_page = browsing.page(signed_in=True)
    desk_page.goto("/desk/new")
    desk_page.get_by_label("or where the catalogue is").fill("/etc/passwd")
    desk_page.get_by_label("Name of the catalogue").fill("secrets")
    desk_page.get_by_role("button", name="Look at it", exact=True).click()

    expect(desk_page.get_by_role("alert")).to_contain_text("pages.sources")
    expect(desk_page.get_by_label("or where the catalogue is")).to_have_value("/etc/passwd")
    expect(desk_page.get_by_label("Name of the catalogue")).to_have_value("secrets")
    assert ["400 (Bad Request)" in fault for fault in browsing.faults] == [True]  # as browsers tell of such a page
    browsing.faults.clear()
