import shutil
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from indexer.bootstrap import open_catalogue
from indexer.catalog.audit import AuditRepository
from indexer.catalog.states import Scope
from indexer.settings import Settings
from tests.service.apps import app_over, key_for
from tests.service.worlds import settings_of


@pytest.fixture(scope="module")
def settings(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Of a copy of the small shop's database."""
    folder = tmp_path_factory.mktemp("rules")
    for file in home.glob("vitrine.db*"):
        shutil.copy(file, folder)
    return settings_of(folder)


@pytest.fixture(scope="module")
def client(settings: Settings) -> Iterator[TestClient]:
    """Over `settings`; every test leaves it without rules."""
    with TestClient(app_over(settings), headers=key_for(settings, Scope.MERCHANDISE)) as client:
        yield client


BURY = {"kind": "bury", "query": "contains:mug", "products": ["mug-red"], "author": "ann"}


def test_a_rule_is_written_published_and_removed(client: TestClient) -> None:
    added = client.post("/v1/rules", json=BURY)
    assert added.status_code == HTTPStatus.CREATED
    rule = added.json()
    assert (rule["state"], rule["products"], rule["author"]) == ("draft", ["mug-red"], "ann")
    assert client.get("/v1/rules").json() == {"rules": [rule]}

    live = client.post(f"/v1/rules/{rule['id']}/publish", params={"author": "bob"}).json()
    assert (live["state"], live["changed_by"]) == ("live", "bob")
    removed = client.delete(f"/v1/rules/{rule['id']}", params={"author": "eve"}).json()
    assert client.get("/v1/rules").json() == {"rules": []}
    assert client.get("/v1/rules", params={"removed": True}).json() == {"rules": [removed]}


def test_the_record_names_the_key_and_not_who_the_request_says(client: TestClient, settings: Settings) -> None:
    rule = client.post("/v1/rules", json=BURY).json()["id"]
    client.post(f"/v1/rules/{rule}/publish", params={"author": "bob"})
    client.delete(f"/v1/rules/{rule}", params={"author": "eve"})
    with open_catalogue(settings).session() as session:
        done = [(one.action, one.by) for one in AuditRepository(session).page(action="rules") if one.target == rule]
    assert done == [("rules.remove", "Kim Key"), ("rules.publish", "Kim Key"), ("rules.add", "Kim Key")]


@pytest.mark.parametrize(
    ("change", "status", "type", "said"),
    [
        ({"products": ["mug-reed"]}, 404, "unknown-product", "mug-reed"),
        ({"products": []}, 400, "bad-rule", "products: a bury rule needs it"),
        ({"kind": "boost", "products": [], "expression": "2*ratng"}, 422, "bad-expression", "no field 'ratng'"),
        ({"kind": "praise"}, 422, "invalid-request", "kind: "),
        ({"author": ""}, 422, "invalid-request", "author: "),
        ({"state": "live"}, 422, "invalid-request", "state: "),
    ],
)
def test_what_is_no_rule_is_a_problem_that_names_the_part(
    client: TestClient, change: dict[str, object], status: int, type: str, said: str
) -> None:
    answer = client.post("/v1/rules", json={**BURY, **change})
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:vitrine:problem:{type}")
    assert said in answer.json()["detail"]


def test_changes_need_a_rule_that_is_there_and_a_name(client: TestClient) -> None:
    unknown = client.post("/v1/rules/r/publish", params={"author": "ann"})
    assert (unknown.status_code, unknown.json()["type"]) == (404, "urn:vitrine:problem:unknown-rule")
    assert client.delete("/v1/rules/r", params={"author": "ann"}).status_code == HTTPStatus.NOT_FOUND
    assert client.delete("/v1/rules/r").status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert client.get("/v1/rules", params={"catalog": "nowhere"}).status_code == HTTPStatus.NOT_FOUND
