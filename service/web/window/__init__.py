"""The shop window: what shoppers see."""

from fastapi import APIRouter

from service.api.assembling import put_into
from service.web.routing import PageRoute
from service.web.site import Nav, PageSet
from service.web.window import feedback_routes, marks, photo_routes, routes, suggesting


def pages() -> PageSet:
    router = APIRouter(route_class=PageRoute, include_in_schema=False)
    for part in (routes, photo_routes, suggesting, marks, feedback_routes):
        put_into(router, part.router)
    return PageSet(router, "service.web.window", Nav("/", "Shop"))
