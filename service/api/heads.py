"""What every answer is sent with, and which hosts and other sites' pages may ask."""

from collections.abc import Sequence
from typing import Final

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from indexer.errors import InputError
from indexer.settings import Settings
from service.access import is_loopback
from service.api.guard import is_nearby
from service.api.problems import answer_to

POLICY: Final = "default-src 'none'; frame-ancestors 'none'"
"""Of what is no page: nothing in it is to be run, loaded or framed."""
USUAL: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
}
YEAR: Final = 365 * 24 * 3600
PROBES: Final = ("/v1/health", "/v1/ready")
"""Asked for by whoever watches over the process, under its bare address."""
UNKEPT: Final = ("/v1/", "/metrics")
"""Answers that depend on who asks; what names a time to be kept for says so itself."""


class Heads:
    """Middleware. Headers that a route sets itself stay as they are. A host that the service does not go by is refused:
    with a name of its own, a page of another site could reach a service that only this machine is to reach."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._hosts = settings.access.hosts
        self._at_home = not settings.access.hosts and is_loopback(settings.service.host)
        self._shared = bool(settings.access.origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._complete(scope, MutableHeaders(scope=message))
            await send(message)

        request = Request(scope)
        host = _host(request.headers.get("Host", ""))
        if self._knows(host) or (self._hosts and (scope["path"] in PROBES or _is_own(request, host))):
            await self._app(scope, receive, sending)
        else:
            refused = InputError("The service does not go by this name; access.hosts lists those that it goes by.")
            await answer_to(request, refused)(scope, receive, sending)

    def _knows(self, host: str) -> bool:
        if self._at_home:
            return is_loopback(host) or host.endswith(".localhost")
        return not self._hosts or any(_fits(host, one.lower()) for one in self._hosts)

    def _complete(self, scope: Scope, headers: MutableHeaders) -> None:
        for name, value in USUAL.items():
            if not (self._shared and name == "Cross-Origin-Resource-Policy"):
                headers.setdefault(name, value)
        if scope["scheme"] == "https":
            headers.setdefault("Strict-Transport-Security", f"max-age={YEAR}")
        if scope["path"].startswith(UNKEPT):
            headers.setdefault("Cache-Control", "no-store")


def sharing(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """With pages of these other sites, which bring keys of their own and never a visitor's cookies."""
    if not origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "X-API-Key", "X-Request-ID"],
        expose_headers=["Retry-After", "X-Request-ID", "Location"],
    )


def _host(header: str) -> str:
    """Without its port and the brackets of an IPv6 address."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.partition(":")[0].lower().rstrip(".")


def _is_own(request: Request, host: str) -> bool:
    """Whether this machine asks itself, by its own address, as its commands do: no name that leads here by chance."""
    return is_nearby(request) and (is_loopback(host) or host == (request.scope.get("server") or ("",))[0])


def _fits(host: str, pattern: str) -> bool:
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern
