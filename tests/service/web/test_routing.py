"""What holds for all routes of pages."""

import gc
import shutil
from pathlib import Path

import pytest
from jinja2 import Environment
from sqlalchemy import text
from starlette.testclient import TestClient

from indexer.bootstrap import open_catalogue
from indexer.catalog.states import Scope
from service.access import Access
from tests.pages import Page
from tests.service.apps import app_over
from tests.service.worlds import settings_of

DEMANDED = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "private, no-cache",
}


@pytest.mark.parametrize("path", ["/", "/sign-in", "/p/nothing"])
def test_every_page_comes_with_its_rules(visitor: TestClient, path: str) -> None:
    answer = visitor.get(path)
    policy = dict(one.strip().split(" ", 1) for one in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == policy["form-action"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert {name: answer.headers[name] for name in DEMANDED} == DEMANDED
    assert set(answer.headers["vary"].split(", ")) >= {"Accept-Language", "Cookie"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://testserver.evil.example"},
        {"Origin": "http://testserver:8000"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://testserver"},
    ],
)
def test_what_another_sites_page_sends_is_refused(admin: TestClient, headers: dict[str, str]) -> None:
    answer = admin.post("/sign-out", headers=headers)
    assert answer.status_code == 403
    assert "another site" in Page(answer.text).words
    assert "Sign out" in Page(admin.get("/sign-in").text).words


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Host": "127.0.0.1:8000", "Origin": "https://shop.example", "Sec-Fetch-Site": "same-origin"},
    ],
)
def test_our_own_pages_may_send(visitor: TestClient, headers: dict[str, str]) -> None:
    assert visitor.post("/language", data={"to": "de"}, headers=headers).status_code == 303


def test_a_key_for_one_part_does_not_open_the_other(visitor: TestClient, access: Access) -> None:
    visitor.cookies.set("vitrine_session", access.sign_in(access.add("Ben", [Scope.ANALYSE])[1]) or "")
    bench, desk = visitor.get("/bench"), visitor.get("/desk")
    assert (bench.status_code, desk.status_code) == (200, 403)
    assert "does not open this" in Page(desk.text).words
    for answer in (bench, desk):
        assert "/bench" in [given.get("href") for tag, given in Page(answer.text).tags if tag == "a"]
        assert 'href="/desk"' not in answer.text


def test_a_form_that_is_sent_without_a_session_leads_to_signing_in(visitor: TestClient) -> None:
    assert visitor.post("/desk/new").headers["location"].startswith("/sign-in")


def test_a_part_of_a_page_is_told_alone_what_is_wrong(visitor: TestClient) -> None:
    whole, part = visitor.get("/p/nothing"), visitor.get("/p/nothing", headers={"X-Part": "1"})
    assert whole.status_code == part.status_code == 404
    assert "<html" in whole.text
    assert "<html" not in part.text
    assert "nothing" in Page(part.text).words
    refused = visitor.get("/desk", headers={"X-Part": "1"})
    assert (refused.status_code, "location" in refused.headers) == (401, False)


def test_browsers_are_told_in_a_page_what_programs_are_told_in_a_document(visitor: TestClient) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    for method, path, status in (
        ("GET", "/no/such/page", 404),
        ("GET", "/sign-out", 405),
        ("GET", "/media/a/b/c/d/e", 422),
    ):
        assert visitor.request(method, path).status_code == status
        page = visitor.request(method, path, headers=browser)
        assert (page.status_code, page.headers["content-type"]) == (status, "text/html; charset=utf-8")
        assert "That did not work" in Page(page.text).words
    too_large = visitor.post("/sign-in", content=b"x" * 2_000_000, headers=browser)
    assert (too_large.status_code, "larger than this service takes" in Page(too_large.text).words) == (413, True)
    assert visitor.get("/v1/nothing").json()["status"] == 404


def test_whoever_asks_for_the_head_of_a_page_gets_it(visitor: TestClient) -> None:
    for path, status in (("/", 200), ("/?q=mug", 200), ("/p/mug-red", 200), ("/p/nothing", 404), ("/desk", 303)):
        answer = visitor.head(path)
        assert (answer.status_code, answer.headers.get("location")) == (
            status,
            visitor.get(path).headers.get("location"),
        )
    assert visitor.head("/marks?q=mug").status_code == visitor.head("/sign-out").status_code == 405


def test_while_nobody_can_be_told_from_another_a_page_says_why(home: Path, tmp_path: Path) -> None:
    settings = settings_of(shutil.copytree(home, tmp_path / "home"), store={"kind": "memory"})
    database = open_catalogue(settings)
    with database.begin() as session:
        session.execute(text("DROP TABLE page_sessions"))
    signed_in = {"vitrine_session": "somebody"}
    with TestClient(app_over(settings, pages=True), cookies=signed_in) as client:
        answer = client.get("/desk")
    assert answer.status_code == 503
    assert "That did not work" in Page(answer.text).words


def test_visitors_of_one_language_share_its_templates_whatever_their_region(visitor: TestClient) -> None:
    regions = ["US", "GB", "AU", "CA", "NZ", "IE", "IN", "ZA", "SG", "HK", "MT", "NL", "SE", "FI", "DK", "CH", "BE"]
    visitor.get("/sign-in", headers={"Accept-Language": "en-US"})
    before = _environments()
    for region in regions:
        visitor.get("/sign-in", headers={"Accept-Language": f"en-{region}"})
    assert _environments() <= before


def _environments() -> int:
    return sum(issubclass(type(one), Environment) for one in gc.get_objects())


def test_what_is_wrong_is_said_in_the_visitors_language(visitor: TestClient) -> None:
    german = {"Accept-Language": "de"}
    foreign = visitor.post("/sign-out", headers={**german, "Sec-Fetch-Site": "cross-site"})
    assert "von der Seite einer anderen Website" in Page(foreign.text).words
    part = visitor.get("/desk", headers={**german, "X-Part": "1"})
    assert "Bitte neu anmelden" in Page(part.text).words
