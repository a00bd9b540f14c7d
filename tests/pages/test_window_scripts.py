"""What the shop window does while one types, points, scrolls and looks, in a real browser over a real service."""

import re
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Locator, Page, expect

from indexer.bootstrap import open_catalogue
from indexer.catalog.feedback import FeedbackRepository
from indexer.catalog.records import Feedback
from indexer.settings import Settings
from service.web.window.photo_shelf import FOLDER
from tests.pages.browsing import Browsing, check_axe
from tests.pages.serving import CATALOG, Served

ONE_PAGE = 24
FIELD = "#search input[name=q]"


@pytest.fixture(scope="module")
def sneaker(showroom_home: Path) -> bytes:
    """A product's photo as a shopper has it: large."""
    source = sorted((showroom_home.parent / "photos").rglob("SNK-*.jpg"))[0]
    file = BytesIO()
    with Image.open(source) as image:
        image.resize((2400, 2400)).save(file, "JPEG")
    return file.getvalue()


def cards(page: Page) -> Locator:
    return page.locator("#results > li[data-product]")


def mark(page: Page) -> None:
    """So that it can be told whether the page is still the same one."""
    page.evaluate("window.sameOne = true")


def is_same(page: Page) -> bool:
    return bool(page.evaluate("window.sameOne === true"))


def said(served: Served) -> list[Feedback]:
    with open_catalogue(Settings.model_validate({"home": served.home})).session() as session:
        return list(FeedbackRepository(session).of_catalog(CATALOG))


def upload(page: Page, photo: bytes) -> None:
    page.set_input_files("#search input[type=file]", FilePayload(name="mine.jpg", mimeType="image/jpeg", buffer=photo))
    page.wait_for_url(re.compile("photo="))


def test_from_a_few_letters_to_a_product_and_back_by_keys_alone(page: Page, served: Served) -> None:
    before = len(said(served))
    page.goto("/")
    page.focus(FIELD)
    page.keyboard.type("red sne")
    listbox = page.get_by_role("listbox")
    expect(listbox.get_by_role("option").first).to_have_text("red sneaker")
    expect(page.locator(FIELD)).to_have_attribute("aria-expanded", "true")
    check_axe(page)
    page.keyboard.press("Escape")
    expect(listbox).to_be_hidden()
    expect(page.locator(FIELD)).to_have_value("red sne")
    page.keyboard.press("ArrowDown")
    expect(listbox).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(page.locator("[role=option][aria-selected=true]")).to_have_text("red sneaker")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"\?q=red\+sneaker$"))
    first = cards(page).first.get_by_role("heading").get_by_role("link")
    first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/p/"))
    page.go_back()
    expect(cards(page)).to_have_count(ONE_PAGE)
    told = said(served)[before:]
    product = cards(page).first.get_attribute("data-product")
    assert [(one.kind, one.product, one.rank, one.query) for one in told] == [
        ("click", product, 1, {"text": "red sneaker"})
    ]


def test_suggestions_come_though_those_before_them_are_still_under_way(page: Page) -> None:
    page.route(lambda url: url.endswith("q=red"), lambda route: None)
    page.goto("/")
    page.focus(FIELD)
    with page.expect_request(lambda request: request.url.endswith("q=red")):
        page.keyboard.type("red")
    page.keyboard.type(" sne")
    expect(page.get_by_role("option").first).to_have_text("red sneaker")


def test_what_was_searched_before_is_known_to_this_browser_alone_and_can_be_forgotten(page: Page) -> None:
    page.goto("/")
    page.fill(FIELD, "green mug")
    page.press(FIELD, "Enter")
    expect(cards(page).first).to_be_visible()
    page.goto("/")
    page.focus(FIELD)
    options = page.get_by_role("option")
    expect(options).to_have_text(["green mug", "Forget these searches"])
    options.nth(1).click()
    page.locator("h1").click()
    page.focus(FIELD)
    expect(options).to_have_count(0)


