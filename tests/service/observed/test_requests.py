from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from indexer.bootstrap import open_catalogue
from indexer.catalog.states import Scope
from indexer.settings import Settings
from service.access import Access, short_digest
from tests.logged import lines, logged
from tests.service.apps import app_over

SLOW = {"telemetry": {"slow_ms": 1}}


@pytest.fixture(scope="module")
def app(memory: Settings) -> FastAPI:
    return app_over(memory.model_copy(update={"telemetry": memory.telemetry.model_copy(update={"slow_ms": 1})}))


@pytest.fixture(scope="module")
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def metrics(client: TestClient) -> list[str]:
    return client.get("/metrics").text.splitlines()


def test_a_request_has_an_id_which_its_answer_and_its_problem_tell(client: TestClient) -> None:
    found = client.post("/v1/search", json={"text": "mug", "top_k": 0})
    told = found.headers["X-Request-ID"]
    assert found.status_code == 422
    assert len(told) == 16
    assert found.json()["request"] == told


def test_it_keeps_the_id_that_a_proxy_gave_it(client: TestClient) -> None:
    given = {"X-Request-ID": "proxy-1234.5678"}
    assert client.get("/v1/health", headers=given).headers["X-Request-ID"] == "proxy-1234.5678"


@pytest.mark.parametrize(
    "given", ["short", "x" * 65, "with blanks here", "-12345678", "ümlaut12", "a\tb1234567", "{{7*7}}xx"]
)
def test_what_is_no_id_is_replaced(client: TestClient, given: str) -> None:
    assert client.get("/v1/health", headers={b"X-Request-ID": given.encode()}).headers["X-Request-ID"] != given


def test_each_request_is_one_line_with_the_build_that_it_searched(client: TestClient) -> None:
    with logged() as written:
        answer = client.post("/v1/search", json={"text": "red mug"})
    (line,) = [one for one in lines(written) if one["event"] == "request"]
    assert (line["method"], line["route"], line["status"]) == ("POST", "/v1/search", 200)
    assert line["request"] == answer.headers["X-Request-ID"]
    assert line["build"] == answer.json()["build"]
    assert float(str(line["ms"])) > 0


def test_routes_that_machines_ask_all_the_time_are_told_only_if_they_fail(client: TestClient) -> None:
    with logged() as written:
        client.get("/v1/health")
        client.get("/v1/nothing")
    assert [line["status"] for line in lines(written)] == [404]


def test_a_slow_search_is_told_with_where_the_time_went(client: TestClient) -> None:
    with logged() as written:
        answer = client.post("/v1/search", json={"text": "red mug", "explain": True}).json()
    (line,) = [one for one in lines(written) if one["event"] == "slow search"]
    stages, parts = line["stages"], line["parts"]
    assert isinstance(stages, dict)
    assert isinstance(parts, dict)
    assert list(stages) == list(answer["timings_ms"])
    assert {"image+text", "lexical", "backfill", "payload"} <= {*parts}
    assert sum(parts.values()) <= sum(stages.values())
    assert (line["kind"], line["build"], line["results"]) == ("text", answer["build"], len(answer["results"]))
    assert line["candidates"] == answer["explain"]["candidates"]
    assert "mug" not in written.getvalue()


def test_requests_are_counted_by_template_of_their_route(client: TestClient) -> None:
    client.get("/v1/products/mug-red")
    client.get("/v1/products/mug-blue")
    client.get("/v1/products/mug-red/similar")
    client.get("/nothing/here")
    client.request("BREW", "/v1/search")
    found = metrics(client)
    one = 'vitrine_http_requests_total{method="GET",route="/v1/products/{product_id:path}",status="200"} 2.0'
    assert one in found
    assert any(
        line.startswith('vitrine_http_seconds_count{method="GET",route="/v1/products/{product') for line in found
    )
    assert any('method="GET",route="none",status="404"' in line for line in found)
    assert any('method="other"' in line for line in found)
    assert "vitrine_http_under_way 1.0" in found


def test_who_is_refused_before_the_route_is_found_is_counted_with_it(client: TestClient) -> None:
    with logged() as written:
        refused = client.post("/v1/search", json={"text": "mug"}, headers={"X-API-Key": "vitrine_guessed"})
    assert refused.status_code == 401
    assert [line["route"] for line in lines(written) if line["event"] == "request"] == ["/v1/search"]
    one = 'vitrine_http_requests_total{method="POST",route="/v1/search",status="401"} 1.0'
    assert one in metrics(client)


def test_whose_key_it_was_is_told_as_the_list_of_keys_tells_it(memory: Settings) -> None:
    key, token = Access(open_catalogue(memory)).add("Kim Key", (Scope.SEARCH,))
    with TestClient(app_over(memory)) as client, logged() as written:
        client.post("/v1/search", json={"text": "mug"}, headers={"X-API-Key": token})
        client.post("/v1/search", json={"text": "mug"})
    requests = [line for line in lines(written) if line["event"] == "request"]
    assert [line.get("key") for line in requests] == [short_digest(key.id), None]
    assert token not in written.getvalue()


def test_a_search_is_counted_as_a_whole_and_by_parts(client: TestClient) -> None:
    client.post("/v1/search", json={"like": "mug-red", "change": "but blue"})
    found = metrics(client)
    assert any(line.startswith('vitrine_search_seconds_count{kind="edit"}') for line in found)
    assert any(line.startswith('vitrine_search_part_seconds_count{kind="edit",part="image') for line in found)
    assert any(line.startswith('vitrine_searches_slow_total{kind="edit"}') for line in found)


def test_what_breaks_inside_is_told_with_the_requests_id_and_without_its_words(
    client: TestClient, app: FastAPI
) -> None:
    @app.get("/v1/breaks")
    def breaks() -> None:
        raise KeyError("what the shopper typed")

    with logged() as written:
        answer = client.get("/v1/breaks")
    assert answer.json()["request"] == answer.headers["X-Request-ID"]
    (line,) = [one for one in lines(written) if one["event"] == "request broke"]
    assert (line["error"], line["request"]) == ("KeyError", answer.headers["X-Request-ID"])
    assert "shopper" not in written.getvalue()
