"""How the catalogs stand."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from service.desk.overview import duplicates, overviews
from service.web.media import first_pictures
from service.web.routing import Merchandiser, PageRoute
from service.web.site import shop_of, site_of

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/desk")
def overview(request: Request, who: Merchandiser, unchanged: bool = False) -> Response:
    """`unchanged`: one comes from a build that came to what is published already."""
    shop = shop_of(request)
    found = overviews(shop.database)
    shown = [one.standing for one in found if one.standing is not None]
    pictures = {one.build: first_pictures(shop, one.build, [product.id for product in one.products]) for one in shown}
    context: dict[str, object] = {"catalogs": found, "pictures": pictures, "unchanged": unchanged}
    return site_of(request).render(request, "desk.html", context)


@router.get("/desk/duplicates")
def shared_photos(request: Request, who: Merchandiser, catalog: Annotated[str, Query(max_length=64)]) -> Response:
    shop = shop_of(request)
    build, groups = duplicates(shop.database, catalog)
    pictures = first_pictures(shop, build, [group[0] for group in groups])
    context: dict[str, object] = {"catalog": catalog, "groups": groups, "pictures": pictures}
    return site_of(request).render(request, "desk_duplicates.html", context)
