"""Whether the service can answer, looked at once for all who ask at about the same time."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Final

from fastapi.concurrency import run_in_threadpool

SECONDS: Final = 1.0
"""That what was seen is believed: anybody may ask, and looking encodes."""


class SharedLook:
    """Of one event loop."""

    def __init__(self) -> None:
        self._seen: asyncio.Task[Mapping[str, str]] | None = None
        self._until = 0.0

    async def seen(self, look: Callable[[], Mapping[str, str]]) -> Mapping[str, str]:
        """What `look` returns or raises. One that is under way is waited for, and goes on for the others when whoever
        began it leaves."""
        if self._seen is None or (self._seen.done() and time.monotonic() >= self._until):
            self._seen = asyncio.ensure_future(run_in_threadpool(look))
            self._seen.add_done_callback(self._ended)
        return await asyncio.shield(self._seen)

    def _ended(self, seen: "asyncio.Task[Mapping[str, str]]") -> None:
        self._until = time.monotonic() + SECONDS
        if not seen.cancelled():
            seen.exception()  # asked for, so that it is not logged where nobody waits any longer
