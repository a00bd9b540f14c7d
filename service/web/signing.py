"""Signing in with a key, signing out, choosing a language, and the pages' files."""

from http import HTTPStatus
from typing import Annotated

from anyio import from_thread
from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from service.api.guard import SESSION_COOKIE, address_of_client
from service.web.routing import OPEN, PageRoute
from service.web.site import LANGUAGE_COOKIE, own_address, site_of
from service.web.words import LANGUAGES

router = APIRouter(route_class=PageRoute, include_in_schema=False, dependencies=[OPEN])

FOR_EVER = "public, max-age=31536000, immutable"
YEAR = 365 * 24 * 3600


@router.get("/sign-in")
def sign_in_page(request: Request, next: str = "/") -> Response:
    return site_of(request).render(request, "sign_in.html", {"next": own_address(next), "refused": False})


@router.post("/sign-in")
def sign_in(
    request: Request,
    key: Annotated[str, Form(max_length=200)],
    next: Annotated[str, Form()] = "/",
) -> Response:
    site = site_of(request)
    cookie = site.access.sign_in(key)
    if cookie is None:
        from_thread.run(request.app.state.rates.tried, address_of_client(request))
        context: dict[str, object] = {"next": own_address(next), "refused": True}
        return site.render(request, "sign_in.html", context, HTTPStatus.FORBIDDEN)
    answer = RedirectResponse(own_address(next), HTTPStatus.SEE_OTHER)
    hours, secure = site.settings.pages.session_hours, request.url.scheme == "https"
    answer.set_cookie(SESSION_COOKIE, cookie, hours * 3600, httponly=True, samesite="strict", secure=secure)
    return answer


@router.post("/sign-out")
def sign_out(request: Request) -> Response:
    cookie = request.cookies.get(SESSION_COOKIE)
    if cookie:
        site_of(request).access.sign_out(cookie)
    answer = RedirectResponse("/", HTTPStatus.SEE_OTHER)
    answer.delete_cookie(SESSION_COOKIE)
    return answer


@router.post("/language")
def language(
    request: Request,
    to: Annotated[str, Form(max_length=10)],
    next: Annotated[str, Form()] = "/",
) -> Response:
    answer = RedirectResponse(own_address(next), HTTPStatus.SEE_OTHER)
    if to in LANGUAGES:
        answer.set_cookie(LANGUAGE_COOKIE, to, YEAR, httponly=True, samesite="lax")
    return answer


@router.get("/assets/{path:path}")
def asset(request: Request, path: str) -> Response:
    found = site_of(request).assets.find(path)
    if found is None:
        return Response(status_code=HTTPStatus.NOT_FOUND)
    headers = {"Cache-Control": FOR_EVER, "Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff"}
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        return Response(found.packed, media_type=found.media_type, headers={**headers, "Content-Encoding": "gzip"})
    return Response(found.content, media_type=found.media_type, headers=headers)
