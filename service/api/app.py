"""The FastAPI application over one shop."""

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from starlette.types import ASGIApp

from service.api import ask_route, metrics_route, problems, rules_routes
from service.api.routes import router
from service.shop import Shop

FORM_OVERHEAD = 100_000
"""Bytes a multipart form may add to the photo."""


class _Api(FastAPI):
    def build_middleware_stack(self) -> ASGIApp:
        return problems.TooLargeAsProblem(super().build_middleware_stack())


def create_app(open_shop: Callable[[], Shop], max_photo_bytes: int) -> FastAPI:
    """`open_shop` is called when the server starts and the shop closed when it stops."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.shop = await run_in_threadpool(open_shop)
        app.state.metrics = app.state.shop.metrics
        yield
        await run_in_threadpool(app.state.shop.close)

    app = _Api(
        title="Vitrine",
        summary="Product search by words, by photo, and by 'like this but blue'",
        version=version("vitrine"),
        lifespan=lifespan,
        max_body_size=max_photo_bytes + FORM_OVERHEAD,
    )
    app.state.instance = secrets.token_hex(8)
    for part in (router, ask_route.router, rules_routes.router, metrics_route.router):
        app.include_router(part)
    problems.install(app)
    return app
