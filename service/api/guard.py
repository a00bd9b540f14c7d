"""Who asks, found out before anything else of a request is read, and what each route demands of them."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Request, Response
from fastapi.params import Depends as Dependency
from fastapi.routing import APIRoute
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Connection

from indexer.catalog.states import Scope
from indexer.errors import CatalogueUnavailable, NotIdentified, NotPermitted, VitrineError
from service.access import NOBODY, Access, Caller, is_loopback, is_token
from service.api.admission import admitted
from service.api.problems import answer_to
from service.api.rates import Rates, whose
from service.api.work import work_of

SESSION_COOKIE: Final = "vitrine_session"
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
UNASKED: Final = ("/assets/", "/v1/health", "/v1/ready")
"""What is answered alike whoever asks, so that nobody looks who does."""
UNCOUNTED: Final = ("/media/", *UNASKED)
"""Files of pages, which come by the dozen."""
LOOKING_UP: Final = 8
"""Keys that are looked up at a time, in threads of their own: nobody waits behind searches to be told who they are."""
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Rule(StrEnum):
    """What a route demands of whoever calls it."""

    OPEN = "open"
    PUBLIC_SEARCH = "search"
    """Any key; nobody in particular where `access.public` names search."""
    PUBLIC_METRICS = "metrics"
    """A key for analysing; nobody in particular where `access.public` names metrics."""
    MERCHANDISE = "merchandise"
    ANALYSE = "analyse"
    ADMIN = "admin"


SCOPES: Final[dict[Rule, Scope]] = {
    Rule.PUBLIC_SEARCH: Scope.SEARCH,
    Rule.PUBLIC_METRICS: Scope.ANALYSE,
    Rule.MERCHANDISE: Scope.MERCHANDISE,
    Rule.ANALYSE: Scope.ANALYSE,
    Rule.ADMIN: Scope.ADMIN,
}


def caller_of(request: HTTPConnection) -> Caller:
    caller: Caller = request.state.caller
    return caller


@dataclass(frozen=True)
class Demand:
    """A dependency that states a route's rule; the route holds to it before the body is read."""

    rule: Rule

    async def __call__(self, request: Request) -> Caller:
        return caller_of(request)


def ruled(rule: Rule) -> Dependency:
    """For `dependencies=` of a route or a router."""
    dependency: Dependency = Depends(Demand(rule))
    return dependency


def rule_of(route: APIRoute) -> Rule | None:
    """None where a route has no rule, or several."""
    rules = {one.call.rule for one in route.dependant.dependencies if isinstance(one.call, Demand)}
    return rules.pop() if len(rules) == 1 else None


def demand(request: Request, rule: Rule | None) -> None:
    """Raises NotIdentified for nobody, NotPermitted for a key that does not open this."""
    if rule is Rule.OPEN or (rule is not None and rule in request.app.state.public):
        return
    caller, refusal = caller_of(request), request.state.refusal
    if rule is not None and SCOPES[rule] in caller.scopes:
        return
    if refusal is not None:
        raise refusal
    if caller == NOBODY:
        raise NotIdentified(
            "This needs a key: send it as Authorization: Bearer vitrine_… or X-API-Key; see: vitrine keys add."
        )
    wanted = "a rule that it does not have" if rule is None else f"the scope {SCOPES[rule]}"
    opened = ", ".join(sorted(caller.scopes)) or "nothing"
    raise NotPermitted(f"This needs {wanted}; the key of {caller.name} opens {opened}.")


def is_foreign(request: Request) -> bool:
    """Whether a page of another site asks for this in a visitor's name. Browsers say which page a form came from; who
    says nothing is no browser, and has no visitor's cookies. What they found out themselves counts, where they say it:
    behind a proxy the host may go by another name."""
    if request.method in SAFE:
        return False
    origin, fetched = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    elsewhere = origin is not None and origin.partition("://")[2] != request.headers.get("Host")
    return elsewhere if fetched is None else fetched not in ("same-origin", "none")


def is_asked_in(request: Request) -> bool:
    """Whether another site's page may ask this: with a key of its own; without any, where `access.origins` names the
    site. What is open to everybody within reach of the service is not open to pages that they happen to look at."""
    caller = caller_of(request)
    if caller == NOBODY:
        return request.headers.get("Origin") in request.app.state.settings.access.origins
    return not caller.session


class GuardedRoute(APIRoute):
    """Holds to its rule before a byte of the body is read, then waits for its turn; one without a rule opens to
    nobody."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        self.rule = rule_of(self)
        if self.rule is not None:
            self.openapi_extra = {**(self.openapi_extra or {}), "x-rule": self.rule.value}
        self.work = work_of(self.methods or (), self.path)

    def get_route_handler(self) -> Handler:
        answer = super().get_route_handler()

        async def handle(request: Request) -> Response:
            demand(request, self.rule)
            if is_foreign(request) and not is_asked_in(request):
                raise NotPermitted("This was sent by a page of another site.")
            await admitted(request, self.work)
            return await answer(request)

        return handle


class Identify:
    """Middleware. Puts on each request who asks: `caller`, and the `refusal` that stands where that could not be found
    out. Who asks too often, or tries too many keys, is told when to come again."""

    def __init__(self, app: ASGIApp, access: Access, rates: Rates) -> None:
        self._app = app
        self._access = access
        self._rates = rates
        self._limiters: dict[bool, CapacityLimiter] = {}

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        request.state.caller, request.state.refusal = NOBODY, None
        try:
            await self._identify(request)
        except VitrineError as error:
            await answer_to(request, error)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _identify(self, request: Request) -> None:
        """While the catalogue's database is away everybody is nobody in particular, for whom what is public stays open.

        Raises NotIdentified for a key or token that opens nothing, UnavailableError, RateExceeded."""
        path, address = request.scope["path"], address_of_client(request)
        if path.startswith(UNASKED):
            return
        try:
            if presented(request) or request.cookies.get(SESSION_COOKIE):
                request.state.caller = await to_thread.run_sync(self._found, request, limiter=self._threads(request))
        except CatalogueUnavailable as error:
            request.state.refusal = error
        except NotIdentified:
            await self._rates.tried(address)
            raise
        if not path.startswith(UNCOUNTED):
            await self._rates.take(request.state.caller, address)

    def _found(self, request: Request) -> Caller:
        if token := presented(request):
            return self._access.caller(token, is_nearby(request))
        cookie = request.cookies.get(SESSION_COOKIE)
        return (self._access.visitor(cookie) if cookie else None) or NOBODY

    def _threads(self, request: Request) -> CapacityLimiter:
        """Made on first use: they belong to the event loop. Keys do not wait behind tokens, whose provider may be
        slow."""
        return self._limiters.setdefault(is_token(presented(request)), CapacityLimiter(LOOKING_UP))


def address_of_client(request: Request) -> str:
    """What is counted together with this request, where it brings no key."""
    return whose(request.client.host if request.client else None)


def is_nearby(request: Request) -> bool:
    """Whether this machine asks itself: over its loopback, or from the very address that it is asked at."""
    if request.client is None:
        return False
    return is_loopback(request.client.host) or request.client.host == (request.scope.get("server") or ("",))[0]


def presented(request: Request) -> str:
    """The key or token that a request brings, '' for none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return request.headers.get("X-API-Key", "").strip()
