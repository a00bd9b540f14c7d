"""GET /metrics, where Prometheus looks for it: outside /v1."""

from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from service.api.guard import GuardedRoute, Rule, ruled
from service.metrics import Metrics

router = APIRouter(route_class=GuardedRoute, dependencies=[ruled(Rule.PUBLIC_METRICS)])


@router.get("/metrics", summary="Counts and times for Prometheus", response_class=Response)
def metrics(request: Request, accept: Annotated[str, Header()] = "") -> Response:
    counted: Metrics = request.app.state.metrics
    content, media_type = counted.exposition(accept)
    return Response(content, headers={"Content-Type": media_type})
