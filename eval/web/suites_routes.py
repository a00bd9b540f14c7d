"""The suites there are, what one asks, and making some of a catalogue."""

from collections import Counter
from http import HTTPStatus
from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from eval.suites.making.make import MadeKind
from eval.suites.suite import Split, Suite, SuiteQuery
from eval.web.archive import runs_of, suite_named, suites_of
from eval.web.asking import SuitesWish, suites_work
from eval.web.reporting import kept_figures
from eval.web.runs_routes import workbench_of, working_of
from eval.web.showing import gallery
from indexer.errors import VitrineError
from service.api.problems import status_of
from service.web.routing import Analyst, PageRoute
from service.web.site import shop_of, site_of

router = APIRouter(route_class=PageRoute, include_in_schema=False)

PAGE = 24
"""Queries shown at once."""
RIGHT = 6
"""Right products shown of each."""


@router.get("/bench/suites")
def suites(request: Request, who: Analyst) -> Response:
    return _overview(request, SuitesWish(kinds=list(MadeKind)))


@router.post("/bench/suites")
def make(request: Request, who: Analyst, wish: Annotated[SuitesWish, Form()]) -> Response:
    try:
        name, work = suites_work(wish, shop_of(request))
        workbench_of(request).start(name, who.name, work)
    except VitrineError as error:
        return _overview(request, wish, error)
    return RedirectResponse("/bench/suites", HTTPStatus.SEE_OTHER)


@router.get("/bench/suites/{key}")
def suite(
    request: Request,
    who: Analyst,
    key: str,
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    q: Annotated[str, Query(max_length=200)] = "",
    tag: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    shop = shop_of(request)
    asked = suite_named(shop.settings, key)
    found = [query for query in asked.queries if _fits(query, q.casefold().strip(), tag)]
    shown = found[(page - 1) * PAGE : page * PAGE]
    right = {query.id: _right(asked, query) for query in shown}
    products = [product for some in right.values() for product in some]
    products += [query.like for query in shown if query.like is not None]
    context: dict[str, object] = {
        "key": key,
        "suite": asked,
        "counts": _counts(asked),
        "tags": Counter(tag for query in asked.queries for tag in query.tags).most_common(30),
        "found": len(found),
        "shown": shown,
        "right": right,
        "gallery": gallery(shop, asked, None, products, [query.photo for query in shown]),
        "page": page,
        "pages": -(-len(found) // PAGE),
        "q": q,
        "tag": tag,
        "runs": [(one, kept_figures(one)) for one in runs_of(shop.settings) if one.of(asked.digest)],
    }
    return site_of(request).render(request, "bench_suite.html", context)


def _overview(request: Request, wish: SuitesWish, error: VitrineError | None = None) -> Response:
    shop = shop_of(request)
    context: dict[str, object] = {
        "suites": [(one, _counts(one.suite) if one.suite else {}) for one in suites_of(shop.settings)],
        "catalogs": [name for name, build in shop.catalogs().items() if build is not None],
        "kinds": list(MadeKind),
        "wish": wish,
        "error": error,
        **working_of(request),
    }
    status = HTTPStatus.OK if error is None else status_of(type(error))
    return site_of(request).render(request, "bench_suites.html", context, status)


def _counts(suite: Suite) -> dict[str, object]:
    """Queries by kind and by half, judgements, and the products that are judged."""
    return {
        "kinds": Counter(query.kind.value for query in suite.queries).most_common(),
        "halves": {half.value: sum(query.split is half for query in suite.queries) for half in Split},
        "absent": len(suite.queries) - len(suite.judged),
        "judgements": sum(len(grades) for grades in suite.qrels.values()),
        "products": len({product for grades in suite.qrels.values() for product in grades}),
    }


def _fits(query: SuiteQuery, words: str, tag: str) -> bool:
    said = f"{query.id} {query.words} {query.like or ''}".casefold()
    return words in said and (not tag or tag in query.tags)


def _right(suite: Suite, query: SuiteQuery) -> list[str]:
    """The best graded first."""
    grades = suite.qrels.get(query.id, {})
    best = sorted((one for one, grade in grades.items() if grade > 0), key=lambda one: (-grades[one], one))
    return list(islice(best, RIGHT))
