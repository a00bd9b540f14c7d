"""Business rules: written as drafts, looked at beside what is live, published, taken out."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from indexer.builds.live import published_build
from indexer.catalog.states import RuleState
from indexer.errors import InputError, VitrineError
from service.api.problems import status_of
from service.desk.previewing import SideBySide, side_by_side
from service.request import request_of
from service.ruling import RuleDocument, RuleInput, rule_of
from service.shop import Shop
from service.web.desk.catalogs import chosen_catalog, published_catalogs
from service.web.desk.preview_routes import DEPTH, SHOWN, side_pictures
from service.web.desk.products_shown import ShownProduct, shown_products
from service.web.routing import Merchandiser, PageRoute
from service.web.site import shop_of, site_of

router = APIRouter(route_class=PageRoute, include_in_schema=False)

ORDER = (RuleState.DRAFT, RuleState.LIVE, RuleState.REMOVED)
Asked = Annotated[str, Query(max_length=1_000)]
Typed = Annotated[str, Form(max_length=20_000)]


@router.get("/desk/rules")
def rules(request: Request, who: Merchandiser, catalog: Asked = "", q: Asked = "") -> Response:
    return _page(request, catalog, q.strip(), {})


@router.post("/desk/rules")
def add(
    request: Request,
    who: Merchandiser,
    kind: Typed,
    query: Typed = "",
    products: Typed = "",
    words: Typed = "",
    expression: Typed = "",
    place: Typed = "",
    catalog: Typed = "",
    q: Typed = "",
) -> Response:
    """`products` are ids, a line each; `words` have commas between them."""
    typed = {"kind": kind, "query": query, "products": products, "words": words}
    typed |= {"expression": expression, "place": place}
    try:
        shop = shop_of(request)
        shop.rules.add(_rule(typed, who.name), chosen_catalog(shop, catalog))
    except InputError as error:
        return _page(request, catalog, q, typed, error)
    return _back(catalog, q)


@router.post("/desk/rules/{rule}/publish")
def publish(request: Request, who: Merchandiser, rule: str, catalog: Typed = "", q: Typed = "") -> Response:
    shop = shop_of(request)
    shop.rules.publish(rule, who.name, chosen_catalog(shop, catalog))
    return _back(catalog, q)


@router.post("/desk/rules/{rule}/remove")
def remove(request: Request, who: Merchandiser, rule: str, catalog: Typed = "", q: Typed = "") -> Response:
    shop = shop_of(request)
    shop.rules.remove(rule, who.name, chosen_catalog(shop, catalog))
    return _back(catalog, q)


def _page(
    request: Request, catalog: str, query: str, typed: Mapping[str, str], refused: InputError | None = None
) -> Response:
    """`typed` is a rule that was refused: its form says why and keeps what was written."""
    shop = shop_of(request)
    chosen = chosen_catalog(shop, catalog)
    if chosen is None:
        return site_of(request).render(request, "desk_rules_none.html", {})
    name, build = published_build(shop.database, chosen)
    found = shop.rules.listed(name, removed=True)
    side, problem = _previewed(shop, name, query)
    context: dict[str, object] = {
        "catalog": name,
        "catalogs": published_catalogs(shop),
        "rules": {state: [one for one in reversed(found) if one.state is state] for state in ORDER},
        "products": _products(shop, build, found),
        "typed": {"kind": "", **typed},
        "refused": "" if refused is None else str(refused),
        "q": query,
        "side": side,
        "pictures": None if side is None else side_pictures(shop, side),
        "problem": problem,
    }
    status = HTTPStatus.OK if refused is None else status_of(type(refused))
    return site_of(request).render(request, "desk_rules.html", context, status)


def _previewed(shop: Shop, catalog: str, query: str) -> tuple[SideBySide | None, str]:
    """As shoppers search now, and as they will once every draft is published; else what is wrong with the query."""
    if not query:
        return None, ""
    try:
        live, drafts = (
            shop.search(request_of({"text": query, "catalog": catalog, "top_k": DEPTH, "rules": rules}))
            for rules in ("live", "draft")
        )
    except VitrineError as error:
        return None, str(error)
    return side_by_side(live, drafts, SHOWN), ""


def _products(shop: Shop, build: str, rules: list[RuleDocument]) -> dict[str, ShownProduct]:
    named = dict.fromkeys(product for one in rules for product in one.products if one.state is not RuleState.REMOVED)
    return {one.id: one for one in shown_products(shop, build, list(named))}


def _rule(typed: Mapping[str, str], author: str) -> RuleInput:
    """Raises BadRule."""
    place = typed["place"].strip()
    return rule_of(
        {
            "kind": typed["kind"],
            "query": typed["query"].strip(),
            "products": [line.strip() for line in typed["products"].splitlines() if line.strip()],
            "words": [word.strip() for word in typed["words"].split(",") if word.strip()],
            "expression": typed["expression"].strip(),
            "place": place or None,
            "author": author,
        }
    )


def _back(catalog: str, query: str) -> Response:
    given = {name: value for name, value in (("catalog", catalog), ("q", query)) if value}
    return RedirectResponse("/desk/rules" + (f"?{urlencode(given)}" if given else ""), HTTPStatus.SEE_OTHER)
