"""What a shopper does with a result, told by the page's script or by a form."""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, FastAPI, Form, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, Field, Json

from indexer.catalog.states import FeedbackKind
from service.feedback import LOWEST, VISIT_HOURS, FeedbackBook, Given
from service.request import SearchRequest
from service.shop import Shop
from service.web.routing import SEARCHING, PageRoute
from service.web.site import own_address, shop_of

FORGET_SECONDS: Final = 3600.0


@asynccontextmanager
async def _forgetting(app: FastAPI) -> AsyncIterator[None]:
    """What was kept long enough goes while the service runs, whether anybody comes or not."""
    forgetting = asyncio.create_task(_forget(app.state.shop))
    yield
    forgetting.cancel()


router = APIRouter(route_class=PageRoute, include_in_schema=False, dependencies=[SEARCHING], lifespan=_forgetting)

VISIT_COOKIE: Final = "vitrine_visit"
"""Given with the first feedback, and to nobody before; after `VISIT_HOURS` one is another visitor."""
_VISIT: Final = re.compile(r"[\w-]{22}", re.ASCII)


class Asked(SearchRequest):
    """What the page's answer is to; `photo`: there was one beside it."""

    photo: bool = False


class FeedbackForm(BaseModel):
    """As a page's button or script sends it."""

    model_config = ConfigDict(extra="forbid")

    kind: FeedbackKind
    catalog: Annotated[str, Field(max_length=64)]
    build: Annotated[str, Field(max_length=64)]
    product: Annotated[str, Field(min_length=1, max_length=1_000)]
    rank: Annotated[int, Field(ge=1, le=LOWEST)]
    query: Json[Asked]
    next: str | None = None
    """The page to go back to; absent: a script asks, and stays where it is."""

    def given(self) -> Given:
        return Given(
            kind=self.kind,
            catalog=self.catalog,
            build=self.build,
            product=self.product,
            rank=self.rank,
            query=self.query,
            photo=self.query.photo,
        )


@router.post("/feedback")
def feedback(request: Request, form: Annotated[FeedbackForm, Form()]) -> Response:
    """Nothing is told of what was recorded."""
    answer: Response = Response(status_code=HTTPStatus.NO_CONTENT)
    if form.next is not None:
        answer = RedirectResponse(own_address(form.next), HTTPStatus.SEE_OTHER)
    _record(request, form.given(), answer)
    return answer


async def _forget(shop: Shop) -> None:
    while True:
        await run_in_threadpool(_book(shop).forget)
        await asyncio.sleep(FORGET_SECONDS)


def _book(shop: Shop) -> FeedbackBook:
    return FeedbackBook(shop.database, shop.settings.pages)


def _record(request: Request, given: Given, answer: Response) -> None:
    visit = request.cookies.get(VISIT_COOKIE, "")
    known = _VISIT.fullmatch(visit) is not None
    if not known:
        visit = secrets.token_urlsafe(16)
    if _book(shop_of(request)).record(given, visit) and not known:
        secure = request.url.scheme == "https"
        seconds = VISIT_HOURS * 3600
        answer.set_cookie(VISIT_COOKIE, visit, seconds, httponly=True, samesite="strict", secure=secure)
