"""What the OpenAPI document says beyond what the framework knows: who may call a route, and how refusals look."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

from service.api.guard import Rule
from service.api.problems import MEDIA_TYPE, Problem

RULE: Final = "x-rule"
"""Of an operation: what it demands of whoever calls it."""
SCHEMES: Final = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A key, or a token of the identity provider."},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "A key, as `vitrine keys add` says."},
}
ANYWHERE: Final = (HTTPStatus.BAD_REQUEST, HTTPStatus.SERVICE_UNAVAILABLE)
GUARDED: Final = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS)
OF_BODIES: Final = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY)
Document = dict[str, Any]
"""JSON, as the framework has it."""


def describe(document: Document) -> None:
    """Adds to it in place."""
    components = document.setdefault("components", {})
    components["securitySchemes"] = SCHEMES
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
    schemas = {**components.get("schemas", {}), **problem.pop("$defs", {}), "Problem": problem}
    components["schemas"] = dict(sorted(schemas.items()))
    for operation in operations(document):
        rule = Rule(operation[RULE])
        nobody: list[dict[str, list[str]]] = [{}] if rule in (Rule.PUBLIC_SEARCH, Rule.PUBLIC_METRICS) else []
        operation["security"] = [] if rule is Rule.OPEN else [*({name: []} for name in SCHEMES), *nobody]
        _refusals(operation, rule)


def operations(document: Document) -> Iterator[Document]:
    for methods in document["paths"].values():
        yield from methods.values()


def _refusals(operation: Document, rule: Rule) -> None:
    responses: Document = operation["responses"]
    expected = [*ANYWHERE, *(() if rule is Rule.OPEN else GUARDED), *(OF_BODIES if "requestBody" in operation else ())]
    for status in {*map(int, responses), *expected}:
        if status >= HTTPStatus.BAD_REQUEST:
            schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
            responses[str(status)] = {
                "description": HTTPStatus(status).phrase,
                "content": {MEDIA_TYPE: schema},
            }
