"""Single products: found, changed at once, read anew, taken out."""

from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from indexer.domain import Availability
from indexer.errors import ConflictError, InputError, VitrineError
from service.api.problems import status_of
from service.desk.products import Sheet, find_products, hinders, named, read_anew, save, sheet_of, standing_of
from service.web.desk.catalogs import chosen_catalog, published_catalogs
from service.web.desk.products_shown import shown_products
from service.web.media import pictures_of
from service.web.routing import Merchandiser, PageRoute
from service.web.site import shop_of, site_of

router = APIRouter(route_class=PageRoute, include_in_schema=False)

EDIT = "/desk/products/edit"
SPARE = 2
"""Rows for new attributes."""
Asked = Annotated[str, Query(max_length=1_000)]
Line = Annotated[str, Form(max_length=5_000)]
Text = Annotated[str, Form(max_length=200_000)]
Lines = Annotated[list[str], Form(max_length=300)]


@dataclass(frozen=True)
class _Told:
    """What the page says of the form that was sent last."""

    typed: Sheet | None = None
    """What was typed into one that was refused; it stays."""
    refused: InputError | ConflictError | None = None
    done: str = ""
    """`changed`, `read` or `same`."""
    rejected: int = 0
    """Photos that were left out."""


@dataclass(frozen=True)
class _Typed:
    """The form's fields."""

    title: Text = ""
    description: Text = ""
    brand: Line = ""
    category: Line = ""
    parent: Line = ""
    images: Text = ""
    price: Line = ""
    currency: Line = ""
    availability: Line = ""
    url: Line = ""


@router.get("/desk/products")
def products(
    request: Request, who: Merchandiser, q: Asked = "", catalog: Asked = "", after: Asked = "", gone: Asked = ""
) -> Response:
    shop, status, problem, found = shop_of(request), HTTPStatus.OK, "", None
    try:
        found = find_products(shop, chosen_catalog(shop, catalog), q.strip(), after or None)
    except VitrineError as error:
        problem, status = str(error), status_of(type(error))
    context: dict[str, object] = {
        "q": q.strip(),
        "catalog": catalog,
        "catalogs": published_catalogs(shop),
        "found": found,
        "rows": [] if found is None else shown_products(shop, found.build, [one.id for one in found.products]),
        "gone": gone,
        "problem": problem,
    }
    return site_of(request).render(request, "desk_products.html", context, status)


@router.get(EDIT)
def edit(
    request: Request, who: Merchandiser, id: Asked, catalog: Asked = "", done: Asked = "", rejected: int = 0
) -> Response:
    return _page(request, id, catalog, _Told(done=done, rejected=rejected))


@router.post("/desk/products/save")
def change(
    request: Request,
    who: Merchandiser,
    typed: Annotated[_Typed, Depends()],
    id: Line,
    catalog: Line = "",
    was: Annotated[str, Form(max_length=500_000)] = "",
    attribute: Lines = [],  # noqa: B006 -- FastAPI copies it
    value: Lines = [],  # noqa: B006
) -> Response:
    """`was`: the form as it was opened, so that only what was edited is changed."""
    shop, fields = shop_of(request), asdict(typed)
    written = Sheet(fields=fields, attributes=dict(zip(attribute, value, strict=False)))
    try:
        sheet = Sheet(fields=fields, attributes=named(attribute, value))
        done = save(shop, chosen_catalog(shop, catalog), id, sheet, _opened(was), who.name)
    except (InputError, ConflictError) as error:
        return _page(request, id, catalog, _Told(written, error))
    if done.change is None:
        return _back(id, catalog, "same")
    return _back(id, catalog, "read" if done.read_anew else "changed", len(done.change.rejected))


@router.post("/desk/products/read-anew")
def read_again(request: Request, who: Merchandiser, id: Line, catalog: Line = "") -> Response:
    shop = shop_of(request)
    done = read_anew(shop, chosen_catalog(shop, catalog), id, who.name)
    return _back(id, catalog, "read", len(done.rejected))


@router.post("/desk/products/delete")
def delete(request: Request, who: Merchandiser, id: Line, catalog: Line = "") -> Response:
    shop = shop_of(request)
    shop.delete(chosen_catalog(shop, catalog), [id], who.name)
    hinders(shop, chosen_catalog(shop, catalog))
    given = {"gone": id, **({"catalog": catalog} if catalog else {})}
    return RedirectResponse(f"/desk/products?{urlencode(given)}", HTTPStatus.SEE_OTHER)


def _page(request: Request, product_id: str, catalog: str, told: "_Told") -> Response:
    """Raises UnknownProduct."""
    shop = shop_of(request)
    standing = standing_of(shop, chosen_catalog(shop, catalog), product_id)
    keys = [(one.product_id, one.image_id) for one in standing.photos]
    now = sheet_of(standing.product)
    sheet = told.typed or now
    context: dict[str, object] = {
        "standing": standing,
        "catalog": catalog,
        "fields": sheet.fields,
        "attributes": [*((name, said) for name, said in sheet.attributes.items() if name), *[("", "")] * SPARE],
        "was": now.model_dump_json(),
        "availabilities": list(Availability),
        "pictures": pictures_of(shop, standing.build, keys),
        "hindered": hinders(shop, standing.catalog),
        "told": told,
    }
    status = HTTPStatus.OK if told.refused is None else status_of(type(told.refused))
    return site_of(request).render(request, "desk_product_edit.html", context, status)


def _opened(was: str) -> Sheet | None:
    """Raises InputError for what no form of ours sends."""
    try:
        return Sheet.model_validate_json(was) if was else None
    except ValidationError:
        raise InputError("was: not a product as its form shows it; open the product anew.") from None


def _back(product_id: str, catalog: str, done: str, rejected: int = 0) -> Response:
    given: dict[str, object] = {"id": product_id, "done": done}
    given |= {name: said for name, said in (("catalog", catalog), ("rejected", rejected)) if said}
    return RedirectResponse(f"{EDIT}?{urlencode(given)}", HTTPStatus.SEE_OTHER)
