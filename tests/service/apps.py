"""The application over a shop of the tests, and keys for it."""

from collections.abc import Callable
from functools import partial
from typing import cast

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute

from indexer.bootstrap import open_catalogue
from indexer.catalog.engine import Database, open_database
from indexer.catalog.states import Scope
from indexer.settings import Settings
from service.access import Access
from service.api.app import create_app
from service.shop import Shop
from service.web.installing import install_pages
from tests.service.worlds import ACCESS, open_fake_shop


def app_over(
    settings: Settings,
    open_shop: Callable[[], Shop] | None = None,
    pages: bool = False,
    max_photo: int = 1_000_000,
) -> FastAPI:
    """Over the home's own database; photos may have `max_photo` bytes."""
    own = settings.model_copy(update={"images": settings.images.model_copy(update={"max_bytes": max_photo})})
    access = Access(open_catalogue(own), own.pages.session_hours)
    shown = partial(install_pages, settings=own, access=access) if pages else None
    return create_app(open_shop or (lambda: open_fake_shop(own)), own, access, shown)


def app_of(shop: object, max_photo: int = 1_000, database: Database | None = None) -> FastAPI:
    """Over what stands in for a shop; without a database nobody has a key."""
    settings = Settings.model_validate({"images": {"max_bytes": max_photo}, "access": ACCESS})
    return create_app(lambda: cast(Shop, shop), settings, Access(database or open_database("sqlite://")))


def routes_of(app: FastAPI) -> list[BaseRoute]:
    """Those of included routers too."""
    return [context.original_route for context in iter_route_contexts(app.routes)]


def key_for(settings: Settings, *scopes: Scope) -> dict[str, str]:
    """The headers of somebody with a new key."""
    return key_in(open_catalogue(settings), *scopes)


def key_in(database: Database, *scopes: Scope) -> dict[str, str]:
    return {"X-API-Key": Access(database).add("Kim Key", scopes)[1]}
