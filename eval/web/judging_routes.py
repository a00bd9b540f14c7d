"""The judging sheet: one query's products at a time, graded by keys or buttons, each grade kept at once."""

from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from eval.errors import UnknownSuite
from eval.suites.judgements import BEST, Judgement, Judgements, give, judged_suite, read_judgements, write_judged
from eval.suites.suite import Suite, SuiteQuery
from eval.web.archive import suite_named, suites_folder, suites_of
from eval.web.judging_pool import photo_of, pooled
from indexer.domain import Product
from indexer.errors import ImageRejected, UnknownProduct
from indexer.images.decoders import DecodeTask
from indexer.images.fit import Fit
from indexer.images.webp import as_webp
from service.photos import refused
from service.shop import Shop
from service.web.media import Picture, first_pictures
from service.web.routing import Analyst, PageRoute, is_part
from service.web.site import shop_of, site_of

router = APIRouter(route_class=PageRoute, include_in_schema=False)

SHEET = "/bench/judge"
Key = Annotated[str, Query(max_length=200)]
Name = Annotated[str, Query(max_length=1_000)]
GivenKey = Annotated[str, Form(max_length=200)]
GivenName = Annotated[str, Form(max_length=1_000)]


@dataclass(frozen=True)
class Card:
    """A product to judge; `grade` is what this judge said of it."""

    product: Product
    picture: Picture | None
    grade: int | None


@router.get(SHEET)
def sheet(request: Request, who: Analyst, suite: Key = "", query: Name = "", made: Key = "") -> Response:
    shop, site = shop_of(request), site_of(request)
    if not suite:
        return site.render(request, "bench_judge_suites.html", {"found": suites_of(shop.settings)})
    asked = suite_named(shop.settings, suite)
    judgements = read_judgements(asked.directory)
    current = _current(asked, judgements, who.name, query)
    build, products = pooled(shop, asked, current)
    references = [current.like] if current.like else []
    pictures = first_pictures(shop, build, [*products, *references])
    given = judgements.of(who.name, current.id)
    cards = [Card(product, pictures.get(name), given.get(name)) for name, product in products.items()]
    place = [one.id for one in asked.queries].index(current.id)
    context: dict[str, object] = {
        "key": suite,
        "suite": asked,
        "query": current,
        "place": place,
        "before": asked.queries[place - 1].id if place else None,
        "after": asked.queries[place + 1].id if place + 1 < len(asked.queries) else None,
        "cards": cards,
        "graded": sum(card.grade is not None for card in cards),
        "reference": _reference(shop, asked, current),
        "pictures": pictures,
        "begun": judgements.queries(who.name),
        "judgements": judgements,
        "judge": who.name,
        "best": BEST,
        "made": made,
    }
    return site.render(request, "bench_judge.html", context)


@router.post(SHEET)
def judge(
    request: Request,
    who: Analyst,
    suite: GivenKey,
    query: GivenName,
    product: GivenName,
    grade: Annotated[str, Form(pattern=f"^[0-{BEST}]?$")] = "",
) -> Response:
    """No grade takes the last one back."""
    shop = shop_of(request)
    asked = suite_named(shop.settings, suite)
    found = _query(asked, query)
    shop.product(asked.card.catalog, product)
    said = int(grade) if grade else None
    give(asked.directory, Judgement(query=found.id, product=product, judge=who.name, grade=said, at=datetime.now(UTC)))
    if is_part(request):
        return Response(status_code=HTTPStatus.NO_CONTENT)
    return RedirectResponse(_address(suite, query=found.id), HTTPStatus.SEE_OTHER)


@router.post(f"{SHEET}/suite")
def make(request: Request, who: Analyst, suite: GivenKey) -> Response:
    """A suite with the grades there are; one that was made of this suite before is written anew."""
    settings = shop_of(request).settings
    asked = suite_named(settings, suite)
    made = judged_suite(asked, read_judgements(asked.directory))
    write_judged(made, suites_folder(settings) / f"{suite}-judged")
    return RedirectResponse(_address(suite, made=made.card.name), HTTPStatus.SEE_OTHER)


@router.get(f"{SHEET}/photo")
def photo(request: Request, who: Analyst, suite: Key, query: Name) -> Response:
    """Of a query that asks with one; a copy, whatever the file is."""
    shop = shop_of(request)
    asked = suite_named(shop.settings, suite)
    content = photo_of(asked, _query(asked, query))
    if content is None:
        raise UnknownSuite(f"Query {query} asks without a photo.")
    try:
        decoded = shop.decoders.decode(DecodeTask(content, Fit((640, 640), "within")))
    except ImageRejected as error:
        raise refused(error) from error
    headers = {"Cache-Control": "private, max-age=3600", "X-Content-Type-Options": "nosniff"}
    return Response(as_webp(decoded.pixels), media_type="image/webp", headers=headers)


def _current(suite: Suite, judgements: Judgements, judge: str, wanted: str) -> SuiteQuery:
    """The one that is named, or where the judge stopped, or the first."""
    if wanted:
        return _query(suite, wanted)
    last = judgements.last.get(judge)
    return next((one for one in suite.queries if one.id == last), suite.queries[0])


def _query(suite: Suite, name: str) -> SuiteQuery:
    found = next((one for one in suite.queries if one.id == name), None)
    if found is None:
        raise UnknownSuite(f"Suite {suite.card.name} has no query {name!r}; it may have been made anew.")
    return found


def _reference(shop: Shop, suite: Suite, query: SuiteQuery) -> Product | None:
    """The product that the query starts from, where the catalog still has it."""
    try:
        return shop.product(suite.card.catalog, query.like) if query.like else None
    except UnknownProduct:
        return None


def _address(suite: str, **further: str) -> str:
    return f"{SHEET}?{urlencode({'suite': suite, **further})}"
