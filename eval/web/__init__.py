"""The bench: what analysts measure and tune with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI
from fastapi.concurrency import run_in_threadpool

from eval.web import compare_routes, judging_routes, lab_routes, runs_routes, sliders_routes, suites_routes
from eval.web.reporting import Reports
from indexer.catalog.states import Scope
from service.api.assembling import put_into
from service.web.site import Nav, PageSet
from service.working import Workplace

BUSY = "“{label}” is still under way; wait for it or cancel it."
ROUTES = (runs_routes, compare_routes, suites_routes, sliders_routes, lab_routes, judging_routes)


def pages() -> PageSet:
    router = APIRouter(lifespan=_working)
    for part in ROUTES:
        put_into(router, part.router)
    return PageSet(router, "eval.web", Nav("/bench", "Bench", Scope.ANALYSE))


@asynccontextmanager
async def _working(app: FastAPI) -> AsyncIterator[None]:
    """Within the time that the shop is open: what this process does is stopped before it closes."""
    settings = app.state.shop.settings
    app.state.workbench = Workplace(settings.home, "bench", BUSY)
    app.state.reports = Reports(settings)
    yield
    await run_in_threadpool(app.state.workbench.close)
