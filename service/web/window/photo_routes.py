"""A shopper's photo: taken, shown again, and the things on it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.datastructures import FormData

from indexer.errors import ImageRejected
from service.api.problems import status_of
from service.web.routing import SEARCHING, PageRoute
from service.web.site import shop_of, site_of
from service.web.window.address import read_address
from service.web.window.photo_shelf import shelf_of
from service.web.window.reference import things_on

router = APIRouter(route_class=PageRoute, include_in_schema=False, dependencies=[SEARCHING])

KEPT_PRIVATELY: Final = {"Cache-Control": "private, max-age=600", "X-Content-Type-Options": "nosniff"}
MAX_FIELDS: Final = 200


async def sent(request: Request) -> AsyncIterator[FormData]:
    async with request.form(max_files=1, max_fields=MAX_FIELDS) as form:
        yield form


@router.post("/photo")
def take_photo(request: Request, form: Annotated[FormData, Depends(sent)]) -> Response:
    """To the results of the photo, with the words and filters that were sent with it; to theirs without one."""
    said = read_address([(name, value) for name, value in form.multi_items() if isinstance(value, str)])
    photo = form.get("photo")
    content = b"" if photo is None or isinstance(photo, str) else photo.file.read()
    if not content:
        return RedirectResponse(said.first().url, HTTPStatus.SEE_OTHER)
    bare = replace(said.photoless(), like=None)
    try:
        address = replace(bare, photo=shelf_of(request).put(content))
    except ImageRejected as error:
        context: dict[str, object] = {"detail": str(error), "search": bare}
        return site_of(request).render(request, "window_photo_refused.html", context, status_of(ImageRejected))
    return RedirectResponse(address.url, HTTPStatus.SEE_OTHER)


@router.get("/photo/{photo_id}.webp")
def photo_file(request: Request, photo_id: str) -> Response:
    return Response(shelf_of(request).get(photo_id), media_type="image/webp", headers=KEPT_PRIVATELY)


@router.get("/photo/{photo_id}/regions")
def photo_regions(request: Request, photo_id: str) -> Response:
    """The things on it, the largest first: left, top, width and height as shares of the photo."""
    found = shop_of(request).regions(shelf_of(request).get(photo_id))
    boxes = [[one.left, one.top, one.width, one.height] for one in things_on(found)]
    return JSONResponse({"regions": boxes}, headers=KEPT_PRIVATELY)