def test_a_photo_a_part_of_it_but_blue_and_why(page: Page, served: Served, sneaker: bytes) -> None:
    page.goto("/")
    with page.expect_request(lambda request: request.method == "POST") as posted:
        upload(page, sneaker)
    assert len(posted.value.post_data_buffer or b"") < len(sneaker)  # made smaller before it was sent
    kept = max((served.home / FOLDER).iterdir(), key=lambda one: one.stat().st_mtime)
    with Image.open(kept) as image:
        assert image.size == (1024, 1024)
    frame = page.locator(".region-frame")
    frame.focus()
    for key in ("ArrowRight", "ArrowDown", "Shift+ArrowLeft", "Shift+ArrowUp"):
        page.keyboard.press(key)
    check_axe(page)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("box=0.22%2C0.22%2C0.58%2C0.58"))
    page.fill(FIELD, "but blue")
    page.press(FIELD, "Enter")
    page.wait_for_url(re.compile("but"))
    assert "box=" in page.url
    expect(cards(page).first).to_be_visible()
    why = cards(page).first.locator("details", has=page.locator("summary", has_text="Why"))
    why.locator("summary").click()
    expect(why.locator("meter").first).to_be_visible()


def test_a_part_is_drawn_with_the_mouse_or_chosen_of_those_that_were_found(page: Page, sneaker: bytes) -> None:
    page.goto("/")
    upload(page, sneaker)
    mark(page)
    found = page.locator(".region-found")
    expect(found.first).to_be_visible()
    stage = page.locator(".region-stage").bounding_box()
    assert stage is not None
    page.mouse.move(stage["x"] + stage["width"] * 0.1, stage["y"] + stage["height"] * 0.1)
    page.mouse.down()
    page.mouse.move(stage["x"] + stage["width"] * 0.6, stage["y"] + stage["height"] * 0.5, steps=4)
    page.mouse.up()
    assert "box=" not in page.url  # a drag over a found part does not choose it
    page.get_by_role("button", name="Search with this part").click()
    page.wait_for_url(re.compile("box="))
    left, top, width, height = (float(one) for one in page.url.split("box=")[1].split("%2C"))
    assert (left, top, width, height) == pytest.approx((0.1, 0.1, 0.5, 0.4), abs=0.02)
    found.first.click()
    page.wait_for_url(lambda url: f"box={left}" not in url)
    assert is_same(page)


@pytest.mark.parametrize("way", ["paste", "drop"])
def test_a_photo_may_be_pasted_or_dropped_anywhere(page: Page, way: str) -> None:
    page.goto("/")
    page.fill(FIELD, "in green")
    page.evaluate(
        """async way => {
            const canvas = Object.assign(document.createElement('canvas'), {width: 200, height: 200});
            canvas.getContext('2d').fillRect(50, 50, 100, 100);
            const blob = await new Promise(done => canvas.toBlob(done, 'image/png'));
            const held = new DataTransfer();
            held.items.add(new File([blob], 'held.png', {type: 'image/png'}));
            const event = way === 'paste'
                ? new ClipboardEvent('paste', {clipboardData: held, bubbles: true, cancelable: true})
                : new DragEvent('drop', {dataTransfer: held, bubbles: true, cancelable: true});
            document.querySelector('main').dispatchEvent(event);
        }""",
        way,
    )
    page.wait_for_url(re.compile(r"q=in\+green&photo=[\w-]{22}$"))
    expect(page.locator("figure[data-photo] img")).to_be_visible()
    page.go_back()
    page.fill(FIELD, "mug")
    page.press(FIELD, "Enter")
    page.wait_for_url(re.compile(r"\?q=mug$"))


def test_more_results_come_while_one_scrolls_and_are_there_again_after_a_look_at_one(page: Page) -> None:
    page.goto("/?q=striped")
    expect(cards(page)).to_have_count(ONE_PAGE)
    page.locator(".pager").scroll_into_view_if_needed()
    last = cards(page).nth(ONE_PAGE + 3)
    expect(last).to_be_visible()
    expect(page.locator("#told")).to_have_text(re.compile(r"^More results: \d+$"))
    count = cards(page).count()
    assert len({one.get_attribute("data-rank") for one in cards(page).all()}) == count
    last.scroll_into_view_if_needed()
    height = page.evaluate("scrollY")
    last.get_by_role("heading").get_by_role("link").click()
    page.wait_for_url(re.compile("/p/"))
    page.go_back()
    expect(cards(page)).to_have_count(count)
    expect(last).to_be_in_viewport()
    assert page.evaluate("scrollY") == pytest.approx(height, abs=200)


