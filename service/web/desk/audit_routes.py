"""Who changed what, and how it was before."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Final

from fastapi import APIRouter, FastAPI, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.states import Scope
from service.desk.recorded import SHOWN, forget_changes, recorded
from service.shop import Shop
from service.web.routing import Merchandiser, PageRoute
from service.web.site import shop_of, site_of

FORGET_SECONDS: Final = 3600.0
KINDS: Final = ("products", "builds", "rules")
GUARDED: Final = ("keys", "backups")
"""What is done something to, as the record names it: what everybody at the desk sees, and what administrators do."""


@asynccontextmanager
async def _forgetting(app: FastAPI) -> AsyncIterator[None]:
    """What was kept long enough goes while the service runs."""
    forgetting = asyncio.create_task(_forget(app.state.shop))
    yield
    forgetting.cancel()


router = APIRouter(route_class=PageRoute, include_in_schema=False, lifespan=_forgetting)


@router.get("/desk/changes")
def changes(
    request: Request,
    who: Merchandiser,
    catalog: Annotated[str, Query(max_length=64)] = "",
    kind: Annotated[str, Query(max_length=32)] = "",
) -> Response:
    database = shop_of(request).database
    with database.session() as session:
        names = CatalogRepository(session).names()
    administrates = Scope.ADMIN in who.scopes
    kinds = (*KINDS, *GUARDED) if administrates else KINDS
    found = recorded(database, catalog or None, kind if kind in kinds else None, everything=administrates)
    context: dict[str, object] = {"changes": found, "catalogs": names, "catalog": catalog, "kind": kind}
    return site_of(request).render(request, "desk_changes.html", {**context, "kinds": kinds, "most": SHOWN})


async def _forget(shop: Shop) -> None:
    while True:
        await run_in_threadpool(forget_changes, shop.database, shop.settings.access.audit_days)
        await asyncio.sleep(FORGET_SECONDS)
