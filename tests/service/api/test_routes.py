from collections.abc import Mapping
from importlib.metadata import version
from io import BytesIO
from urllib.parse import quote

import numpy as np
import pytest
from httpx2 import Response
from PIL import Image
from starlette.testclient import TestClient

from tests.service.worlds import CATALOG, ITEMS, photo_of

RED = photo_of("red", seed=99)
ODD = "lamp/äöü 50%"


def by_photo(client: TestClient, photo: bytes = RED, **fields: str | list[str]) -> Response:
    return client.post("/v1/search/photo", files={"photo": ("a photo.png", photo)}, data=fields)


def ids(answer: Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [result["id"] for result in answer.json()["results"]]


def refused(answer: Response, kind: str, status: int = 422) -> Mapping[str, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.status_code == answer.json()["status"] == status, answer.text
    problem: Mapping[str, str] = answer.json()
    assert problem["type"] == f"urn:vitrine:problem:{kind}"
    return problem


def test_a_search_by_words(client: TestClient) -> None:
    answer = client.post("/v1/search", json={"text": "red mug", "top_k": 3})
    assert ids(answer)[0] == "mug-red"
    document = answer.json()
    assert len(document["results"]) == 3
    assert document["kind"] == "text"
    assert set(document) >= {"kind", "weights", "build", "results", "timings_ms", "degraded"}
    assert document["explain"] is None


def test_a_search_with_everything_one_may_say(client: TestClient) -> None:
    asked = {
        "like": "mug-red",
        "change": "but blue",
        "where": ["price<70", "brand=acme|orbit"],
        "weights": {"image": 3, "text": 1},
        "top_k": 2,
        "catalog": CATALOG,
        "fusion": "raw",
        "explain": True,
    }
    document = client.post("/v1/search", json=asked).json()
    assert document["kind"] == "edit"
    assert document["weights"] == {"image": 0.75, "text": 0.25}
    assert {result["id"] for result in document["results"]} == {"mug-blue", "shoe-blue"}
    assert document["explain"]["spreads"] == {}


def test_a_search_by_photo(client: TestClient) -> None:
    answer = by_photo(client, top_k="2")
    assert set(ids(answer)) == {"mug-red", "shoe-red"}
    assert answer.json()["kind"] == "photo"


def test_a_search_by_photo_with_everything_one_may_say(client: TestClient) -> None:
    answer = by_photo(
        client,
        change="but blue",
        where=["price<70", "brand=orbit"],
        weights="image=3,text=1",
        top_k="1",
        catalog=CATALOG,
        fusion="raw",
        explain="true",
    )
    assert ids(answer) == ["shoe-blue"]
    document = answer.json()
    assert document["kind"] == "edit"
    assert document["weights"] == {"image": 0.75, "text": 0.25}
    assert document["explain"]["spreads"] == {}


def test_the_colour_of_the_photo_is_what_an_edit_starts_from(client: TestClient) -> None:
    document = by_photo(client, change="but blue", explain="true").json()
    assert document["explain"]["changes"] == [{"field": "colour", "source": "red", "target": "blue"}]


def test_products_like_one(client: TestClient) -> None:
    answer = client.get("/v1/products/shoe-red/similar", params={"top_k": 4})
    assert len(ids(answer)) == 4
    assert "shoe-red" not in ids(answer)
    assert answer.json()["kind"] == "similar"


@pytest.mark.parametrize("product_id", [item.id for item in ITEMS])
def test_one_product(client: TestClient, product_id: str) -> None:
    document = client.get(f"/v1/products/{quote(product_id, safe='')}").json()
    assert document["id"] == product_id
    assert set(document) == {
        *("id", "title", "parent", "description", "brand", "category", "price", "currency", "availability"),
        *("attributes", "url", "images"),
    }


def test_an_id_with_slashes_spaces_percent_and_umlauts(client: TestClient) -> None:
    for path in (quote(ODD, safe=""), quote(ODD, safe="/")):
        assert client.get(f"/v1/products/{path}").json()["images"] == [{"id": "b65be6eb0e9dcf48", "uri": "7-0.png"}]
        assert ODD not in ids(client.get(f"/v1/products/{path}/similar"))
    assert ODD not in ids(client.post("/v1/search", json={"like": ODD}))


def test_an_unknown_product_is_404_with_near_ids(client: TestClient) -> None:
    assert "mug-red" in refused(client.get("/v1/products/mug-rad"), "unknown-product", 404)["detail"]
    refused(client.get("/v1/products/mug-rad/similar"), "unknown-product", 404)
    refused(client.get("/v1/products/"), "unknown-product", 404)
    refused(client.post("/v1/search", json={"like": "mug-rad"}), "unknown-product", 404)


def test_the_catalogs(client: TestClient) -> None:
    builds = client.get("/v1/ready").json()["builds"]
    assert list(builds) == [CATALOG]
    assert client.get("/v1/catalogs").json() == {"catalogs": builds}


@pytest.mark.parametrize("path", ["/v1/products/mug-red", "/v1/products/mug-red/similar"])
def test_an_unknown_catalog_is_404_with_the_known_ones(client: TestClient, path: str) -> None:
    assert CATALOG in refused(client.get(path, params={"catalog": "no"}), "unknown-catalog", 404)["detail"]


def test_an_unknown_catalog_in_a_search_is_404(client: TestClient) -> None:
    refused(client.post("/v1/search", json={"text": "mug", "catalog": "no"}), "unknown-catalog", 404)


def test_health_tells_two_processes_apart(client: TestClient) -> None:
    health = client.get("/v1/health").json()
    assert health == {"status": "alive", "instance": client.app.state.instance}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("asked", "kind", "detail"),
    [
        ({}, "empty-query", "give words, a photo, or a product's id"),
        ({"text": "  "}, "empty-query", "empty"),
        ({"change": "but blue"}, "query-error", "needs something to start from"),
        ({"text": "mug", "like": "mug-red"}, "query-error", "change"),
        ({"text": "mug", "where": ["size=3"]}, "bad-filter", "no field 'size'"),
        ({"text": "mug", "where": ["price=red"]}, "bad-filter", "is a number"),
        ({"text": "mug", "weights": {"picture": 1}}, "bad-weights", "image, text, lexical"),
        ({"text": "mug", "weights": {"image": -1}}, "bad-weights", "0 or more"),
        ({"text": "mug", "weights": {"image": 0}}, "bad-weights", "all are zero"),
        ({"text": "mug", "weights": {}}, "bad-weights", "all are zero"),
        ({"like": "mug-red", "weights": {"lexical": 1}}, "bad-weights", "this query can use"),
        ({"text": "mug", "top_k": 0}, "invalid-request", "top_k"),
        ({"text": "mug", "top_k": 10**30}, "invalid-request", "top_k"),
        ({"text": "mug", "top_k": "many"}, "invalid-request", "top_k"),
        ({"text": "m" * 1_001}, "invalid-request", "text"),
        ({"text": "mug", "where": ["x" * 1_001]}, "invalid-request", "where.0"),
        ({"text": "mug", "where": ["price<1"] * 51}, "invalid-request", "where"),
        ({"text": "mug", "colour": "red"}, "invalid-request", "colour"),
        ({"text": 7}, "invalid-request", "text"),
        ([], "invalid-request", "body"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_name(client: TestClient, asked: object, kind: str, detail: str) -> None:
    assert detail in refused(client.post("/v1/search", json=asked), kind)["detail"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_none_are_refused(client: TestClient, number: str) -> None:
    content = f'{{"text": "mug", "weights": {{"image": {number}, "text": 1}}}}'
    answer = client.post("/v1/search", content=content, headers={"content-type": "application/json"})
    refused(answer, "bad-weights")


@pytest.mark.parametrize("content", ["", "{", "red mug", '{"text": "\\ud800"}', b"\xff\xfe", "null"])
def test_unreadable_json_is_refused(client: TestClient, content: str | bytes) -> None:
    answer = client.post("/v1/search", content=content, headers={"content-type": "application/json"})
    problem = refused(answer, "invalid-request")
    assert not problem["detail"][0].isdigit()


@pytest.mark.parametrize(
    ("fields", "kind", "detail"),
    [
        ({"like": "mug-red"}, "query-error", "not both"),
        ({"text": "mug", "change": "but blue"}, "query-error", "change"),
        ({"weights": "image"}, "bad-weights", "CHANNEL=NUMBER"),
        ({"weights": "image=nan"}, "bad-weights", "0 or more"),
        ({"where": ["size=3"]}, "bad-filter", "no field 'size'"),
        ({"where": ["x" * 1_001]}, "invalid-request", "where.0"),
        ({"top_k": "999"}, "invalid-request", "top_k"),
        ({"colour": "red"}, "invalid-request", "colour"),
    ],
)
def test_a_form_is_refused_by_name_too(
    client: TestClient, fields: dict[str, str | list[str]], kind: str, detail: str
) -> None:
    assert detail in refused(by_photo(client, RED, **fields), kind)["detail"]


def test_a_form_needs_a_photo(client: TestClient) -> None:
    assert "photo" in refused(client.post("/v1/search/photo", data={"text": "mug"}), "invalid-request")["detail"]
    answer = client.post("/v1/search/photo", files={"text": (None, "mug"), "photo": (None, "no file")})
    assert "photo" in refused(answer, "invalid-request")["detail"]


def png(width: int, height: int) -> bytes:
    file = BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
    Image.fromarray(noise).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("photo", "reason"),
    [
        (b"", "empty"),
        (b"not a picture at all", "unsupported_format"),
        (RED[:-20], "truncated"),
        (png(8, 8), "too_small"),
        (png(500, 16), "bad_aspect"),
        (png(200, 150), "too_large_bytes"),
    ],
)
def test_a_photo_that_does_not_pass_the_gate_is_refused_with_its_reason(
    client: TestClient, photo: bytes, reason: str
) -> None:
    assert f"({reason})" in refused(by_photo(client, photo), "image-rejected")["detail"]


def test_the_documentation_names_the_version(client: TestClient) -> None:
    assert client.get("/openapi.json").json()["info"]["version"] == version("vitrine")
