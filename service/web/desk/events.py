"""Parts of pages that are drawn anew while something runs, as server-sent events."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

EVERY: Final = 1.0
"""Seconds between two looks."""
LONGEST: Final = 600.0
"""Seconds; then the browser asks again, and whether it may is checked again."""


@dataclass(frozen=True)
class Part:
    html: str
    over: bool
    """Nothing will change any more."""
    then: str = ""
    """Where to go when it is over; absent: the page is loaded again."""


def events(request: Request, look: Callable[[], Part]) -> StreamingResponse:
    """Event `part` with the HTML whenever it changed, and `end` once it is over; ends when nobody listens or the
    service is being stopped."""

    async def told() -> AsyncIterator[str]:
        before, until = "", time.monotonic() + LONGEST
        while time.monotonic() < until and not request.app.state.draining and not await request.is_disconnected():
            part = await run_in_threadpool(look)
            if part.html != before:
                before = part.html
                yield _event("part", part.html)
            if part.over:
                yield _event("end", part.then)
                return
            await asyncio.sleep(EVERY)

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff"}
    return StreamingResponse(told(), media_type="text/event-stream", headers=headers)


def _event(name: str, text: str) -> str:
    lines = "".join(f"data: {line}\n" for line in text.splitlines() or [""])
    return f"event: {name}\n{lines}\n"
