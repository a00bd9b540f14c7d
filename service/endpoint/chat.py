"""Endpoints that speak OpenAI's chat completions, over the vendor's client. What they say is taken for hostile."""

import asyncio
import random
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Final, TypeVar

import httpx2

from indexer.errors import SettingsError
from service.endpoint.answers import EndpointFailed, Said, piece_of, said_by
from service.endpoint.background import Background
from service.endpoint.bodies import beginning, demand, retry_after, too_long, whole
from service.endpoint.requests import Asked, Extras, extras_of, messages, named, options

if TYPE_CHECKING:
    from openai import AsyncOpenAI

T = TypeVar("T")

_OPENAI: Final = "https://api.openai.com/v1"

_BODY = 64_000
"""Bytes of an answer that are read."""
_BODY_WITH_LETTERS = 512_000
"""OpenAI spends up to 1,500 bytes on a token with its rivals."""
_STREAM = 1_000_000
"""Bytes of a streamed answer that are read: each token comes in an event of a few hundred bytes."""
_ERROR = 4_000
"""Bytes of an error that are looked at for what was not understood."""
_BACKOFF = 0.2
"""Mean seconds before the second try where the endpoint names no time."""
_PATIENCE = 0.5
"""Seconds; what was not there after less says nothing of the endpoint."""
_KEPT = 60.0
"""Seconds that a connection without work stays open."""

_AGAIN = frozenset({429, 500, 502, 503})
_UNKNOWN = frozenset({400, 422})
"""Refusals that may name a part of the request which is not understood."""
_OF_THE_REQUEST = frozenset({400, 413, 422})
"""What an endpoint in good health may say to one request and not to the next."""


class _Status(Exception):
    """An HTTP error; `wait` is its Retry-After in seconds, `said` how a refusal begins."""

    def __init__(self, status: int, wait: float | None, said: str) -> None:
        super().__init__(f"status {status}")
        self.status = status
        self.wait = wait
        self.said = said


class Endpoint:
    """One model at one address. `ask` and `stream` are awaited in what `run` runs, whose event loop the connections
    belong to. What the endpoint does not understand of a request is left out from then on. Thread-safe.
    """

    def __init__(self, base_url: str | None, api_key: str | None, model: str, *, setting: str) -> None:
        """Absent `base_url`: OpenAI's own. Raises SettingsError, which names the section `setting`, for an address, a
        key or a proxy that cannot be used."""
        key = api_key or "none"
        if not (key.isascii() and key.isprintable()):
            raise SettingsError(f"{setting}.api_key holds characters that no request can carry; copy the key again.")
        self._model = model
        client = _client(_usable(_OPENAI if base_url is None else base_url, setting), key)
        self._completions = client.chat.completions.with_streaming_response
        self._background = Background("endpoint", client.close)
        self._unknown: Extras = frozenset()

    def run(self, work: Coroutine[object, object, T], until: float) -> T:
        """What `work` returns or raises, or TimeoutError within 50 ms of a time of the monotonic clock, whatever
        happens inside; also after `close`. Not from within `work`."""
        return self._background.run(work, until)

    def close(self) -> None:
        """What runs is cancelled."""
        self._background.close()

    async def ask(self, asked: Asked, until: float, *, tries: int = 2) -> Said:
        """Raises EndpointFailed, by `until`. A second try is made where it may help and its time can be waited for."""

        async def answered(sent: Extras) -> Said:
            async with self._posted(asked, sent, streamed=False) as reply:
                demand(reply, "application/json")
                return said_by(await whole(reply, _BODY_WITH_LETTERS if "logprobs" in sent else _BODY))

        async with _deadline(until):
            return await self._tried(answered, asked, until, tries)

    async def stream(
        self, asked: Asked, until: float, spent: Callable[[int, int], None] | None = None
    ) -> AsyncGenerator[str]:
        """Pieces of text as they arrive; `spent` is told the tokens in and out where the endpoint tells them. Raises
        EndpointFailed, by `until` and also after pieces. Each step may be a task of its own."""
        async with AsyncExitStack() as stack:

            async def opened(sent: Extras) -> httpx2.Response:
                reply = await stack.enter_async_context(self._posted(asked, sent, streamed=True))
                demand(reply, "text/event-stream")
                return reply

            async with _deadline(until):
                reply = await self._tried(opened, asked, until, tries=2, streamed=True)
            async for piece in _pieces(reply, until, spent):
                yield piece

    async def _tried(
        self, attempt: Callable[[Extras], Awaitable[T]], asked: Asked, until: float, tries: int, streamed: bool = False
    ) -> T:
        while True:
            wait = _BACKOFF * random.uniform(0.5, 1.5)  # Those sent away together do not come back together.
            try:
                return await self._understood(attempt, asked, streamed)
            except _Status as failure:
                wait = wait if failure.wait is None else failure.wait
                if failure.status not in _AGAIN or tries < 2 or time.monotonic() + wait >= until:
                    raise
            except _unreachable():
                if tries < 2 or time.monotonic() + wait >= until:
                    raise
            tries -= 1
            await asyncio.sleep(wait)

    async def _understood(self, attempt: Callable[[Extras], Awaitable[T]], asked: Asked, streamed: bool) -> T:
        """Leaves out what is not understood; for good only once a request without it was, since an error may repeat
        what strangers wrote."""
        unknown = self._unknown
        while True:
            sent = extras_of(asked, unknown, streamed=streamed)
            try:
                said = await attempt(sent)
            except _Status as failure:
                if failure.status not in _UNKNOWN:
                    self._unknown |= unknown
                name = named(failure.said, sent)
                if name is None:
                    raise
                unknown |= {name}
            except asyncio.CancelledError:
                self._unknown |= unknown
                raise
            else:
                self._unknown |= unknown
                return said

    @asynccontextmanager
    async def _posted(self, asked: Asked, sent: Extras, *, streamed: bool) -> AsyncIterator[httpx2.Response]:
        """An answer whose body is still to be read."""
        async with self._completions.create(
            model=self._model,
            messages=messages(asked),
            extra_body=options(asked, sent, streamed=streamed),
            extra_headers={"Accept-Encoding": "identity"},
        ) as reply:
            yield reply.http_response


