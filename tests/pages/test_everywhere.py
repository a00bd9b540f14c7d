"""What holds for every page there is, in every state it has."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import httpx2
import pytest
from fastapi import APIRouter
from playwright.sync_api import Browser, Page

from service.web import signing
from service.web.media import router as media_router
from service.web.site import installed_pages
from tests.pages.browsing import Browsing, check_axe, check_width
from tests.pages.hostile import CALCULATED, INSPECT, PAYLOADS, product_id
from tests.pages.lived_in import live_in
from tests.pages.places import NO_PAGES, PLACES, Place
from tests.pages.serving import Served

SIZES = {"narrow": 320, "zoomed": 640}
"""A telephone, and a window of 1280 pixels at 200 %."""
ALL = pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
TOGETHER = 25
"""Payloads in one address."""
PARSED = f"html => ({INSPECT})(new DOMParser().parseFromString(html, 'text/html'))"
PLAIN = """html => {
    const page = new DOMParser().parseFromString(html, 'text/html'), wrong = [];
    if (page.querySelectorAll('h1').length !== 1) wrong.push('not one h1');
    for (const one of page.querySelectorAll('img:not([width]), img:not([height]), img:not([alt])'))
        wrong.push(one.outerHTML);
    for (const one of page.querySelectorAll('button'))
        if ((one.type !== 'submit' || !one.form) && !one.closest('[hidden], dialog')) wrong.push(one.outerHTML);
    return wrong;
}"""
"""What is wrong with a page whose scripts do not run: a button that does nothing, or a picture without a size."""


@pytest.fixture(scope="module")
def lived(
    served: Served, session_cookie: str, showroom_home: Path, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, str]:
    """What the addresses of places are filled with."""
    source = showroom_home.parent / "photos" / "catalogue.jsonl"
    return live_in(served, session_cookie, source, tmp_path_factory.mktemp("lived-in"))


@pytest.fixture(scope="module")
def visiting(browser: Browser, served: Served, session_cookie: str) -> Iterator[Browsing]:
    """One for all places: a browser keeps the pictures that several of them show."""
    visiting = Browsing(browser, served.url, session_cookie)
    yield visiting
    visiting.close()


@pytest.fixture(scope="module")
def visitors(visiting: Browsing) -> dict[bool, Page]:
    """Of a shopper, and of somebody who is signed in."""
    return {signed_in: visiting.page(signed_in=signed_in) for signed_in in (False, True)}


@pytest.fixture
def browsing(visiting: Browsing) -> Iterator[Browsing]:
    visiting.faults.clear()
    yield visiting
    assert visiting.faults == []


@pytest.fixture
def page(browsing: Browsing, visitors: dict[bool, Page], place: Place) -> Page:
    """At a desk, in the light: of whoever may see the place."""
    page = visitors[place.signed_in]
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 900})
    return page


@pytest.fixture(scope="module")
def fetching(served: Served, session_cookie: str) -> Iterator[httpx2.Client]:
    """Somebody who is signed in, without a browser."""
    cookies, headers = {"vitrine_session": session_cookie}, {"Accept": "text/html"}
    with httpx2.Client(base_url=served.url, trust_env=False, timeout=60, cookies=cookies, headers=headers) as client:
        yield client


def left(page: Page, name: str) -> None:
    """A picture of the page for people to look at, where somebody wants them."""
    named = os.environ.get("VITRINE_TEST_ARTEFACTS")
    if named:
        page.screenshot(path=Path(named) / f"{name}.jpg", quality=80)


@pytest.fixture(scope="module")
def inspecting(browser: Browser, served: Served) -> Iterator[Page]:
    """A page to read others in, as a browser reads them, without running anything."""
    with browser.new_page(base_url=served.url) as page:
        page.goto("/sign-in")
        yield page


@ALL
@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.long)], ids=["short", "long"])
def test_it_can_be_used_by_everybody_on_every_device(
    browsing: Browsing, page: Page, lived: Mapping[str, str], place: Place, whole: bool
) -> None:
    answer = page.goto(place.path.format(**lived), wait_until="load")
    assert answer is not None
    assert answer.status == place.status, page.locator("body").inner_text()[:500]
    if place.status != 200:
        browsing.faults[:] = [one for one in browsing.faults if "Failed to load resource" not in one]
    check_axe(page, whole=whole)
    left(page, f"{place.name}-light")
    page.emulate_media(color_scheme="dark")
    check_axe(page, "color-contrast", whole=whole)
    left(page, f"{place.name}-dark")
    for name, width in SIZES.items():
        page.set_viewport_size({"width": width, "height": 800})
        check_width(page)
        left(page, f"{place.name}-{name}")


@ALL
def test_its_markup_needs_no_script(
    inspecting: Page, lived: Mapping[str, str], fetching: httpx2.Client, place: Place
) -> None:
    answer = fetching.get(place.path.format(**lived))
    assert answer.status_code == place.status
    assert inspecting.evaluate(PLAIN, answer.text) == []


@pytest.mark.parametrize("place", [one for one in PLACES if "hostile" in one.name], ids=lambda place: place.name)
def test_nothing_that_a_catalogue_says_is_run(page: Page, lived: Mapping[str, str], place: Place) -> None:
    page.goto(place.path.format(**lived))
    page.mouse.wheel(0, 20_000)
    page.wait_for_load_state("networkidle")
    assert page.evaluate(f"({INSPECT})(document)") == []
    assert CALCULATED not in page.content()


def test_what_is_looked_for_would_be_found(inspecting: Page) -> None:
    """All but four of them, which are for readers other than a browser's, were anything written as it is."""
    ways = ("<p>{}</p>", '<p title="{}">', "<p title='{}'>", '<a href="{}">')
    missed = [
        payload
        for payload in PAYLOADS
        if not any(inspecting.evaluate(PARSED, way.replace("{}", payload)) for way in ways)
    ]
    assert len(PAYLOADS) == len(set(PAYLOADS)) == 50
    assert len(missed) <= 4


