"""The routes of business rules."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Query, Request
from fastapi.openapi.models import Example

from indexer.domain import Frozen
from service.api.guard import GuardedRoute, Rule, caller_of, ruled
from service.api.problems import refusals
from service.ruling import Author, RuleDocument, RuleInput, Rules

router = APIRouter(
    prefix="/v1/rules",
    route_class=GuardedRoute,
    dependencies=[ruled(Rule.MERCHANDISE)],
    responses=refusals(400, 404, 409, 422, 503),
)

Catalog = Annotated[str | None, Query(description="Default: the configured catalog, else the only published one.")]
Who = Annotated[Author, Query(description="Who does it, for the record.")]
RULE_EXAMPLES: dict[str, Example] = {
    "pin": Example(
        summary="Put a product first",
        value={"kind": "pin", "query": "red mug", "products": ["MUG-0142-TL"], "author": "ann"},
    ),
    "synonym": Example(
        summary="Read a word as others too",
        value={"kind": "synonym", "query": "cup", "words": ["mug", "beaker"], "author": "ann"},
    ),
    "boost": Example(
        summary="Lift what is in stock, for every query",
        value={"kind": "boost", "expression": "0.3*in_stock", "author": "ann"},
    ),
}


class RuleList(Frozen):
    rules: list[RuleDocument]
    """Oldest first."""


@router.get("", summary="The business rules of a catalog")
def rules(request: Request, catalog: Catalog = None, removed: bool = False) -> RuleList:
    return RuleList(rules=_rules(request).listed(catalog, removed=removed))


@router.post("", summary="Write a rule as a draft", status_code=HTTPStatus.CREATED)
def add_rule(
    request: Request, body: Annotated[RuleInput, Body(openapi_examples=RULE_EXAMPLES)], catalog: Catalog = None
) -> RuleDocument:
    return _rules(request).add(body, catalog, caller_of(request).name)


@router.post("/{rule_id}/publish", summary="Let a rule count for every search")
def publish_rule(request: Request, rule_id: str, author: Who, catalog: Catalog = None) -> RuleDocument:
    return _rules(request).publish(rule_id, author, catalog, caller_of(request).name)


@router.delete("/{rule_id}", summary="Take a rule out; it stays on record")
def remove_rule(request: Request, rule_id: str, author: Who, catalog: Catalog = None) -> RuleDocument:
    return _rules(request).remove(rule_id, author, catalog, caller_of(request).name)


def _rules(request: Request) -> Rules:
    found: Rules = request.app.state.shop.rules
    return found
