"""The shop window's pages: ways in, results, one product."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from indexer.builds.live import LiveIndex
from indexer.errors import BadCursor, CursorExpired, NothingPublished, PhotoGone, VitrineError
from service.api.admission import deadline_of
from service.api.guard import caller_of
from service.api.problems import status_of
from service.search.answer import Answer
from service.web.routing import SEARCHING, PageRoute, is_part
from service.web.site import shop_of, site_of
from service.web.window.address import LONGEST, Address, read_address
from service.web.window.cards import cards_of, shown_of
from service.web.window.catalogs import doors_of, in_a_catalog
from service.web.window.colours import quick_changes
from service.web.window.further import ALSO, changed_further, single_changes
from service.web.window.home import walls_of
from service.web.window.photo_shelf import shelf_of
from service.web.window.product_page import product_page
from service.web.window.reference import Reference, reference_of
from service.web.window.refining import refining_of
from service.web.window.ways import Way, ways_on

router = APIRouter(route_class=PageRoute, include_in_schema=False, dependencies=[SEARCHING])

CatalogName = Annotated[str | None, Query(max_length=100)]
EXPIRED: Final = (CursorExpired, BadCursor)


@router.get("/")
def window(request: Request) -> Response:
    """Ways in, or the results of what the address asks; a part of it: more results alone."""
    address = Address()
    try:
        address = _address(request)
        if not address.asks:
            return _home(request, address)
        return _results(request, address)
    except EXPIRED:
        if is_part(request):
            raise
        return _results(request, address.first(), renewed=True)
    except VitrineError as error:
        if is_part(request):
            raise
        return _mistaken(request, address, error)


@router.get("/p/{product_id:path}")
def product(request: Request, product_id: str, catalog: CatalogName = None) -> Response:
    address = in_a_catalog(Address(catalog=catalog), shop_of(request))
    page = product_page(shop_of(request), product_id, address)
    return _page(request, "window_product.html", address, {"page": page, "photo": None})


def _address(request: Request) -> Address:
    """What the page is asked for, in a catalog, with the change that a form adds."""
    said = request.query_params.multi_items()
    shop = shop_of(request)
    address = in_a_catalog(read_address(said), shop)
    also = " ".join(value for name, value in said if name == ALSO)[:LONGEST]
    if not also or not address.asks:
        return address
    with shop.lease(address.catalog) as (index, _):
        return changed_further(address, also, index.manifest.vocabulary)


def _home(request: Request, address: Address) -> Response:
    wall = walls_of(request).of(shop_of(request), address.catalog)
    return _page(request, "window_home.html", address, {"photo": None, "wall": wall})


def _results(request: Request, address: Address, renewed: bool = False) -> Response:
    shop = shop_of(request)
    photo = shelf_of(request).get(address.photo) if address.photo else None
    with shop.lease(address.catalog) as (index, _):
        manifest = index.manifest
    asked = address.request()
    later = address.verify and not (address.strict or address.wait) and address.cursor is None
    searched = asked.model_copy(update={"verify": None}) if later else asked
    answer = shop.search(searched, photo, caller=caller_of(request).key, deadline=deadline_of(request))
    context: dict[str, object] = {
        "search": address,
        "answer": answer,
        "cards": cards_of(answer, address, shop),
        "quick": quick_changes(manifest),
        "shown": shown_of(answer, asked),
        "more": address.at(answer.next).url if answer.next else None,
        "part": is_part(request),
    }
    if is_part(request):
        return site_of(request).render(request, "window_cards.html", context)
    return _page(
        request,
        "window_results.html",
        address,
        {
            **context,
            "renewed": renewed,
            "photo": address.photo,
            "reference": _reference(request, address, answer, photo),
            "refining": refining_of(answer, address, manifest),
            "ways": _ways(address, answer, index),
            "marks_url": f"/marks?{address.query}" if later else None,
            "changes": single_changes(address),
            "can_check": min(shop.settings.rerank.top_n, len(answer.results)) if shop.verifies else 0,
            "can_draw": shop.draws,
        },
    )


def _reference(request: Request, address: Address, answer: Answer, photo: bytes | None) -> Reference | None:
    size = shelf_of(request).size(address.photo) if address.photo else (0, 0)
    return reference_of(address, answer, shop_of(request), photo, size)


def _ways(address: Address, answer: Answer, index: LiveIndex) -> list[Way]:
    """Only from a first page that is short of something."""
    lacking = address.cursor is None and (not answer.results or answer.nothing_close is not None)
    return ways_on(address, answer, index) if lacking else []


def _mistaken(request: Request, address: Address, error: VitrineError) -> Response:
    """What was asked, to be put right, and what is wrong with it."""
    gone = isinstance(error, PhotoGone)
    kept = address.photoless() if gone else address.first()
    context: dict[str, object] = {
        "photo": None,
        "mistake": site_of(request).said(request, str(error)),
        "gone": gone,
        "empty": isinstance(error, NothingPublished),
    }
    return _page(request, "window_mistake.html", kept, context, status_of(type(error)))


def _page(
    request: Request, template: str, search: Address, context: dict[str, object], status: HTTPStatus = HTTPStatus.OK
) -> Response:
    """A whole page, with the shop's other catalogs a click away."""
    known = {"search": search, "doors": doors_of(shop_of(request), search)}
    return site_of(request).render(request, template, {**known, **context}, status)