def test_filters_orders_and_chips_change_the_page_in_place_and_going_back_takes_them_back(page: Page) -> None:
    page.goto("/?q=mug")
    expect(cards(page).first).to_be_visible()
    mark(page)
    cheapest = page.get_by_role("link", name=re.compile("^Price ↑"))
    cheapest.click()
    page.wait_for_url(re.compile("sort=price"))
    expect(cheapest).to_have_attribute("aria-current", "true")
    page.locator("aside").get_by_role("link", name=re.compile("Green", re.I)).first.click()
    page.wait_for_url(re.compile("where="))
    expect(page.locator("#told")).not_to_be_empty()
    page.go_back()
    page.wait_for_url(re.compile("sort=price$"))
    page.go_back()
    page.wait_for_url(re.compile("q=mug$"))
    expect(cheapest).not_to_have_attribute("aria-current", "true")
    assert is_same(page)


def test_where_a_part_cannot_be_had_the_link_is_followed_as_any_other(browsing: Browsing, page: Page) -> None:
    page.goto("/?q=mug")
    mark(page)
    page.route(
        lambda url: "sort=price" in url,
        lambda route: (
            route.continue_() if route.request.is_navigation_request() else route.fulfill(status=500, body="")
        ),
    )
    page.get_by_role("link", name=re.compile("^Price ↑")).click()
    page.wait_for_url(re.compile("sort=price"))
    expect(cards(page).first).to_be_visible()
    assert not is_same(page)
    browsing.faults.clear()  # the console tells of the answer that this test made up


def test_marks_appear_on_the_results_that_are_there(page: Page) -> None:
    page.goto("/?q=red+sneaker")
    page.get_by_role("link", name=re.compile("^Check the first")).click()
    expect(page.locator("#told")).to_have_text("Results checked: 8 of 8")
    expect(cards(page).first.locator(".mark.yes").first).to_be_visible()
    check_axe(page)


def test_a_check_that_ends_at_once_is_not_talked_over_by_the_heading(page: Page) -> None:
    page.add_init_script(
        "const later = setTimeout; window.setTimeout = (act, ms) => ms === 50 ? (window.late = act) : later(act, ms);"
    )
    page.goto("/?q=red+sneaker")
    page.get_by_role("link", name=re.compile("^Check the first")).click()
    expect(page.locator("#told")).to_have_text("Results checked: 8 of 8")
    page.evaluate("window.late()")
    expect(page.locator("#told")).to_have_text("Results checked: 8 of 8")


def test_what_was_not_meant_is_noted_with_its_answer(page: Page, served: Served) -> None:
    page.goto("/?q=red+sneaker")
    before = len(said(served))
    card = cards(page).nth(2)
    with page.expect_response("**/feedback") as answer:
        card.get_by_role("button", name="Not what I meant").click()
    assert answer.value.status == 204
    expect(card.locator(".noted")).to_be_focused()
    expect(card.locator("h3")).to_be_hidden()
    card.get_by_role("button", name="Show it again").click()
    expect(card.locator("h3")).to_be_visible()
    expect(card.locator(".noted")).to_have_count(0)
    [one] = said(served)[before:]
    assert (one.kind, one.product, one.rank) == ("not_meant", card.get_attribute("data-product"), 3)


def test_escape_closes_what_is_open_and_leaves_what_was_typed(page: Page) -> None:
    page.goto("/?q=red+sneaker")
    why = cards(page).first.locator("details", has_text="Why")
    why.locator("summary").click()
    expect(why).to_have_attribute("open", "")
    page.keyboard.press("Escape")
    expect(why).not_to_have_attribute("open", "")
    expect(why.locator("summary")).to_be_focused()
    page.focus(FIELD)
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.locator(FIELD)).to_have_value("red sneaker")


def test_a_further_change_joins_the_one_before_it(page: Page) -> None:
    page.goto("/?q=red+sneaker")
    product = cards(page).first.get_attribute("data-product")
    page.goto(f"/?like={product}&change=but+blue")
    page.fill(".asked-but input[name=also]", "but striped")
    page.press(".asked-but input[name=also]", "Enter")
    expect(page.locator("h1")).to_have_text("but blue, but striped")
    page.locator(".chips a", has_text="but blue").click()
    expect(page.locator("h1")).to_have_text("but striped")
