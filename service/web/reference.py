"""/docs: what the API can be asked, on a page of our own that loads nothing from elsewhere."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from service.api.describing import RULE
from service.api.guard import Rule
from service.web.routing import OPEN, PageRoute
from service.web.site import site_of
from service.web.words import marked

router = APIRouter(route_class=PageRoute, include_in_schema=False, dependencies=[OPEN])

DEMANDS: Final = {
    Rule.OPEN: marked("open to everybody"),
    Rule.PUBLIC_SEARCH: marked("any key; none where searching is public"),
    Rule.PUBLIC_METRICS: marked("a key for analysing; none where the metrics are public"),
    Rule.MERCHANDISE: marked("a key for merchandising"),
    Rule.ANALYSE: marked("a key for analysing"),
    Rule.ADMIN: marked("an admin key"),
}
Json = Mapping[str, Any]
"""Of the OpenAPI document."""
NO_BODY: Final[tuple[str, Json]] = ("", {})


@dataclass(frozen=True)
class Parameter:
    name: str
    place: str
    """`path`, `query` or `header`."""
    required: bool
    description: str


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    summary: str
    demand: str
    parameters: Sequence[Parameter]
    body: str
    """The name of its schema; '' for none."""
    fields: Sequence[str]
    """Of the body."""
    curl: str


@router.get("/docs")
def docs(request: Request) -> Response:
    base = str(request.base_url).rstrip("/")
    document = request.app.openapi()
    context: dict[str, object] = {"operations": operations(document, base), "version": document["info"]["version"]}
    return site_of(request).render(request, "docs.html", context)


def operations(document: Json, base: str) -> list[Operation]:
    """In the document's order."""
    return [
        _operation(document, method, path, described, base)
        for path, methods in document["paths"].items()
        for method, described in methods.items()
    ]


def _operation(document: Json, method: str, path: str, described: Json, base: str) -> Operation:
    contents: Mapping[str, Json] = described.get("requestBody", {}).get("content", {})
    kind, content = next(iter(contents.items()), NO_BODY)
    schema: Json = content.get("schema", {})
    name = str(schema.get("$ref", schema.get("items", {}).get("$ref", ""))).rpartition("/")[2]
    rule = Rule(described[RULE])
    return Operation(
        method=method.upper(),
        path=path,
        summary=described.get("summary", ""),
        demand=DEMANDS[rule],
        parameters=[
            Parameter(one["name"], one["in"], one.get("required", False), one.get("description", ""))
            for one in described.get("parameters", [])
        ],
        body=f"[{name}]" if "items" in schema else name,
        fields=list(document["components"]["schemas"].get(name, {}).get("properties", {})),
        curl=_curl(method, base + path, rule, kind, content.get("examples", {})),
    )


def _curl(method: str, url: str, rule: Rule, kind: str, examples: Json) -> str:
    """As one types it; with the first example, where there is one."""
    words = ["curl"] if method == "get" else ["curl", "-X", method.upper()]
    words.append(quote(url))
    if rule is not Rule.OPEN:
        words.append('-H "Authorization: Bearer $VITRINE_KEY"')
    if kind == "multipart/form-data":
        words.append("-F photo=@photo.jpg")
    for example in list(examples.values())[:1]:
        said = json.dumps(example["value"], ensure_ascii=False)
        words.append(f"-H 'Content-Type: application/json' -d {quote(said)}")
    return " ".join(words)
