"""Nobody keeps the service waiting for long: bodies arrive in time, and answers are taken in time.

Heads of requests are the server's own to wait for (`service/connections.py`)."""

import asyncio
import time
from http import HTTPStatus
from typing import Final

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.problems import refusal

SLOWEST: Final = 64_000
"""Bytes a second that what is larger than an ordinary request arrives with at least: a catalogue that is uploaded."""
MOST_HEAD: Final = 32_768
"""Bytes of all headers together. h11 stops at 16 kB while it waits for more, and takes what came at once."""


class Patience:
    """Middleware. Heads are small. A body, up to `ordinary` bytes of it, arrives within `seconds`, or the answer is
    408; each piece of an answer is taken within them too, or the connection ends.

    Who is refused before all of a body has arrived is not listened to any longer: the connection ends with the answer.
    """

    def __init__(self, app: ASGIApp, seconds: float, ordinary: int) -> None:
        self._app = app
        self._seconds = seconds
        self._ordinary = ordinary

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if sum(len(name) + len(value) for name, value in scope["headers"]) > MOST_HEAD:
            status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            answer = refusal(Request(scope), status, f"The request's headers have more than {MOST_HEAD} bytes.")
            answer.headers["Connection"] = "close"
            await answer(scope, receive, send)
            return
        arriving = _Arriving(scope, receive, self._seconds, self._ordinary)

        async def sending(message: Message) -> None:
            refused = message.get("status", HTTPStatus.OK) >= HTTPStatus.BAD_REQUEST
            if refused and not arriving.over:
                message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
            try:
                async with asyncio.timeout(self._seconds):
                    await send(message)
            except TimeoutError:
                raise ClientDisconnect from None

        try:
            if _has_two_ends(scope):
                detail = "The request says in two ways where it ends; send Content-Length or Transfer-Encoding."
                await refusal(Request(scope), HTTPStatus.BAD_REQUEST, detail)(scope, arriving.receive, sending)
            else:
                await self._app(scope, arriving.receive, sending)
        except* ClientDisconnect:
            pass  # the server ends the connection of an answer that is not complete


class BodyLate(HTTPException):
    def __init__(self, seconds: float) -> None:
        detail = f"The request did not arrive within {seconds:g} s; send it faster, or less of it."
        super().__init__(HTTPStatus.REQUEST_TIMEOUT, detail)


class _Arriving:
    """The body of one request."""

    def __init__(self, scope: Scope, receive: Receive, seconds: float, ordinary: int) -> None:
        self._receive = receive
        self._seconds = seconds
        self._ordinary = ordinary
        self._since = time.monotonic()
        self._bytes = 0
        self.over = not _announced(scope)
        """Nothing more will come, or nothing was to come."""

    async def receive(self) -> Message:
        """Raises BodyLate."""
        if self.over:
            return await self._receive()
        beyond = max(0, self._bytes - self._ordinary) / SLOWEST
        left = self._since + self._seconds + beyond - time.monotonic()
        try:
            async with asyncio.timeout(max(0.0, left)):
                message = await self._receive()
        except TimeoutError:
            raise BodyLate(self._seconds) from None
        self._bytes += len(message.get("body", b""))
        self.over = not message.get("more_body", False)
        return message


def _has_two_ends(scope: Scope) -> bool:
    """Whether a proxy before us may take the rest of this request for another one (RFC 9112, section 6.3)."""
    names = {name for name, _ in scope["headers"]}
    return b"transfer-encoding" in names and b"content-length" in names


def _announced(scope: Scope) -> bool:
    """Whether the head says that a body follows."""
    headers = dict(scope["headers"])
    return b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0"
