"""The FastAPI application over one shop."""

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from anyio import to_thread
from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from starlette.types import ASGIApp

from indexer.settings import Settings
from service.access import Access, public_parts
from service.api import ask_route, document_route, generate_route, jobs_route, metrics_route, problems, rules_routes
from service.api.admission import Admission, threads_for
from service.api.assembling import put_into
from service.api.describing import describe
from service.api.guard import Identify
from service.api.heads import Heads, sharing
from service.api.looking import SharedLook
from service.api.observing import Observing, native
from service.api.patience import Patience
from service.api.rates import Rates
from service.api.routes import router
from service.shop import Shop
from service.tracing import open_tracing

FORM_OVERHEAD = 100_000
"""Bytes a multipart form may add to the photo."""


class _Api(FastAPI):
    def openapi(self) -> dict[str, Any]:
        if not self.openapi_schema:
            describe(super().openapi())
        return self.openapi_schema or {}

    def build_middleware_stack(self) -> ASGIApp:
        """Outermost last. What is added with `add_middleware` is inside all of these, and what it raises is answered by
        the handlers of `problems`."""
        answering = problems.TooLargeAsProblem(super().build_middleware_stack())
        in_time = Patience(answering, self.state.body_seconds, self.max_body_size or 0)
        known = Heads(sharing(in_time, self.state.settings.access.origins), self.state.settings)
        return Observing(known, self.state.tracing)


def create_app(
    open_shop: Callable[[], Shop],
    settings: Settings,
    access: Access,
    pages: Callable[[FastAPI], None] | None = None,
) -> FastAPI:
    """`open_shop` is called when the server starts and the shop closed when it stops. `pages` adds pages for people to
    the routes for programs."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        to_thread.current_default_thread_limiter().total_tokens = threads_for(settings.load)
        app.state.shop = await run_in_threadpool(open_shop)
        app.state.metrics = app.state.shop.metrics
        app.state.looking = SharedLook()
        yield
        await app.state.rates.close()
        await run_in_threadpool(app.state.shop.close)
        await run_in_threadpool(app.state.tracing.close)

    tracing = open_tracing(settings.telemetry)
    app = _Api(
        title="Vitrine",
        summary="Product search by words, by photo, and by 'like this but blue'",
        version=version("vitrine"),
        lifespan=lifespan,
        max_body_size=settings.images.max_bytes + FORM_OVERHEAD,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        telemetry=native(tracing),
    )
    app.state.tracing = tracing
    app.state.body_seconds = settings.load.body_seconds
    app.state.draining = False
    app.state.instance = secrets.token_hex(8)
    app.state.settings = settings
    app.state.public = public_parts(settings)
    app.add_middleware(Admission, load=settings.load)
    app.state.rates = Rates(settings.access, lambda: app.state.metrics)
    app.add_middleware(Identify, access=access, rates=app.state.rates)
    put_into(app.router, router)
    for part in (document_route, ask_route, generate_route, jobs_route, rules_routes, metrics_route):
        put_into(app.router, part.router)
    if pages is not None:
        pages(app)
    problems.install(app)
    return app
