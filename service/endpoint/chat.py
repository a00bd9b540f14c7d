"""Endpoints that speak OpenAI's chat completions, over the vendor's client. What they say is taken for hostile."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from service.endpoint.answers import EndpointFailed, Said, piece_of, said_by
from service.endpoint.background import Background
from service.endpoint.bodies import demand, too_long, whole
from service.endpoint.connecting import PLAIN, client_of, unreachable
from service.endpoint.requests import NAMES, Asked, Extras, extras_of, messages, options
from service.endpoint.trying import Understanding, deadline, tried
from service.tracing import span

if TYPE_CHECKING:
    import httpx2

T = TypeVar("T")

_BODY = 64_000
"""Bytes of an answer that are read."""
_BODY_WITH_LETTERS = 512_000
"""OpenAI spends up to 1,500 bytes on a token with its rivals."""
_STREAM = 1_000_000
"""Bytes of a streamed answer that are read: each token comes in an event of a few hundred bytes."""


class Endpoint:
    """One model at one address. `ask` and `stream` are awaited in what `run` runs, whose event loop the connections
    belong to. What the endpoint does not understand of a request is left out from then on. Thread-safe.
    """

    def __init__(self, base_url: str | None, api_key: str | None, model: str, *, setting: str) -> None:
        """Absent `base_url`: OpenAI's own. Raises SettingsError, which names the section `setting`, for an address, a
        key or a proxy that cannot be used."""
        self._model = model
        client = client_of(base_url, api_key, setting)
        self._completions = client.chat.completions.with_streaming_response
        self._background = Background("endpoint", client.close)
        self._understanding = Understanding(NAMES)

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

        with span("endpoint chat", model=self._model):
            async with deadline(until, unreachable()):
                return await self._tried(answered, asked, until, tries)

    async def stream(
        self, asked: Asked, until: float, spent: Callable[[int, int], None] | None = None
    ) -> AsyncGenerator[str]:
        """Pieces of text as they arrive; `spent` is told the tokens in and out where the endpoint tells them. Raises
        EndpointFailed, by `until` and also after pieces. Each step may be a task of its own."""
        async with AsyncExitStack() as stack:

            async def opened(sent: Extras) -> "httpx2.Response":
                reply = await stack.enter_async_context(self._posted(asked, sent, streamed=True))
                demand(reply, "text/event-stream")
                return reply

            async with deadline(until, unreachable()):
                reply = await self._tried(opened, asked, until, tries=2, streamed=True)
            async for piece in _pieces(reply, until, spent):
                yield piece

    async def _tried(
        self, attempt: Callable[[Extras], Awaitable[T]], asked: Asked, until: float, tries: int, streamed: bool = False
    ) -> T:
        def sent(unknown: Extras) -> Extras:
            return extras_of(asked, unknown, streamed=streamed)

        return await tried(lambda: self._understanding.understood(sent, attempt), until, unreachable(), tries)

    @asynccontextmanager
    async def _posted(self, asked: Asked, sent: Extras, *, streamed: bool) -> AsyncIterator["httpx2.Response"]:
        """An answer whose body is still to be read."""
        async with self._completions.create(
            model=self._model,
            messages=messages(asked),
            extra_body=options(asked, sent, streamed=streamed),
            extra_headers=PLAIN,
        ) as reply:
            yield reply.http_response


async def _pieces(
    reply: "httpx2.Response", until: float, spent: Callable[[int, int], None] | None
) -> AsyncIterator[str]:
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


async def _events(reply: "httpx2.Response", until: float) -> AsyncIterator[bytes]:
    """The data of server-sent events to the last one. Here they are a line each, and what they come to is bounded,
    which the client's own reader does not do for lines without data."""
    chunks = aiter(reply.aiter_raw())
    begun = b""
    room = _STREAM
    while True:
        async with deadline(until, unreachable()):
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