@pytest.mark.parametrize("path", ["/p/{}?catalog=hostile", "/desk/products/edit?id={}&catalog=hostile"])
def test_nothing_of_any_product_becomes_markup(inspecting: Page, fetching: httpx2.Client, path: str) -> None:
    """As the pages come from the service: without a policy to lean on."""
    for number, payload in enumerate(PAYLOADS):
        answer = fetching.get(path.format(quote(product_id(number), safe="")))
        assert answer.status_code == 200, payload
        assert inspecting.evaluate(PARSED, answer.text) == [], payload
        assert CALCULATED not in answer.text


@pytest.mark.parametrize("place", [one for one in PLACES if "?" in one.path], ids=lambda place: place.name)
def test_nothing_that_an_address_says_becomes_markup(
    inspecting: Page, lived: Mapping[str, str], fetching: httpx2.Client, place: Place
) -> None:
    path, _, query = place.path.format(**lived).partition("?")
    for start in range(0, len(PAYLOADS), TOGETHER):
        said = " ".join(PAYLOADS[start : start + TOGETHER])
        for name in httpx2.QueryParams(query):
            answer = fetching.get(path, params=httpx2.QueryParams(query).set(name, said))
            assert answer.status_code < 500, (name, answer.text[:500])
            assert inspecting.evaluate(PARSED, answer.text) == [], name
            assert CALCULATED not in answer.text


def test_no_page_is_left_out() -> None:
    routers = [signing.router, media_router, *(one.router for one in installed_pages())]
    routes = {path for router in routers for path in addresses(router)}
    assert routes == {place.route for place in PLACES if place.name != "no-page"} | NO_PAGES


def addresses(router: APIRouter) -> set[str]:
    """Of everything that can be got."""
    found: set[str] = set()
    for route in router.routes:
        included = getattr(route, "original_router", None)
        if included is not None:
            found |= addresses(included)
        elif "GET" in getattr(route, "methods", ()):
            found.add(str(getattr(route, "path", "")))
    return found
