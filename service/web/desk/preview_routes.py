"""A build beside the one that is searched, for any query."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from indexer.catalog.builds import BuildRepository
from indexer.catalog.published import PublishedRepository
from indexer.catalog.records import BuildRecord
from indexer.errors import VitrineError
from service.api.problems import status_of
from service.desk.previewing import SideBySide, finished_builds, side_by_side
from service.request import SearchRequest, request_of
from service.search.answer import Result
from service.shop import Shop
from service.web.media import Picture, pictures_of
from service.web.routing import Merchandiser, PageRoute
from service.web.site import shop_of, site_of

router = APIRouter(route_class=PageRoute, include_in_schema=False)

SHOWN = 12
"""Results on each side."""
DEPTH = 100
"""Results that are asked for, so that one further down is told to be there."""
Words = Annotated[str, Query(max_length=1_000)]
Pictures = Mapping[tuple[str, str], Picture]


@router.get("/desk/preview")
def preview(
    request: Request,
    who: Merchandiser,
    build: Words = "",
    q: Words = "",
    like: Words = "",
    change: Words = "",
    where: Words = "",
) -> Response:
    shop, status, problem = shop_of(request), HTTPStatus.OK, ""
    offered = finished_builds(shop.database)
    live = _live(shop)
    chosen = _chosen(shop, build, offered, live)
    asked = {"q": q.strip(), "like": like.strip(), "change": change.strip(), "where": where.strip()}
    compared, alone = None, None
    if chosen is not None and (asked["q"] or asked["like"]):
        try:
            if live.get(chosen.catalog):
                compared = _compared(shop, chosen, asked)
            else:
                alone = shop.preview(_request(chosen, asked, SHOWN), chosen.id)
        except VitrineError as error:
            problem, status = str(error), status_of(type(error))
    context: dict[str, object] = {
        "offered": offered,
        "live": live,
        "chosen": chosen,
        "asked": asked,
        "side": compared,
        "pictures": None if compared is None else side_pictures(shop, compared),
        "alone": alone,
        "alone_pictures": {} if alone is None else _pictures(shop, alone.build, alone.results),
        "problem": problem,
    }
    return site_of(request).render(request, "desk_preview.html", context, status)


def side_pictures(shop: Shop, side: SideBySide) -> tuple[Pictures, Pictures]:
    """Of the photos that matched, before and after."""
    return (
        _pictures(shop, side.before.build, [one.result for one in side.left]),
        _pictures(shop, side.after.build, [one.result for one in side.right]),
    )


def _pictures(shop: Shop, build: str, results: Sequence[Result]) -> Pictures:
    return pictures_of(shop, build, [(one.id, one.image.id) for one in results if one.image is not None])


def _compared(shop: Shop, build: BuildRecord, asked: Mapping[str, str]) -> SideBySide:
    request = _request(build, asked, DEPTH)
    return side_by_side(shop.search(request), shop.preview(request, build.id), SHOWN)


def _request(build: BuildRecord, asked: Mapping[str, str], most: int) -> SearchRequest:
    return request_of(
        {
            "text": asked["q"],
            "like": asked["like"] or None,
            "change": asked["change"],
            "where": (asked["where"],) if asked["where"] else (),
            "catalog": build.catalog,
            "top_k": most,
        }
    )


def _live(shop: Shop) -> dict[str, str]:
    """Catalog → its published build."""
    with shop.database.session() as session:
        published = PublishedRepository(session)
        return {name: published.get(name).build for name in published.names()}


def _chosen(shop: Shop, build: str, offered: list[BuildRecord], live: Mapping[str, str]) -> BuildRecord | None:
    """The build that is named, else the newest that is not published. Raises UnknownBuild."""
    if build:
        with shop.database.session() as session:
            return BuildRepository(session).get(build)
    return next((one for one in offered if live.get(one.catalog) != one.id), None)