async def _pieces(reply: httpx2.Response, until: float, spent: Callable[[int, int], None] | None) -> AsyncIterator[str]:
    ended = False
    async for event in _events(reply, until):
        piece = piece_of(event)
        ended = ended or piece.ended
        if piece.tokens and spent:
            spent(*piece.tokens)
        if piece.text:
            yield piece.text
    if not ended:
        raise EndpointFailed("cut", "the endpoint's answer was cut short", counts=True)


async def _events(reply: httpx2.Response, until: float) -> AsyncIterator[bytes]:
    """The data of server-sent events to the last one. Here they are a line each, and what they come to is bounded,
    which the client's own reader does not do for lines without data."""
    chunks = aiter(reply.aiter_raw())
    begun = b""
    room = _STREAM
    while True:
        async with _deadline(until):
            chunk = await anext(chunks, b"")
        room -= len(chunk)
        if room < 0:
            raise too_long()
        if not chunk:
            return
        begun += chunk
        if b"\n" not in chunk:
            continue
        *lines, begun = begun.split(b"\n")
        for line in lines:
            name, _, data = line.partition(b":")
            if name != b"data":
                continue
            if data.strip() == b"[DONE]":
                return
            yield data


@asynccontextmanager
async def _deadline(until: float) -> AsyncIterator[None]:
    """Turns whatever goes wrong into EndpointFailed."""
    left = until - time.monotonic()
    if left <= 0:
        raise EndpointFailed("late", "there was no time to ask the endpoint", counts=False)
    try:
        async with asyncio.timeout(left):
            yield
    except _Status as error:
        said = f"the endpoint answered with status {error.status}"
        raise EndpointFailed("status", said, counts=error.status not in _OF_THE_REQUEST) from None
    except TimeoutError:
        raise EndpointFailed("late", "the endpoint did not answer in time", counts=left >= _PATIENCE) from None
    except _unreachable() as error:
        said = f"the endpoint could not be reached ({type(error.__cause__ or error).__name__})"
        raise EndpointFailed("unreachable", said, counts=True) from None


def _unreachable() -> tuple[type[Exception], ...]:
    from openai import OpenAIError

    return (OpenAIError, httpx2.HTTPError, OSError)


async def _demand_success(reply: httpx2.Response) -> None:
    """Before the vendor's client reads what an error has to say, whatever its length."""
    if not reply.is_success:
        said = await beginning(reply, _ERROR) if reply.status_code in _UNKNOWN else b""
        raise _Status(reply.status_code, retry_after(reply.headers), said.decode(errors="replace"))


def _client(url: str, key: str) -> "AsyncOpenAI":
    """With the system's certificates. Redirects are not followed; deadlines are kept here, because the vendor's are of
    silence only."""
    from openai import AsyncOpenAI

    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=_KEPT)
    hooks = {"response": [_demand_success]}
    try:
        connections = httpx2.AsyncClient(
            verify=ssl.create_default_context(),
            follow_redirects=False,
            timeout=None,
            limits=limits,
            event_hooks=hooks,
        )
    except (ImportError, ValueError, httpx2.InvalidURL) as error:
        raise SettingsError("The proxy that HTTP_PROXY, HTTPS_PROXY or ALL_PROXY names cannot be used.") from error
    return AsyncOpenAI(base_url=url, api_key=key, max_retries=0, timeout=None, http_client=connections)


def _usable(url: str, setting: str) -> str:
    try:
        parts = httpx2.URL(url)
        usable = parts.scheme in ("http", "https") and bool(parts.host)
    except (httpx2.InvalidURL, UnicodeError):
        usable = False
    if not usable:
        raise SettingsError(f"{setting}.base_url is no web address; write it as https://HOST/v1.")
    return url
