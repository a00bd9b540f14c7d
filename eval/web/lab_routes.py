"""The query lab: one question, and everything that the search did with it."""

import re
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from eval.suites.suite import SuiteQuery
from eval.web.archive import suite_named
from eval.web.judging_pool import photo_of
from eval.web.lab import passed, rows_of, stages_of
from indexer.errors import InputError, QueryError
from service.api.problems import status_of
from service.request import MAX_WORDS, SearchRequest, request_of
from service.search.answer import Answer
from service.search.query import AUTO
from service.search.weights import parse_weights
from service.shop import Shop
from service.web.media import pictures_of
from service.web.routing import Analyst, PageRoute
from service.web.site import shop_of, site_of

router = APIRouter(route_class=PageRoute, include_in_schema=False)

MOST = 50
"""Results."""
USUAL = "12"
NAMES = (
    "q",
    "like",
    "change",
    "where",
    "why_not",
    "weights",
    "fusion",
    "rules",
    "sort",
    "top_k",
    "catalog",
    "variants",
)
Text = Annotated[str, Query(max_length=MAX_WORDS)]


@router.get("/bench/lab")
def lab(request: Request, who: Analyst, suite: Text = "", query: Text = "") -> Response:
    """`suite` and `query` ask as a query of a suite does, with its photo, too."""
    shop, site = shop_of(request), site_of(request)
    asked, photo = None, None
    if suite and query:
        found = suite_named(shop.settings, suite)
        asked = next((one for one in found.queries if one.id == query), None)
        photo = None if asked is None else photo_of(found, asked)
    typed = _typed(request, asked, found.card.catalog if asked else "")
    published = shop.published()
    typed["catalog"] = typed["catalog"] or _usual(shop, published)
    context: dict[str, object] = {"typed": typed, "catalogs": published, "key": suite, "query": query}
    context |= {"answer": None, "fault": "", "photo": photo is not None}
    if not (typed["q"] or typed["like"] or photo):
        return site.render(request, "bench_lab.html", context)
    try:
        answer = shop.search(_request(typed), photo, caller=who.key)
    except InputError as error:
        return site.render(request, "bench_lab.html", context | {"fault": str(error)}, status_of(type(error)))
    return site.render(request, "bench_lab.html", context | _told(shop, answer))


def _usual(shop: Shop, published: Sequence[str]) -> str:
    """The one that the settings name, else the eldest; '' where nothing is published."""
    named = shop.settings.catalog or ""
    return named if named in published else next(iter(published), "")


def _told(shop: Shop, answer: Answer) -> dict[str, object]:
    assert answer.explain is not None
    wanted = [(one.id, one.image.id) for one in answer.results if one.image is not None]
    return {
        "answer": answer,
        "stages": stages_of(answer),
        "passed": passed(answer.explain),
        "rows": rows_of(answer, pictures_of(shop, answer.build, wanted)),
        "whole": sum(answer.timings_ms.values()),
    }


def _typed(request: Request, query: SuiteQuery | None, catalog: str) -> dict[str, str]:
    """What the form says, or the suite's query where it says nothing yet."""
    if query is not None and not any(name in request.query_params for name in NAMES):
        filters = "\n".join(query.where)
        known = {"q": query.text, "like": query.like or "", "change": query.change, "where": filters}
        return dict.fromkeys(NAMES, "") | {"top_k": USUAL} | known | {"catalog": catalog, "variants": "apart"}
    return {name: request.query_params.get(name, USUAL if name == "top_k" else "").strip() for name in NAMES}


def _request(typed: dict[str, str]) -> SearchRequest:
    """Raises QueryError naming the field that is wrong, BadWeights."""
    weights = parse_weights(typed["weights"]) if typed["weights"] else None
    wanted = int(typed["top_k"]) if re.fullmatch(r"[0-9]{1,3}", typed["top_k"]) else 0
    if not 1 <= wanted <= MOST:
        raise QueryError(f"top_k: {typed['top_k'][:20]!r} is not a number from 1 to {MOST}.")
    return request_of(
        {
            "text": typed["q"],
            "like": typed["like"] or None,
            "change": typed["change"],
            "where": _listed(typed["where"]),
            "why_not": _listed(typed["why_not"]),
            "weights": None if weights is None else {channel.value: weight for channel, weight in weights.items()},
            "fusion": typed["fusion"] or None,
            "rules": typed["rules"] or "live",
            "sort": typed["sort"] or None,
            "catalog": typed["catalog"] or None,
            "top_k": wanted,
            "group": not typed["variants"],
            "facets": (AUTO,),
            "explain": True,
        }
    )


def _listed(text: str) -> tuple[str, ...]:
    """A line each."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())
