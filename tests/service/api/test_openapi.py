import json
from collections.abc import Iterator

import pytest
from fastapi.openapi.models import Example, OpenAPI
from pydantic import TypeAdapter
from starlette.testclient import TestClient

from indexer.builds.given import ProductInput, ProductUpdate
from service.api.examples import PUT_EXAMPLES, SEARCH_EXAMPLES, UPDATE_EXAMPLES
from service.request import SearchRequest

ROUTES = {
    ("/v1/search", "post"),
    ("/v1/search/photo", "post"),
    ("/v1/ask", "post"),
    ("/v1/generate", "post"),
    ("/v1/generate/photo", "post"),
    ("/v1/generate/jobs", "get"),
    ("/v1/generate/jobs/{job_id}", "get"),
    ("/v1/generate/jobs/{job_id}", "delete"),
    ("/v1/generated/{picture_id}.png", "get"),
    ("/v1/products/{product_id}/similar", "get"),
    ("/v1/products", "put"),
    ("/v1/products/{product_id}", "get"),
    ("/v1/products/{product_id}", "patch"),
    ("/v1/products/{product_id}", "delete"),
    ("/v1/catalogs", "get"),
    ("/v1/health", "get"),
    ("/v1/ready", "get"),
    ("/v1/regions", "post"),
    ("/v1/rules", "get"),
    ("/v1/rules", "post"),
    ("/v1/rules/{rule_id}", "delete"),
    ("/v1/rules/{rule_id}/publish", "post"),
    ("/metrics", "get"),
}


def references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


@pytest.fixture(scope="module")
def text(client: TestClient) -> str:
    return client.get("/openapi.json").text


def test_the_document_is_valid(text: str) -> None:
    OpenAPI.model_validate_json(text)
    document = json.loads(text)
    for reference in references(document):
        node = document
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]


def test_every_route_is_documented(text: str) -> None:
    paths = json.loads(text)["paths"]
    assert {(path, method) for path, methods in paths.items() for method in methods} == ROUTES
    operations = [operation for path, methods in paths.items() for operation in methods.values() if path != "/metrics"]
    every = [operation for methods in paths.values() for operation in methods.values()]
    assert all(operation["summary"] for operation in every)
    assert len({operation["operationId"] for operation in every}) == len(ROUTES)
    assert all("Problem" in str(operation["responses"]["422"]) for operation in operations)


@pytest.mark.parametrize(
    ("path", "method", "examples", "model"),
    [
        ("/v1/search", "post", SEARCH_EXAMPLES, TypeAdapter(SearchRequest)),
        ("/v1/products", "put", PUT_EXAMPLES, TypeAdapter(list[ProductInput])),
        ("/v1/products/{product_id}", "patch", UPDATE_EXAMPLES, TypeAdapter(ProductUpdate)),
    ],
)
def test_the_examples_are_shown_and_are_requests(
    text: str, path: str, method: str, examples: dict[str, Example], model: TypeAdapter[object]
) -> None:
    body = json.loads(text)["paths"][path][method]["requestBody"]["content"]["application/json"]
    assert {name: shown["value"] for name, shown in body["examples"].items()} == {
        name: example["value"] for name, example in examples.items()
    }
    for example in examples.values():
        model.validate_json(json.dumps(example["value"]))
