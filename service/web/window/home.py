"""Ways in for those who have not asked anything yet: what the shop has, by kind and by colour, and things to start
from."""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import Request

from indexer.domain import BuildManifest, Condition, Op, Product
from indexer.errors import QueryError, VitrineError
from service.request import SearchRequest
from service.search.understanding.chips import written
from service.shop import Shop
from service.web.media import Picture, first_pictures
from service.web.window.address import Address
from service.web.window.cards import product_url, products_of, swatches_of
from service.web.window.colours import QuickChanges, colours_of, quick_changes, swatch_of

LOG = logging.getLogger(__name__)

TILES: Final = 8
LOOKED_AT: Final = 14
"""Values of a field from which the tiles are made."""
IN_TILE: Final = 4
STARTS: Final = 6
CHANGES: Final = 4
"""Colours that are offered with a thing to start from."""
KEPT_SECONDS: Final = 600.0
AGAIN_SECONDS: Final = 10.0
"""Until a wall is tried again that could not be made."""
SHOWN_BY: Final = ("category", "kind", "brand")
"""What a shop is shown by: the first of these that it has several values of."""


@dataclass(frozen=True)
class Tile:
    label: str
    url: str
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Link:
    label: str
    url: str
    swatch: str | None


@dataclass(frozen=True)
class Start:
    """A thing, and what one could want to be different from it."""

    title: str
    url: str
    picture: Picture
    changes: tuple[Link, ...]


@dataclass(frozen=True)
class Wall:
    tiles: tuple[Tile, ...] = ()
    colours: tuple[Link, ...] = ()
    starts: tuple[Start, ...] = ()


@dataclass(frozen=True)
class _Kept:
    """A wall of a build, good until that moment of the monotonic clock."""

    build: str
    wall: Wall
    until: float


class Walls:
    """Of each catalog, as addresses name it, the one that was made last, for a while. Thread-safe: one visitor waits
    for a wall to be made, the others get the one before, or none."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str | None, _Kept] = {}
        self._making: set[str | None] = set()

    def of(self, shop: Shop, catalog: str | None) -> Wall:
        """What keeps a wall from being made is not tried again at once. Raises as `Shop.lease`."""
        with shop.lease(catalog) as (index, _):
            manifest = index.manifest
        with self._lock:
            kept = self._kept.get(catalog)
            fresh = kept is not None and kept.build == manifest.build and time.monotonic() < kept.until
            old = Wall() if kept is None else kept.wall
            if fresh or catalog in self._making:
                return old
            self._making.add(catalog)
        try:
            made = _made(shop, catalog, manifest, old)
            with self._lock:
                self._kept[catalog] = made
        finally:
            with self._lock:
                self._making.discard(catalog)
        return made.wall


def walls_of(request: Request) -> Walls:
    state = request.app.state
    if not hasattr(state, "window_walls"):
        state.window_walls = Walls()
    walls: Walls = state.window_walls
    return walls


@dataclass(frozen=True)
class _Room:
    label: str
    url: str
    products: Sequence[Product]
    within: bool
    """It is a part of another one's."""


def _made(shop: Shop, catalog: str | None, manifest: BuildManifest, old: Wall) -> _Kept:
    """`old` where no wall can be made at the moment."""
    try:
        wall, lasts = _wall(shop, catalog, manifest), KEPT_SECONDS
    except VitrineError as error:
        LOG.warning("The first page of %s shows no ways in: %s", manifest.catalog, error)
        wall, lasts = old, AGAIN_SECONDS
    return _Kept(manifest.build, wall, time.monotonic() + lasts)


def _wall(shop: Shop, catalog: str | None, manifest: BuildManifest) -> Wall:
    rooms = list(_rooms(shop, catalog, manifest))
    rooms = ([one for one in rooms if one.within] or rooms)[:TILES]
    pictures = first_pictures(shop, manifest.build, [one.id for room in rooms for one in room.products])
    here, quick = Address(catalog=catalog), quick_changes(manifest)
    tiles = (
        Tile(one.label, one.url, tuple(pictures[it.id] for it in one.products if it.id in pictures)) for one in rooms
    )
    lasts = (next((it for it in reversed(one.products) if it.id in pictures), None) for one in rooms)
    return Wall(
        tuple(one for one in tiles if one.pictures),
        tuple(Link(one, here.saying(one).url, swatch_of(one)) for one in colours_of(manifest)),
        tuple(_start(one, pictures[one.id], here, quick, at) for at, one in enumerate(filter(None, lasts)))[:STARTS],
    )


def _rooms(shop: Shop, catalog: str | None, manifest: BuildManifest) -> Iterator[_Room]:
    """What suits each of the commonest values best."""
    field = next((name for name in SHOWN_BY if len(manifest.vocabulary.get(name, ())) > 1), None)
    for value in manifest.vocabulary[field][:LOOKED_AT] if field else ():
        condition = written((Condition(field, Op.EQ, value),)) if field else ""
        request = SearchRequest(text=value, where=(condition,), top_k=IN_TILE, catalog=catalog)
        try:
            answer = shop.search(request)
        except QueryError:  # it reads as something else, as "no sleeves" does
            continue
        products = list(products_of(shop, answer.build, [one.id for one in answer.results]).values())
        url = Address(q=value, where=(condition,), catalog=catalog).url
        levels = [level for one in products[:1] for level in one.category]
        label = next((level for level in levels if level.casefold() == value), value.capitalize())
        yield _Room(label, url, products, within=levels[-1:] == [label])


def _start(product: Product, picture: Picture, here: Address, quick: QuickChanges, at: int) -> Start:
    """The `at`-th thing begins with the `at`-th of the colours, so that all are shown somewhere."""
    own = swatches_of(product)
    turned = (*quick.colours[2 * at :], *quick.colours[: 2 * at])
    others = [one for one in turned if one.swatch not in own][:CHANGES]
    return Start(
        product.title,
        product_url(product.id, here.catalog),
        picture,
        tuple(Link(one.value, here.alike(product.id, one.change).url, one.swatch) for one in others),
    )
