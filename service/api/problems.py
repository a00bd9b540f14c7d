"""Errors as RFC 9457 problem documents; one table says which status an error class has."""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from math import ceil
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from indexer import errors
from indexer.errors import NotIdentified, Overloaded, VitrineError
from indexer.noting import request_id
from service.problem_types import PREFIX, slug

STATUSES: dict[type[VitrineError], HTTPStatus] = {
    errors.InputError: HTTPStatus.BAD_REQUEST,
    errors.ImageRejected: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.QueryError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.ConflictError: HTTPStatus.CONFLICT,
    errors.CursorExpired: HTTPStatus.GONE,
    errors.NothingPublished: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.StoreOwned: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.StoreMismatch: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.EncoderMismatch: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.NotIdentified: HTTPStatus.UNAUTHORIZED,
    errors.AccessRefused: HTTPStatus.FORBIDDEN,
    errors.RateExceeded: HTTPStatus.TOO_MANY_REQUESTS,
    errors.QueueFull: HTTPStatus.TOO_MANY_REQUESTS,
    errors.UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""The nearest ancestor in the table decides."""

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = "5"
CHALLENGE = 'Bearer realm="vitrine"'


ProblemPage = Callable[[Request, HTTPStatus, str], Response]


class Mistake(BaseModel):
    """One field of the request that is wrong."""

    field: str
    message: str


class Problem(BaseModel):
    """RFC 9457. `type` is stable and names the kind of error; `detail` says what to do."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[Mistake] = []
    request: str = ""
    """The request's id, by which the log tells more."""


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For `responses=` of a router. What a refusal looks like `describe` adds: a model would become a schema of its own
    for each of them at each route, before the service is ready."""
    return {status: {"description": "A problem document"} for status in statuses}


def status_of(error: type[VitrineError]) -> HTTPStatus:
    return next(STATUSES[ancestor] for ancestor in error.__mro__ if ancestor in STATUSES)


def install(app: FastAPI) -> None:
    """Every error the app answers with becomes a problem document; or a page, where a browser asks for one and
    `app.state.problem_page` makes them."""
    app.add_exception_handler(VitrineError, _vitrine)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def answer_to(request: Request, error: VitrineError) -> Response:
    """For middleware, whose errors no handler sees. The request's scope must name its `app`."""
    name = type(error).__name__
    answer = _answer(request, status_of(type(error)), slug(name), _words(name), str(error), [])
    answer.headers.update(headers_of(error))
    return answer


def refusal(request: Request, status: HTTPStatus, detail: str) -> Response:
    """For middleware, where no error of ours says what is wrong."""
    return _answer(request, status, slug(status.phrase.title().replace(" ", "")), status.phrase, detail, [])


def headers_of(error: VitrineError) -> dict[str, str]:
    """What the answer to an error says in its head: when to come again, how to say who one is."""
    if isinstance(error, Overloaded):
        return {"Retry-After": str(max(1, ceil(error.seconds)))}
    return {"WWW-Authenticate": CHALLENGE} if isinstance(error, NotIdentified) else {}


class TooLargeAsProblem:
    """The framework's body limit answers 413 in plain text, outside all handlers; here it becomes a problem too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        replaced = False

        async def sending(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and message["status"] == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                replaced = True
                await _too_large(Request(scope))(scope, receive, send)
            elif not replaced:
                await send(message)

        await self._app(scope, receive, sending)


def _too_large(request: Request) -> Response:
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return _answer(request, status, "too-large", "Too large", "The request is larger than this service takes.", [])


async def _vitrine(request: Request, error: Exception) -> Response:
    assert isinstance(error, VitrineError)
    return answer_to(request, error)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    mistakes = [Mistake(field=_field(one["loc"][1:]), message=one["msg"]) for one in error.errors()]
    detail = "; ".join(f"{one.field or 'body'}: {one.message}" for one in mistakes)
    return _answer(request, HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", "Invalid request", detail, mistakes)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    answer = refusal(request, HTTPStatus(error.status_code), str(error.detail))
    answer.headers.update(error.headers or {})
    return answer


async def _unexpected(request: Request, error: Exception) -> Response:
    """The framework writes the traceback to the log after this."""
    status, detail = HTTPStatus.INTERNAL_SERVER_ERROR, "Something is broken inside; the log says what."
    return _answer(request, status, "internal-error", "Internal error", detail, [])


def _answer(
    request: Request, status: HTTPStatus, name: str, title: str, detail: str, mistakes: list[Mistake]
) -> Response:
    page: ProblemPage | None = getattr(request.app.state, "problem_page", None)
    if page is not None and "text/html" in request.headers.get("Accept", ""):
        return page(request, status, detail)
    kind, known = PREFIX + name, request_id()
    problem = Problem(type=kind, title=title, status=status, detail=detail, errors=mistakes, request=known)
    later = status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS)
    headers = {"Retry-After": RETRY_AFTER_SECONDS} if later else None
    return JSONResponse(problem.model_dump(), status, headers, MEDIA_TYPE)


def _field(path: Sequence[str | int]) -> str:
    """`weights.image`; nothing where only a position in unreadable JSON is known."""
    return ".".join(map(str, path)) if any(isinstance(step, str) for step in path) else ""


def _words(name: str) -> str:
    return slug(name).replace("-", " ").capitalize()
