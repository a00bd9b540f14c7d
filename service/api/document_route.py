"""GET /openapi.json: what the API is, for programs that are written against it."""

from typing import Any

from fastapi import APIRouter, Request

from service.api.guard import GuardedRoute, Rule, ruled

router = APIRouter(route_class=GuardedRoute, dependencies=[ruled(Rule.OPEN)], include_in_schema=False)


@router.get("/openapi.json")
async def openapi(request: Request) -> dict[str, Any]:
    document: dict[str, Any] = request.app.openapi()
    return document
