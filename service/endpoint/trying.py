"""Attempts at an endpoint: by a deadline, again where that may help, and without what it does not understand."""

import asyncio
import random
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

from service.endpoint.answers import EndpointFailed
from service.endpoint.bodies import Reply, beginning, retry_after

T = TypeVar("T")
Extra = TypeVar("Extra", bound=str)
"""Names of what a request can do without."""
Broken = tuple[type[Exception], ...]
"""What a client raises where no connection can be made, or one breaks."""

_BACKOFF = 0.2
"""Mean seconds before the second try where the endpoint names no time; twice as long before each further one."""
_PATIENCE = 0.5
"""Seconds; what was not there after less says nothing of the endpoint."""
_ERROR = 4_000
"""Bytes of an error that are looked at for what was not understood."""
_AGAIN = frozenset({429, 500, 502, 503})
_UNKNOWN = frozenset({400, 422})
"""Refusals that may name a part of the request which is not understood."""
_OF_THE_REQUEST = frozenset({400, 413, 422})
"""What an endpoint in good health may say to one request and not to the next."""


class Status(Exception):
    """An HTTP error; `wait` is its Retry-After in seconds, `said` how a refusal begins."""

    def __init__(self, status: int, wait: float | None, said: str) -> None:
        super().__init__(f"status {status}")
        self.status = status
        self.wait = wait
        self.said = said


async def demand_success(reply: Reply) -> None:
    """Raises Status, before a vendor's client reads what an error has to say, whatever its length."""
    if not reply.is_success:
        said = await beginning(reply, _ERROR) if reply.status_code in _UNKNOWN else b""
        raise Status(reply.status_code, retry_after(reply.headers), said.decode(errors="replace"))


@asynccontextmanager
async def deadline(until: float, broken: Broken, patience: float = _PATIENCE) -> AsyncIterator[None]:
    """Turns whatever goes wrong into EndpointFailed. To be late counts where at least `patience` seconds were given."""
    left = until - time.monotonic()
    if left <= 0:
        raise EndpointFailed("late", "there was no time to ask the endpoint", counts=False)
    try:
        async with asyncio.timeout(left):
            yield
    except Status as error:
        said = f"the endpoint answered with status {error.status}"
        raise EndpointFailed("status", said, counts=error.status not in _OF_THE_REQUEST) from None
    except TimeoutError:
        raise EndpointFailed("late", "the endpoint did not answer in time", counts=left >= patience) from None
    except broken as error:
        said = f"the endpoint could not be reached ({type(error.__cause__ or error).__name__})"
        raise EndpointFailed("unreachable", said, counts=True) from None


async def tried(attempt: Callable[[], Awaitable[T]], until: float, broken: Broken, tries: int) -> T:
    """What one of so many attempts comes to. Another one is made where it may help and its time can be waited for."""
    backoff = _BACKOFF
    while True:
        wait = backoff * random.uniform(0.5, 1.5)  # Those sent away together do not come back together.
        try:
            return await attempt()
        except Status as failure:
            wait = wait if failure.wait is None else failure.wait
            if failure.status not in _AGAIN or tries < 2 or time.monotonic() + wait >= until:
                raise
        except broken:
            if tries < 2 or time.monotonic() + wait >= until:
                raise
        tries -= 1
        backoff *= 2
        await asyncio.sleep(wait)


class Understanding(Generic[Extra]):
    """What an endpoint was found not to understand of a request."""

    def __init__(self, names: Mapping[Extra, str]) -> None:
        """`names` are what a request can do without → how an error names it, a pattern. Of several that an error names
        the first goes first."""
        self._names = names
        self._unknown: frozenset[Extra] = frozenset()

    async def understood(
        self,
        sent_of: Callable[[frozenset[Extra]], frozenset[Extra]],
        attempt: Callable[[frozenset[Extra]], Awaitable[T]],
    ) -> T:
        """What the attempt comes to with those extras that `sent_of` says go to an endpoint which does not know some.

        Leaves out what is not understood; for good only once a request without it was, since an error may repeat
        what strangers wrote.
        """
        unknown = self._unknown
        while True:
            sent = sent_of(unknown)
            try:
                said = await attempt(sent)
            except Status as failure:
                if failure.status not in _UNKNOWN:
                    self._unknown |= unknown
                name = self._named(failure.said, sent)
                if name is None:
                    raise
                unknown |= {name}
            except asyncio.CancelledError:
                self._unknown |= unknown
                raise
            else:
                self._unknown |= unknown
                return said

    def _named(self, said: str, sent: frozenset[Extra]) -> Extra | None:
        """What an error says is not understood, of what was sent."""
        found = (one for one, names in self._names.items() if one in sent and re.search(rf"\b({names})\b", said))
        return next(found, None)
