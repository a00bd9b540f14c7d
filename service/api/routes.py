"""The routes under /v1: each parses, calls once, returns. Blocking work runs in worker threads."""

from typing import Annotated

from fastapi import APIRouter, Body, Form, Query, Request, Response

from indexer.builds.changing import LiveChange
from indexer.builds.given import ProductInput, ProductUpdate
from indexer.errors import Overloaded
from service.api.admission import deadline_of
from service.api.examples import PUT_EXAMPLES, SEARCH_EXAMPLES, UPDATE_EXAMPLES
from service.api.guard import GuardedRoute, Rule, caller_of, ruled
from service.api.problems import refusals
from service.api.schemas import (
    MAX_PUT,
    CatalogList,
    Health,
    PhotoForm,
    ProductDocument,
    Readiness,
    RegionForm,
    RegionList,
)
from service.request import MAX_TOP_K, SearchRequest
from service.search.answer import Answer
from service.shop import Shop

router = APIRouter(
    prefix="/v1",
    route_class=GuardedRoute,
    responses=refusals(400, 404, 409, 413, 422, 503),
)

OPEN, SEARCHING, CHANGING = ruled(Rule.OPEN), ruled(Rule.PUBLIC_SEARCH), ruled(Rule.MERCHANDISE)
Catalog = Annotated[str | None, Query(description="Default: the configured catalog, else the only published one.")]


def _shop(request: Request) -> Shop:
    shop: Shop = request.app.state.shop
    return shop


def _written(answer: Answer) -> Response:
    """Here, in the thread that searched: the framework would look through the whole answer again, in another one."""
    return Response(answer.model_dump_json(by_alias=True), media_type="application/json")


@router.post(
    "/search",
    dependencies=[SEARCHING],
    response_model=Answer,
    summary="Search by words, by a product, or by a product and a change",
)
def search(request: Request, body: Annotated[SearchRequest, Body(openapi_examples=SEARCH_EXAMPLES)]) -> Response:
    return _written(_shop(request).search(body, caller=caller_of(request).key, deadline=deadline_of(request)))


@router.post(
    "/search/photo",
    dependencies=[SEARCHING],
    response_model=Answer,
    summary="Search by a photo, alone or with a change",
)
def search_by_photo(request: Request, form: Annotated[PhotoForm, Form(media_type="multipart/form-data")]) -> Response:
    photo, *further = form.photos()
    caller, deadline = caller_of(request).key, deadline_of(request)
    return _written(_shop(request).search(form.request(), photo, further, caller, deadline=deadline))


@router.post("/regions", dependencies=[SEARCHING], summary="The things on a photo, each with a box to search by")
def regions(request: Request, form: Annotated[RegionForm, Form(media_type="multipart/form-data")]) -> RegionList:
    return RegionList(regions=_shop(request).regions(form.photo.file.read()))


@router.get(
    "/products/{product_id:path}/similar",
    dependencies=[SEARCHING],
    response_model=Answer,
    summary="Products that look and read like one",
)
def similar(
    request: Request,
    product_id: str,
    catalog: Catalog = None,
    top_k: Annotated[int, Query(ge=1, le=MAX_TOP_K)] = 10,
) -> Response:
    asked = SearchRequest(like=product_id, catalog=catalog, top_k=top_k)
    return _written(_shop(request).search(asked, deadline=deadline_of(request)))


@router.get("/products/{product_id:path}", dependencies=[SEARCHING], summary="One product")
def product(request: Request, product_id: str, catalog: Catalog = None) -> ProductDocument:
    return ProductDocument.of(_shop(request).product(catalog, product_id))


@router.put("/products", dependencies=[CHANGING], summary="Add products, replacing those of equal id")
def put_products(
    request: Request,
    body: Annotated[list[ProductInput], Body(min_length=1, max_length=MAX_PUT, openapi_examples=PUT_EXAMPLES)],
    catalog: Catalog = None,
) -> LiveChange:
    return _shop(request).put(catalog, [one.product() for one in body], caller_of(request).name)


@router.patch(
    "/products/{product_id:path}", dependencies=[CHANGING], summary="Change price, availability, address or attributes"
)
def update_product(
    request: Request,
    product_id: str,
    body: Annotated[ProductUpdate, Body(openapi_examples=UPDATE_EXAMPLES)],
    catalog: Catalog = None,
) -> LiveChange:
    return _shop(request).update(catalog, product_id, body, caller_of(request).name)


@router.delete("/products/{product_id:path}", dependencies=[CHANGING], summary="Take a product out")
def delete_product(request: Request, product_id: str, catalog: Catalog = None) -> LiveChange:
    return _shop(request).delete(catalog, [product_id], caller_of(request).name)


@router.get("/catalogs", dependencies=[SEARCHING], summary="The catalogs and their published builds")
def catalogs(request: Request) -> CatalogList:
    return CatalogList(catalogs=_shop(request).catalogs())


@router.get("/health", dependencies=[OPEN], summary="Is the process alive?")
async def health(request: Request) -> Health:
    return Health(status="alive", instance=request.app.state.instance)


@router.get("/ready", dependencies=[OPEN], summary="Can it answer searches? 503 with the reason otherwise")
async def ready(request: Request) -> Readiness:
    if request.app.state.draining:
        raise Overloaded("The service is being stopped; ask another one, or this one when it is back.", 5)
    return Readiness(status="ready", builds=dict(await request.app.state.looking.seen(_shop(request).warm)))
