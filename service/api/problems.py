"""Errors as RFC 9457 problem documents; one table says which status an error class has."""

from collections.abc import Sequence
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from indexer import errors
from indexer.errors import VitrineError
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
    errors.UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""The nearest ancestor in the table decides."""

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = "5"


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


def status_of(error: type[VitrineError]) -> HTTPStatus:
    return next(STATUSES[ancestor] for ancestor in error.__mro__ if ancestor in STATUSES)


def install(app: FastAPI) -> None:
    """Every error the app answers with becomes a problem document."""
    app.add_exception_handler(VitrineError, _vitrine)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


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
                await _too_large()(scope, receive, send)
            elif not replaced:
                await send(message)

        await self._app(scope, receive, sending)


def _too_large() -> JSONResponse:
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return _answer(status, "too-large", "Too large", "The request is larger than this service takes.", [])


async def _vitrine(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, VitrineError)
    name = type(error).__name__
    return _answer(status_of(type(error)), slug(name), _words(name), str(error), [])


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    mistakes = [Mistake(field=_field(one["loc"][1:]), message=one["msg"]) for one in error.errors()]
    detail = "; ".join(f"{one.field or 'body'}: {one.message}" for one in mistakes)
    return _answer(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", "Invalid request", detail, mistakes)


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    answer = _answer(status, slug(status.phrase.title().replace(" ", "")), status.phrase, str(error.detail), [])
    answer.headers.update(error.headers or {})
    return answer


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    """The framework writes the traceback to the log after this."""
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return _answer(status, "internal-error", "Internal error", "Something is broken inside; the log says what.", [])


def _answer(status: HTTPStatus, name: str, title: str, detail: str, mistakes: list[Mistake]) -> JSONResponse:
    problem = Problem(type=PREFIX + name, title=title, status=status, detail=detail, errors=mistakes)
    headers = {"Retry-After": RETRY_AFTER_SECONDS} if status is HTTPStatus.SERVICE_UNAVAILABLE else None
    return JSONResponse(problem.model_dump(), status, headers, MEDIA_TYPE)


def _field(path: Sequence[str | int]) -> str:
    """`weights.image`; nothing where only a position in unreadable JSON is known."""
    return ".".join(map(str, path)) if any(isinstance(step, str) for step in path) else ""


def _words(name: str) -> str:
    return slug(name).replace("-", " ").capitalize()
