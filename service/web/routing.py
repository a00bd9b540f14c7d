"""How page routes answer: mistakes as pages, and nothing that another site's page asks for in a visitor's name."""

import gzip
from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException

from indexer.errors import NotIdentified, NotPermitted, VitrineError
from service.access import Caller
from service.api.guard import SAFE, GuardedRoute, Handler, Rule, is_foreign, ruled
from service.api.problems import headers_of, status_of
from service.web.site import address_of, own_address, site_of
from service.web.words import marked

SIGN_IN: Final = "/sign-in"
QUICK: Final = 4
"""gzip's level; the others take several times as long for a few bytes less."""
_ANOTHER_KEY: Final = marked("The key that you are signed in with does not open this; sign out, and in with another.")
_SESSION_OVER: Final = marked("Sign in again: the session is over.")
_FOREIGN: Final = marked("This was sent by a page of another site.")


class PageRoute(GuardedRoute):
    """Errors become pages; a script that asks for a part of a page gets that part's `problem.html` alone. What can be
    got, but for what goes on and on, answers HEAD too."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        if self.methods and "GET" in self.methods and not self.is_sse_stream:
            self.methods.add("HEAD")

    def get_route_handler(self) -> Handler:
        answer = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                if is_foreign(request):
                    return problem(request, HTTPStatus.FORBIDDEN, _FOREIGN)
                return _packed(request, await answer(request))
            except NotIdentified:
                return _to_sign_in(request)
            except NotPermitted:
                return problem(request, HTTPStatus.FORBIDDEN, _ANOTHER_KEY)
            except VitrineError as error:
                answered = problem(request, status_of(type(error)), str(error))
                answered.headers.update(headers_of(error))
                return answered
            except RequestValidationError as error:
                said = "; ".join(f"{one['loc'][-1]}: {one['msg']}" for one in error.errors())
                return problem(request, HTTPStatus.UNPROCESSABLE_ENTITY, said)
            except HTTPException as error:
                return problem(request, HTTPStatus(error.status_code), str(error.detail))

        return handle


def problem(request: Request, status: HTTPStatus, detail: str) -> Response:
    """A page that says what is wrong; of a part, the part alone."""
    site, template = site_of(request), "problem_part.html" if is_part(request) else "problem.html"
    context: dict[str, object] = {"status": status, "detail": site.said(request, detail)}
    return site.render(request, template, context, status)


def is_part(request: Request) -> bool:
    """Whether a script asks, to put the answer into a page that is there."""
    return request.headers.get("X-Part") is not None


Merchandiser = Annotated[Caller, ruled(Rule.MERCHANDISE)]
Analyst = Annotated[Caller, ruled(Rule.ANALYSE)]
SEARCHING: Final = ruled(Rule.PUBLIC_SEARCH)
OPEN: Final = ruled(Rule.OPEN)


def _packed(request: Request, answer: Response) -> Response:
    if isinstance(answer, HTMLResponse) and "gzip" in request.headers.get("Accept-Encoding", ""):
        answer.body = gzip.compress(answer.body, QUICK)
        answer.headers["Content-Encoding"] = "gzip"
        answer.headers["Content-Length"] = str(len(answer.body))
    return answer


def _to_sign_in(request: Request) -> Response:
    """Back to where one was, unless that was a form that was sent."""
    query = f"?next={quote(own_address(address_of(request)))}" if request.method in SAFE else ""
    if is_part(request):
        return problem(request, HTTPStatus.UNAUTHORIZED, _SESSION_OVER)
    return RedirectResponse(SIGN_IN + query, HTTPStatus.SEE_OTHER)
