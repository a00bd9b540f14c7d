"""POST /v1/ask: a line of JSON for each thing that is told, as it is told."""

from collections.abc import Generator
from typing import Annotated

from fastapi import APIRouter, Body, Request
from fastapi.openapi.models import Example
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from service.api.admission import deadline_of
from service.api.guard import GuardedRoute, Rule, caller_of, ruled
from service.api.problems import refusals
from service.ask.documents import AskRequest, Event

MEDIA_TYPE = "application/x-ndjson"
ASK_EXAMPLES: dict[str, Example] = {
    "search": Example(
        summary="Over the hits of a search by words",
        value={"question": "Which of these keeps rain out?", "text": "jacket", "where": ["price<100"]},
    ),
    "product": Example(
        summary="Over products like one",
        value={"question": "Which are dishwasher-safe?", "like": "MUG-0142-TL", "change": "but blue"},
    ),
}

router = APIRouter(
    prefix="/v1",
    route_class=GuardedRoute,
    dependencies=[ruled(Rule.PUBLIC_SEARCH)],
    responses=refusals(400, 404, 409, 422, 503),
)


@router.post(
    "/ask",
    summary="Ask a question about the hits of a search",
    description="Lines of JSON by their `event`: `hits` first, a `sentence` each as it is generated, plain text with "
    "the ids of the hits that it is about, and `end`. 409 where no endpoint is configured.",
    response_class=StreamingResponse,
    responses={200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}}},
)
def ask(request: Request, body: Annotated[AskRequest, Body(openapi_examples=ASK_EXAMPLES)]) -> StreamingResponse:
    events = request.app.state.shop.ask(body, caller_of(request).key, deadline_of(request))
    return _Lines(events)


class _Lines(StreamingResponse):
    """Closes what it streams as soon as nobody listens any longer, and does not leave that to the garbage collector."""

    def __init__(self, events: Generator[Event]) -> None:
        super().__init__(
            (event.model_dump_json() + "\n" for event in events),
            media_type=MEDIA_TYPE,
            headers={"X-Content-Type-Options": "nosniff"},
        )
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._events.close()
