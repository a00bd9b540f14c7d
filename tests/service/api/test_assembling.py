from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.testclient import TestClient

from service.api.assembling import put_into


def part(name: str, heard: list[str]) -> APIRouter:
    """With one route, and a lifespan that tells of itself."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        heard.append(f"{name} begins")
        yield
        heard.append(f"{name} ends")

    def asked(request: Request) -> None:
        heard.append(f"{name} is asked {request.url.path}")

    router = APIRouter(prefix=f"/{name}", dependencies=[Depends(asked)], lifespan=lifespan)

    @router.get("/route")
    def route() -> str:
        return name

    return router


def test_the_parts_routes_are_the_routers_own_in_order() -> None:
    router, first, second = APIRouter(), part("first", []), part("second", [])

    put_into(router, first)
    put_into(router, second)

    assert router.routes == [*first.routes, *second.routes]


def test_a_part_keeps_its_prefix_its_dependencies_and_what_it_does_meanwhile() -> None:
    heard: list[str] = []
    app, nested = FastAPI(), APIRouter()
    put_into(nested, part("inner", heard))
    put_into(app.router, part("outer", heard))
    put_into(app.router, nested)

    with TestClient(app) as client:
        assert client.get("/inner/route").json() == "inner"
        assert client.get("/route").status_code == 404

    assert heard == [
        *("outer begins", "inner begins"),
        "inner is asked /inner/route",
        *("inner ends", "outer ends"),
    ]
