"""Around every request: its id, its line in the log, its count, and what is traced of it."""

import logging
import re
import time
from collections.abc import Iterator, MutableMapping, Set
from dataclasses import dataclass
from http import HTTPMethod
from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.telemetry import TelemetryConfig
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from indexer.noting import Note, noting
from service.access import Caller
from service.metrics import Metrics
from service.tracing import Tracing, tell

HEADER: Final = "X-Request-ID"
GONE: Final = 499
"""What nginx tells of a client that did not wait for the answer; no status of HTTP is."""
NO_ROUTE: Final = "none"
OTHER_METHOD: Final = "other"
QUIET: Final = frozenset({"/v1/health", "/v1/ready", "/metrics"})
"""Routes that machines ask every few seconds: told at level debug unless they fail."""

LOG = logging.getLogger(__name__)
_METHODS: Final = frozenset(HTTPMethod)
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")


class Observing:
    """The outermost middleware. A request keeps the id that a proxy gave it in X-Request-ID, where that is one; the
    answer tells it."""

    def __init__(self, app: ASGIApp, tracing: Tracing) -> None:
        self._app = app
        self._tracing = tracing
        self._templates: list[_Template] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with noting(_note(scope)) as note, self._tracing.request(request=note.request):
            await self._observed(scope, receive, _Answer(send, note), note)

    async def _observed(self, scope: Scope, receive: Receive, answer: "_Answer", note: Note) -> None:
        metrics: Metrics | None = getattr(scope["app"].state, "metrics", None)
        begun = time.perf_counter()
        if metrics is not None:
            metrics.under_way(1)
        try:
            await self._app(scope, receive, answer)
        except Exception:
            LOG.exception("request broke")
            raise
        finally:
            seconds = time.perf_counter() - begun
            method, route = _method(scope), route_of(scope)
            if route == NO_ROUTE:
                route = self._meant(scope, method)
            if metrics is not None:
                metrics.under_way(-1)
                metrics.requested(method, route, answer.status, seconds)
            _log(method, route, answer.status, seconds, _key(scope))

    def _meant(self, scope: Scope, method: str) -> str:
        """Of a request that was refused before it was routed: the template that it would have gone to."""
        if not self._templates:
            self._templates = list(_templates(scope["app"]))
        fitting = [one for one in self._templates if one.path.match(scope["path"])]
        asked = next((one for one in fitting if method in one.methods), None)
        return (asked or fitting[0]).template if fitting else NO_ROUTE


@dataclass(frozen=True)
class _Template:
    template: str
    path: re.Pattern[str]
    methods: Set[str]


@dataclass
class _Answer:
    send: Send
    note: Note
    status: int = GONE

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            MutableHeaders(scope=message)[HEADER] = self.note.request
            if self.note.build:
                tell(build=self.note.build)  # now, because the span ends with the answer
        await self.send(message)


def native(tracing: Tracing) -> TelemetryConfig:
    """What the framework is to tell: spans alone, with a tracer, and whatever the environment says, no more."""
    config: TelemetryConfig = {"metrics": False, "logs": False, "auto_configure": False, "exclude": _is_quiet}
    if tracing.provider is None:
        return {**config, "tracing": False}
    return {**config, "tracer_provider": tracing.provider}


def route_of(scope: Scope) -> str:
    """The template of the route that was found, as `/v1/products/{product_id:path}`; NO_ROUTE for none."""
    found = scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")
    return str(getattr(found, "path", NO_ROUTE))


def _templates(app: FastAPI) -> Iterator[_Template]:
    for one in iter_route_contexts(app.routes):
        pattern = getattr(one, "path_regex", None)
        if one.path is not None and pattern is not None:
            yield _Template(one.path, pattern, one.methods or frozenset())


def _key(scope: Scope) -> str:
    """What tells the caller's key from others, as `Caller.key`; '' for nobody in particular."""
    caller = scope.get("state", {}).get("caller")
    return caller.key if isinstance(caller, Caller) else ""


def _is_quiet(scope: MutableMapping[str, Any]) -> bool:
    return scope.get("path") in QUIET


def _method(scope: Scope) -> str:
    method = str(scope["method"])
    return method if method in _METHODS else OTHER_METHOD


def _note(scope: Scope) -> Note:
    given = Headers(scope=scope).get(HEADER, "")
    return Note(given) if _ID.fullmatch(given) else Note()


def _log(method: str, route: str, status: int, seconds: float, key: str) -> None:
    level = logging.DEBUG if route in QUIET and status < 400 else logging.INFO
    told = {"method": method, "route": route, "status": status, "ms": round(seconds * 1_000, 1)}
    if key:
        told["key"] = key
    LOG.log(level, "request", extra=told)
