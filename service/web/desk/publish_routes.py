"""Publishing a build, with all that speaks for and against it; going back; and who did what when."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, FastAPI, Form, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from indexer.builds.life import rollback
from service.desk.deciding import decision_of, histories
from service.desk.publishing import Publishing
from service.web.desk.events import Part, events
from service.web.desk.products_shown import shown_products
from service.web.routing import Merchandiser, PageRoute
from service.web.site import shop_of, site_of


@asynccontextmanager
async def _publishing(app: FastAPI) -> AsyncIterator[None]:
    publishing = Publishing(app.state.shop)
    app.state.publishing = publishing
    yield
    await run_in_threadpool(publishing.close)


router = APIRouter(route_class=PageRoute, include_in_schema=False, lifespan=_publishing)

Name = Annotated[str, Form(max_length=100)]


def publish_box(request: Request, build: str) -> dict[str, object]:
    """What `desk_publish_box.html` shows of a finished build. Raises UnknownBuild."""
    shop = shop_of(request)
    attempt = _publishing_of(request).of(build)  # before the decision, which then tells what came of it
    decision = decision_of(shop.database, shop.settings, build)
    named = {} if decision.difference is None else decision.difference.named
    sides = {"removed": decision.live or build}
    return {
        "decision": decision,
        "attempt": attempt,
        "differing": {kind: shown_products(shop, sides.get(kind, build), ids) for kind, ids in named.items()},
    }


@router.get("/desk/builds/{build}/publish/events")
def progress(request: Request, who: Merchandiser, build: str) -> Response:
    """The part of the page that changes while the gates are asked."""
    site, publishing = site_of(request), _publishing_of(request)

    def look() -> Part:
        attempt = publishing.of(build)
        if attempt is None or attempt.ending is not None:
            return Part("", over=True)
        html = site.render(request, "desk_publish_progress.html", {"attempt": attempt}).body
        return Part(bytes(html).decode(), over=False)

    return events(request, look)


@router.post("/desk/builds/{build}/publish")
def publish(request: Request, who: Merchandiser, build: str, anyway: Annotated[bool, Form()] = False) -> Response:
    attempt = _publishing_of(request).start(build, who.name, skip_gates=anyway)
    return RedirectResponse(f"/desk/builds/{quote(attempt.build, safe='')}", HTTPStatus.SEE_OTHER)


@router.get("/desk/history")
def history(request: Request, who: Merchandiser) -> Response:
    shop = shop_of(request)
    context: dict[str, object] = {"histories": histories(shop.database, shop.settings)}
    return site_of(request).render(request, "desk_publish_history.html", context)


@router.post("/desk/rollback")
def roll_back(request: Request, who: Merchandiser, catalog: Name, to: Name) -> Response:
    shop = shop_of(request)
    rollback(shop.database, shop.settings, catalog, to, who.name)
    return RedirectResponse("/desk/history", HTTPStatus.SEE_OTHER)


def _publishing_of(request: Request) -> Publishing:
    publishing: Publishing = request.app.state.publishing
    return publishing
