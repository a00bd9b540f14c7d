"""The products' photos on pages: thumbnails in a few widths, under addresses that never show anything else."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from indexer.catalog.builds import BuildRepository
from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.engine import Database
from indexer.catalog.images import ImageRepository
from indexer.catalog.records import ImageRecord
from indexer.catalog.states import ImageState
from indexer.domain import ImageRef
from indexer.errors import ImageRejected
from indexer.images.decoders import DecodeTask
from indexer.images.fit import Fit
from indexer.images.webp import as_webp
from indexer.places import Place, place_of
from service.api.guard import Rule
from service.shop import Shop
from service.web.routing import SEARCHING, PageRoute
from service.web.site import shop_of
from service.web.thumbnails import Thumbnails

router = APIRouter(route_class=PageRoute, include_in_schema=False, dependencies=[SEARCHING])

WIDTHS: Final = (160, 320, 640, 1280)
USUAL: Final = 320
"""The width for browsers that do not choose."""
_TALLEST: Final = 2
"""Height of a thumbnail, in widths, at most."""
_DIGITS: Final = 24
"""Of a photo's SHA-256 in its addresses."""
_FOR_EVER: Final = "max-age=31536000, immutable"


@dataclass(frozen=True)
class Picture:
    """A photo as `<img>` takes it; width and height are those of `src`, in pixels."""

    src: str
    srcset: str
    width: int
    height: int


def pictures_of(shop: Shop, build: str, wanted: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], Picture]:
    """Of a page's photos, by (product id, image id); one that the build does not have, or refused, is absent.

    Raises UnknownBuild, CatalogueUnavailable.
    """
    keys = set(wanted)
    catalog, ledger = _ledger(shop, build, sorted({product_id for product_id, _ in keys}))
    photos = (one for images in ledger.values() for one in images if (one.product_id, one.image_id) in keys)
    return {(one.product_id, one.image_id): _picture(catalog, one) for one in photos if _shown(one)}


def first_pictures(shop: Shop, build: str, product_ids: Iterable[str]) -> Mapping[str, Picture]:
    """Of each product the first photo that can be shown; one without any is absent. Raises as `pictures_of`."""
    catalog, ledger = _ledger(shop, build, list(dict.fromkeys(product_ids)))
    firsts = {product_id: next(filter(_shown, images), None) for product_id, images in ledger.items()}
    return {product_id: _picture(catalog, one) for product_id, one in firsts.items() if one is not None}


@router.get("/media/{catalog}/{width}/{digest}/{image_id}/{product_id:path}")
def media(request: Request, catalog: str, width: int, digest: str, image_id: str, product_id: str) -> Response:
    shop, thumbnails = shop_of(request), thumbnails_of(request)
    found = _found(shop.database, catalog, product_id, image_id, digest) if width in WIDTHS else None
    if found is None:
        return Response(status_code=HTTPStatus.NOT_FOUND)
    uri, root = found
    name = f"{digest}-{width}"
    whose = "public" if Rule.PUBLIC_SEARCH in request.app.state.public else "private"
    known = {"ETag": f'"{name}"', "Cache-Control": f"{whose}, {_FOR_EVER}", "X-Content-Type-Options": "nosniff"}
    if request.headers.get("If-None-Match") == known["ETag"]:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=known)
    content = thumbnails.get(name)
    if content is None:
        try:
            decoded = shop.decoders.decode(DecodeTask(ImageRef(uri), _fit(width), root))
        except ImageRejected:
            return Response(status_code=HTTPStatus.NOT_FOUND)
        content = as_webp(decoded.pixels)
        if not decoded.content_hash.startswith(digest):  # the file is another one than was built from
            return Response(content, media_type="image/webp", headers={"Cache-Control": "no-store"})
        thumbnails.put(name, content)
    return Response(content, media_type="image/webp", headers=known)


def thumbnails_of(request: Request) -> Thumbnails:
    thumbnails: Thumbnails = request.app.state.thumbnails
    return thumbnails


def _ledger(shop: Shop, build: str, product_ids: Sequence[str]) -> tuple[str, Mapping[str, Sequence[ImageRecord]]]:
    with shop.database.session() as session:
        made = BuildRepository(session).get(build)
        images = ImageRepository(session).of_products(made.catalog, product_ids, generation=made.generation)
    return made.catalog, images


def _shown(image: ImageRecord) -> bool:
    return image.state is ImageState.READY and bool(image.content_hash and image.width and image.height)


def _picture(catalog: str, image: ImageRecord) -> Picture:
    sizes = {wide: _fit(wide).scaled(image.width or 1, image.height or 1) for wide in WIDTHS}
    largest = next((wide for wide in WIDTHS if sizes[wide] == sizes[WIDTHS[-1]]), WIDTHS[-1])
    urls = {wide: _url(catalog, wide, image) for wide in WIDTHS if wide <= largest}
    usual = min(USUAL, largest)
    srcset = ", ".join(f"{url} {sizes[wide][0]}w" for wide, url in urls.items())
    return Picture(urls[usual], srcset, *sizes[usual])


def _url(catalog: str, width: int, image: ImageRecord) -> str:
    digest = (image.content_hash or "")[:_DIGITS]
    return f"/media/{quote(catalog, safe='')}/{width}/{digest}/{image.image_id}/{quote(image.product_id, safe='')}"


def _fit(width: int) -> Fit:
    return Fit((_TALLEST * width, width), "within")


def _found(database: Database, catalog: str, product_id: str, image_id: str, digest: str) -> tuple[str, Place] | None:
    """Where the photo is, if it is in the catalogue with that content."""
    if len(digest) != _DIGITS:
        return None
    with database.session() as session:
        uri = ImageRepository(session).uri_of(catalog, product_id, image_id, digest)
        return None if uri is None else (uri, place_of(CatalogRepository(session).get(catalog).root))
