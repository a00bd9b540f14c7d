"""The desk: what merchandisers build, check, publish and roll back with."""

from fastapi import APIRouter

from indexer.catalog.states import Scope
from service.api.assembling import put_into
from service.web.desk import (
    audit_routes,
    build_routes,
    new_routes,
    overview_routes,
    preview_routes,
    product_routes,
    publish_routes,
    rules_routes,
)
from service.web.routing import PageRoute
from service.web.site import Nav, PageSet

router = APIRouter(route_class=PageRoute, include_in_schema=False)
for part in (
    *(overview_routes, new_routes, build_routes, publish_routes, preview_routes, rules_routes, product_routes),
    audit_routes,
):
    put_into(router, part.router)


def pages() -> PageSet:
    return PageSet(router, "service.web.desk", Nav("/desk", "Desk", Scope.MERCHANDISE))
