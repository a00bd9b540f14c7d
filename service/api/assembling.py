"""Routers put together without building their routes anew."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI


def put_into(router: APIRouter, part: APIRouter) -> None:
    """The part's routes, after those that are there, and what it does while the application runs.

    `include_router` keeps a second copy of each route, for a prefix and dependencies of the whole, which no part has
    here: signatures read again and schemas made again for every parameter, half of it before the first request and half
    of it in that.
    """
    before, within = router.lifespan_context, part.lifespan_context

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with before(app), within(app):
            yield

    router.routes.extend(part.routes)
    router.lifespan_context = lifespan
