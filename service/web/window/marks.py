"""Marks of the results of a search, each as soon as it is known, for the page that shows them already."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Annotated

from anyio import CancelScope
from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import EventSourceResponse, ServerSentEvent

from indexer.errors import VitrineError
from service.api.admission import deadline_of
from service.api.guard import caller_of
from service.rerank.verdicts import Verdict
from service.search.answer import Answer
from service.web.routing import SEARCHING, PageRoute
from service.web.site import shop_of, site_of
from service.web.window.address import read_address
from service.web.window.photo_shelf import shelf_of

Searches = set[asyncio.Future[Answer]]


async def _searches(request: Request) -> AsyncIterator[Searches]:
    """What is put here is seen to its end, so that the request keeps its place for as long as a thread works for it."""
    searches: Searches = set()
    try:
        yield searches
    finally:
        deadline_of(request).give_up()
        if searches:
            with CancelScope(shield=True):
                await asyncio.wait(searches)


router = APIRouter(route_class=PageRoute, include_in_schema=False, dependencies=[SEARCHING])


@router.get("/marks", response_class=EventSourceResponse)
async def marks(request: Request, searches: Annotated[Searches, Depends(_searches)]) -> AsyncIterator[ServerSentEvent]:
    """The search of the page's address, verified: `verdict` for each product, again when more is known of it, at last
    `end` with the order that this gives, or `fault` with what went wrong."""
    queue: asyncio.Queue[tuple[str, Verdict] | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def told(product: str, verdict: Verdict) -> None:
        with suppress(RuntimeError):  # the service stops
            loop.call_soon_threadsafe(queue.put_nowait, (product, verdict))

    def ended(search: asyncio.Future[Answer]) -> None:
        if not search.cancelled():
            search.exception()  # asked for, so that it is not logged where nobody listens any longer
        queue.put_nowait(None)

    searching = asyncio.ensure_future(run_in_threadpool(_searched, request, told))
    searches.add(searching)
    searching.add_done_callback(ended)
    while (one := await queue.get()) is not None:
        yield ServerSentEvent(event="verdict", data=_verdict(request, *one))
    try:
        yield ServerSentEvent(event="end", data=_end(searching.result()))
    except VitrineError as error:
        yield ServerSentEvent(event="fault", data={"told": str(error)})


def _searched(request: Request, told: Callable[[str, Verdict], None]) -> Answer:
    address = read_address(request.query_params.multi_items())
    photo = None if address.photo is None else shelf_of(request).get(address.photo)
    checked = replace(address.checked(), strict=address.strict)
    return shop_of(request).search(
        checked.request(), photo, caller=caller_of(request).key, told=told, deadline=deadline_of(request)
    )


def _verdict(request: Request, product: str, verdict: Verdict) -> dict[str, str]:
    drawn = site_of(request).render(request, "window_marks.html", {"verdict": verdict}).body
    return {"product": product, "html": bytes(drawn).decode()}


def _end(answer: Answer) -> dict[str, object]:
    done = answer.verification
    return {
        "order": [one.id for one in answer.results],
        "verified": 0 if done is None else len(done.first_stage) - done.unjudged,
        "wanted": 0 if done is None else len(done.first_stage),
        "skipped": [one for one in answer.degraded if one.startswith("verification")],
    }
