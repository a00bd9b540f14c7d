"""What all pages share: languages, files, templates, who is signed in, and what a page is sent with."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from http import HTTPStatus
from importlib.metadata import entry_points
from typing import Final
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from indexer.catalog.states import Scope
from indexer.settings import Settings
from service.access import NOBODY, Access, Caller
from service.shop import Shop
from service.web.assets import Assets
from service.web.words import FILTERS, LANGUAGES, Tongue, tongue_of, translations

HERE: Final = "service.web"
GROUP: Final = "vitrine.pages"
LANGUAGE_COOKIE: Final = "vitrine_language"
LONGEST: Final = 8_000
"""Characters of an address that one is led back to: what browsers, proxies and servers all take."""
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_OWN: Final = re.compile(r"/(?!/)[^\x00-\x20\x7f\\]*")
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
    "Vary": "Accept-Encoding, Accept-Language, Cookie",
    "Cache-Control": "private, no-cache",
}


@dataclass(frozen=True)
class Nav:
    """A place in the head of every page, for those whose key opens it."""

    path: str
    label: str
    """As the templates write it, to be translated."""
    scope: Scope | None = None


@dataclass(frozen=True)
class PageSet:
    """What a storey contributes to the pages: routes made with `PageRoute`, and the package that has its `templates`,
    `static` and `locale` folders."""

    router: APIRouter
    package: str
    nav: Nav


class Site:
    """Thread-safe."""

    def __init__(self, settings: Settings, access: Access, page_sets: Sequence[PageSet]) -> None:
        packages = page_packages(page_sets)
        self.settings = settings
        self.access = access
        self.assets = Assets(packages)
        self._navs = tuple(one.nav for one in page_sets)
        self._loader = ChoiceLoader([PackageLoader(package) for package in packages])
        self._translations = cache(partial(translations, packages=packages))
        self._environments = cache(self._new_environment)
        """By language, for the first visitor who speaks it. Each compiles its templates once."""

    def tongue(self, request: Request) -> Tongue:
        chosen = request.cookies.get(LANGUAGE_COOKIE) or self.settings.pages.language
        return tongue_of(request.headers.get("Accept-Language", ""), chosen)

    def who(self, request: Request) -> Caller | None:
        """Whoever asks with a key or is signed in with one."""
        caller: Caller = getattr(request.state, "caller", NOBODY)
        return None if caller == NOBODY else caller

    def said(self, request: Request, words: str) -> str:
        """Words that were `marked` somewhere, in the visitor's language; all others as they are."""
        return self._translations(self.tongue(request).language).gettext(words) if words else ""

    def render(
        self,
        request: Request,
        template: str,
        context: dict[str, object],
        status: HTTPStatus = HTTPStatus.OK,
    ) -> HTMLResponse:
        """A whole page, or a part of one, in the visitor's language. Templates also see `tongue`, `who`, `navs` (those
        that are open to them), `here` (the path), `address` (with the query), `language` and `settings`."""
        tongue, who = self.tongue(request), self.who(request)
        known = {
            "tongue": tongue,
            "language": tongue.language,
            "languages": LANGUAGES,
            "who": who,
            "navs": [nav for nav in self._navs if nav.scope and who and nav.scope in who.scopes],
            "here": request.scope["path"],
            "address": address_of(request),
            "settings": self.settings.pages,
        }
        html = self._environments(tongue.language).get_template(template).render({**known, **context})
        return HTMLResponse(html, status, HEADERS | {"Content-Language": tongue.language})

    def _new_environment(self, language: str) -> Environment:
        environment = Environment(
            loader=self._loader,
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
        )
        environment.install_gettext_translations(self._translations(language), newstyle=True)  # type: ignore[attr-defined]
        environment.filters.update(FILTERS)
        environment.globals["asset"] = self.assets.url
        return environment


def installed_pages() -> list[PageSet]:
    """Those of the entry-point group `vitrine.pages`: the shop window first, the others by name."""
    found = sorted(entry_points(group=GROUP), key=lambda one: (one.name != "window", one.name != "desk", one.name))
    return [one.load()() for one in found]


def page_packages(page_sets: Sequence[PageSet] | None = None) -> list[str]:
    """With templates, files and words of their own: this one, then those of the page sets, or of all there are."""
    found = installed_pages() if page_sets is None else page_sets
    return list(dict.fromkeys([HERE, *(one.package for one in found)]))


def address_of(request: Request) -> str:
    """Where the visitor is, within the site: path and query as a browser would send them."""
    query = request.scope["query_string"].decode("latin-1")
    return quote(request.scope["path"]) + (f"?{query}" if query else "")


def own_address(path: str) -> str:
    """An address of this site: never one that browsers read as another's, who pass over spaces and take \\ for /. The
    first page for what is none, or is too long to be led to."""
    return path if len(path) <= LONGEST and _OWN.fullmatch(path) else "/"


def site_of(request: Request) -> Site:
    site: Site = request.app.state.site
    return site


def shop_of(request: Request) -> Shop:
    shop: Shop = request.app.state.shop
    return shop
