"""A build: how it gets on, what it was made of, what it left out."""

from http import HTTPStatus
from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse

from indexer.builds.life import cancel
from indexer.catalog.states import PUBLISHABLE_STATES
from indexer.errors import UnknownBuild
from service.desk.building import view_of
from service.desk.rejects import PAGE, as_csv, left_out
from service.web.desk.catalogs import published_catalogs
from service.web.desk.events import Part, events
from service.web.desk.publish_routes import publish_box
from service.web.media import first_pictures
from service.web.routing import Merchandiser, PageRoute
from service.web.site import shop_of, site_of

router = APIRouter(route_class=PageRoute, include_in_schema=False)
OfReason = Annotated[str | None, Query(max_length=64)]


@router.get("/desk/builds/{build}")
def show(
    request: Request,
    who: Merchandiser,
    build: str,
    reason: OfReason = None,
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Response:
    shop = shop_of(request)
    try:
        view = view_of(shop.database, build)
    except UnknownBuild:
        return site_of(request).render(request, "desk_gone.html", {}, HTTPStatus.NOT_FOUND)
    start = (page - 1) * PAGE
    rows = list(islice(left_out(shop.database, build, reason), start, start + PAGE + 1))
    pictures = first_pictures(shop, build, [one.product for one in rows if one.product])
    context: dict[str, object] = {
        "build": view,
        "reason": reason,
        "page": page,
        "rows": rows[:PAGE],
        "more": len(rows) > PAGE,
        "pictures": pictures,
        "own_worker": shop.settings.store.kind == "edge",
    }
    if view.record.state in PUBLISHABLE_STATES:
        context |= publish_box(request, build)
        context["others"] = [name for name in published_catalogs(shop) if name != view.record.catalog]
    return site_of(request).render(request, "desk_build.html", context)


@router.get("/desk/builds/{build}/events")
def build_events(request: Request, who: Merchandiser, build: str) -> Response:
    shop, site = shop_of(request), site_of(request)

    def look() -> Part:
        try:
            view = view_of(shop.database, build)
        except UnknownBuild:  # it came to what is published already
            return Part("", over=True, then="/desk?unchanged=1")
        context: dict[str, object] = {"build": view, "own_worker": shop.settings.store.kind == "edge"}
        html = bytes(site.render(request, "desk_build_live.html", context).body).decode()
        return Part(html, over=not view.active)

    view_of(shop.database, build)
    return events(request, look)


@router.post("/desk/builds/{build}/cancel")
def stop(request: Request, who: Merchandiser, build: str) -> Response:
    cancel(shop_of(request).database, build, who.name)
    return RedirectResponse(f"/desk/builds/{build}", HTTPStatus.SEE_OTHER)


@router.get("/desk/builds/{build}/errors.csv")
def errors(request: Request, who: Merchandiser, build: str, reason: OfReason = None) -> Response:
    database = shop_of(request).database
    view = view_of(database, build)
    name = f"{view.record.catalog}-{view.record.id}-errors.csv"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(as_csv(left_out(database, build, reason)), media_type="text/csv", headers=headers)
