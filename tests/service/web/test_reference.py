"""The page about the API."""

import json
import re
import shlex
from html import unescape

from starlette.testclient import TestClient

from tests.pages import Page


def test_every_route_is_told_with_its_rule_and_a_call_that_can_be_copied(visitor: TestClient) -> None:
    html = visitor.get("/docs").text
    shown = Page(html)
    paths = visitor.get("/openapi.json").json()["paths"]
    for path, methods in paths.items():
        for method, described in methods.items():
            assert f"{method.upper()} {path}" in shown.words
            assert described["summary"] in shown.words
    assert "Needs: a key for merchandising" in shown.words
    calls = [shlex.split(unescape(one)) for one in re.findall(r"<pre[^>]*><code>(.*?)</code>", html, re.S)]
    (put,) = [words for words in calls if "PUT" in words]
    assert put[:4] == ["curl", "-X", "PUT", "http://testserver/v1/products"]
    assert "Authorization: Bearer $VITRINE_KEY" in put
    assert isinstance(json.loads(put[-1]), list)


def test_it_loads_nothing_from_elsewhere(visitor: TestClient) -> None:
    answer = visitor.get("/docs")
    loaded = [
        value
        for tag, given in Page(answer.text).tags
        if tag != "a"
        for name, value in given.items()
        if name in ("src", "href")
    ]
    assert loaded
    assert all(one.startswith("/") and not one.startswith("//") for one in loaded if one)
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert visitor.get("/redoc").status_code == 404


def test_it_speaks_german(visitor: TestClient) -> None:
    assert (
        "Verlangt: einen Schlüssel zum Pflegen des Sortiments"
        in Page(visitor.get("/docs", headers={"Accept-Language": "de"}).text).words
    )
