"""Every route has a rule, and holds to it whoever calls."""

import hashlib
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from indexer.bootstrap import open_catalogue
from indexer.catalog.engine import Database
from indexer.catalog.keys import KeyRepository
from indexer.catalog.records import ApiKey
from indexer.catalog.states import Scope
from service.access import Access
from service.api.guard import GuardedRoute, Rule
from tests.service.apps import app_over, routes_of
from tests.service.worlds import ACCESS, settings_of

ALL = set(Rule)
OPENED = {
    "nobody": {Rule.OPEN},
    "a wrong key": {Rule.OPEN},
    "an expired key": {Rule.OPEN},
    "a revoked key": {Rule.OPEN},
    "search": {Rule.OPEN, Rule.PUBLIC_SEARCH},
    "merchandise": {Rule.OPEN, Rule.PUBLIC_SEARCH, Rule.MERCHANDISE},
    "analyse": {Rule.OPEN, Rule.PUBLIC_SEARCH, Rule.PUBLIC_METRICS, Rule.ANALYSE},
    "admin": ALL,
}


@dataclass(frozen=True)
class Closed:
    """Nothing is public; `keys` by role."""

    client: TestClient
    app: FastAPI
    keys: dict[str, str]


@pytest.fixture(scope="module")
def closed(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Closed]:
    own = shutil.copytree(home, tmp_path_factory.mktemp("closed") / "home")
    settings = settings_of(own, store={"kind": "memory"}, access={**ACCESS, "public": ()})
    app = app_over(settings, pages=True)
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        yield Closed(client, app, keys_in(open_catalogue(settings)))


def keys_in(database: Database) -> dict[str, str]:
    access = Access(database)
    keys = {scope.value: access.add(scope, [scope])[1] for scope in Scope}
    gone, keys["a revoked key"] = access.add("gone", [Scope.ADMIN])
    access.revoke(gone.id)
    keys["a wrong key"], keys["an expired key"] = "vitrine_nothing", "vitrine_old"
    before = datetime.now(UTC) - timedelta(days=2)
    with database.begin() as session:
        old = ApiKey("old", "old", (Scope.ADMIN,), before, before + timedelta(days=1))
        KeyRepository(session).add(old, hashlib.sha256(b"vitrine_old").hexdigest())
    return keys


def test_every_route_has_one_rule(closed: Closed) -> None:
    routes = routes_of(closed.app)
    assert len(routes) > 80
    assert [one for one in routes if not isinstance(one, GuardedRoute) or one.rule is None] == []


def test_the_documentation_says_each_rule(closed: Closed) -> None:
    documented = {
        (path, method.upper()): operation["x-rule"]
        for path, methods in closed.client.get("/openapi.json").json()["paths"].items()
        for method, operation in methods.items()
    }
    guarded = [one for one in routes_of(closed.app) if isinstance(one, GuardedRoute) and one.include_in_schema]
    assert documented == {
        (one.path.replace(":path", ""), method): one.rule for one in guarded for method in one.methods or ()
    }


@pytest.mark.parametrize("role", OPENED)
def test_a_route_opens_to_whom_its_rule_names_and_nobody_else(closed: Closed, role: str) -> None:
    headers = {"X-API-Key": closed.keys[role]} if role in closed.keys else {}
    known = role == "nobody" or role in set(Scope)
    wrong = []
    for route in routes_of(closed.app):
        assert isinstance(route, GuardedRoute)
        for method in sorted(route.methods or ()):
            if (route.path == "/sign-in" and method == "POST") or (route.rule is Rule.OPEN and not known):
                continue  # limited by address; keys that open nothing are refused wherever they are looked at
            if method == "HEAD" and route.rule in OPENED[role]:
                continue  # the page is made once more, and GET has opened it
            answer = closed.client.request(method, re.sub(r"\{[^}]*\}", "x", route.path), headers=headers)
            refused = answer.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, 429) or (
                answer.headers.get("location", "").startswith("/sign-in")
            )
            if refused == (route.rule in OPENED[role]):
                wrong.append((method, route.path, route.rule, answer.status_code))
    assert wrong == []
