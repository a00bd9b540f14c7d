"""Signing in and out, and the language."""

from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from indexer.catalog.states import Scope
from service.access import Access
from tests.pages import HOSTILE, Page

ELSEWHERE = (
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example/",
    "\\/evil.example",
    "/\t/evil.example/",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "",
    "@evil.example",
    "/\r\nSet-Cookie: a=b",
)


@pytest.fixture(scope="module")
def token(access: Access) -> str:
    return access.add("Ben", [Scope.ANALYSE])[1]


def test_the_key_opens_a_session_and_leads_back(visitor: TestClient, token: str) -> None:
    answer = visitor.post("/sign-in", data={"key": token, "next": "/bench?suite=a&b=%2F"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/bench?suite=a&b=%2F")
    cookie = answer.headers["set-cookie"].casefold()
    assert all(said in cookie for said in ("httponly", "samesite=strict", "max-age=43200", "path=/"))
    assert "secure" not in cookie
    assert "Sign out" in Page(visitor.get("/sign-in").text).words
    assert visitor.post("/sign-out").status_code == 303
    assert "Sign out" not in Page(visitor.get("/sign-in").text).words


def test_over_https_the_cookie_goes_nowhere_else(visitor: TestClient, token: str) -> None:
    answer = visitor.post("https://testserver/sign-in", data={"key": token})
    assert "secure" in answer.headers["set-cookie"].casefold()


def test_a_session_that_was_ended_stays_ended(visitor: TestClient, token: str) -> None:
    visitor.post("/sign-in", data={"key": token})
    cookie = visitor.cookies["vitrine_session"]
    visitor.post("/sign-out")
    visitor.cookies.set("vitrine_session", cookie)
    assert visitor.get("/bench").headers["location"].startswith("/sign-in")


def test_a_wrong_key_is_refused_and_where_one_wanted_to_go_is_kept(visitor: TestClient) -> None:
    answer = visitor.post("/sign-in", data={"key": "wrong", "next": f"/desk?q={quote(HOSTILE)}"})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    page = Page(answer.text)
    assert "opens nothing here" in page.words
    assert f"/desk?q={quote(HOSTILE)}" in [given.get("value") for tag, given in page.tags if tag == "input"]
    assert "wrong" not in [given.get("value") for _, given in page.tags]


@pytest.mark.parametrize("path", ELSEWHERE)
def test_nobody_is_led_to_another_site(visitor: TestClient, token: str, path: str) -> None:
    for answer in (
        visitor.post("/sign-in", data={"key": token, "next": path}),
        visitor.post("/language", data={"to": "de", "next": path}),
    ):
        assert answer.headers["location"] == "/"


def test_a_place_is_where_one_is_led_back_to_after_signing_in(visitor: TestClient) -> None:
    answer = visitor.get("/bench", params={"suite": "a b", "x": "&"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/bench%3Fsuite%3Da%2Bb%26x%3D%2526")


def test_who_chose_a_language_keeps_it(visitor: TestClient) -> None:
    in_french = {"Accept-Language": "fr,en-GB;q=0.5"}
    assert '<html lang="en">' in visitor.get("/sign-in", headers=in_french).text
    assert visitor.post("/language", data={"to": "de", "next": "/sign-in"}).headers["location"] == "/sign-in"
    page = visitor.get("/sign-in", headers=in_french)
    assert '<html lang="de">' in page.text
    assert page.headers["content-language"] == "de"
    assert "Anmelden" in Page(page.text).words
    visitor.post("/language", data={"to": "xx"})
    assert '<html lang="de">' in visitor.get("/sign-in").text


def test_long_addresses_are_led_back_to_and_far_too_long_ones_are_not(visitor: TestClient, token: str) -> None:
    long, far_too_long = ("/bench/lab?q=" + "%C3%A4" * words for words in (1_000, 5_000))
    asked = visitor.get(long)
    signing_in = visitor.get(asked.headers["location"])
    assert (asked.status_code, signing_in.status_code) == (303, 200)
    assert long in [given.get("value") for tag, given in Page(signing_in.text).tags if tag == "input"]
    assert visitor.get(far_too_long).headers["location"] == "/sign-in?next=/"
    for wanted, led in ((long, long), (far_too_long, "/")):
        assert visitor.post("/language", data={"to": "de", "next": wanted}).headers["location"] == led
        assert visitor.post("/sign-in", data={"key": token, "next": wanted}).headers["location"] == led
