"""What a search started from, and the picture that was drawn of what is wanted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from indexer.images.regions import Box, Region
from service.search.answer import Answer
from service.shop import Shop
from service.web.media import Picture, first_pictures
from service.web.window.address import Address
from service.web.window.cards import product_url, products_of

WHOLE: Final = (0.0, 0.0, 1.0, 1.0)
ONCE: Final = 0.5
"""Intersection over union up to which two boxes are of two things."""


@dataclass(frozen=True)
class Photo:
    """A shopper's, `width` by `height` pixels; `box` and the boxes of `parts` are left, top, width, height in them."""

    id: str
    url: str
    width: int
    height: int
    box: tuple[float, float, float, float] | None
    parts: tuple[tuple[tuple[float, float, float, float], str], ...]
    """Each thing on it, with the address that searches by it."""


@dataclass(frozen=True)
class Thing:
    """A product that was started from."""

    title: str
    url: str
    picture: Picture | None


@dataclass(frozen=True)
class Drawn:
    """`kept`: the shopper chose it; not `fit`: it was not searched by, for what `why` says."""

    url: str
    width: int
    height: int
    kept: bool
    fit: bool
    why: str
    by: str
    keep: str
    """Address that searches by this very picture."""


@dataclass(frozen=True)
class Reference:
    photo: Photo | None
    thing: Thing | None
    drawn: Drawn | None


def reference_of(
    address: Address, answer: Answer, shop: Shop, photo: bytes | None, size: tuple[int, int]
) -> Reference | None:
    """`photo` is the shopper's, `size` its width and height. None for a search by words alone."""
    if photo is not None and address.photo is not None:
        regions = things_on(shop.regions(photo)) if address.parts else []
        return Reference(_photo(address, address.photo, size, regions), None, _drawn(address, answer))
    if address.like is None:
        return None
    product = products_of(shop, answer.build, [address.like]).get(address.like)
    picture = first_pictures(shop, answer.build, [address.like]).get(address.like)
    title = address.like if product is None else product.title
    return Reference(None, Thing(title, product_url(address.like, address.catalog), picture), _drawn(address, answer))


def things_on(regions: Sequence[Region]) -> list[Box]:
    """Their boxes, each thing once: of two that are mostly the same the first."""
    boxes = list[Box]()
    for one in (region.box for region in regions):
        if all(_alike(one, other) <= ONCE for other in boxes):
            boxes.append(one)
    return boxes


def _alike(one: Box, other: Box) -> float:
    """Intersection over union."""
    wide = min(one.left + one.width, other.left + other.width) - max(one.left, other.left)
    high = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
    both = max(wide, 0.0) * max(high, 0.0)
    return both / (one.width * one.height + other.width * other.height - both)


def _photo(address: Address, photo_id: str, size: tuple[int, int], regions: Sequence[Box]) -> Photo:
    parts = ((_pixels((one.left, one.top, one.width, one.height), size), address.boxed(one).url) for one in regions)
    box = None if address.box in (None, WHOLE) else address.box
    scaled = None if box is None else _pixels(box, size)
    return Photo(photo_id, f"/photo/{photo_id}.webp", *size, scaled, tuple(parts))


def _pixels(box: tuple[float, float, float, float], size: tuple[int, int]) -> tuple[float, float, float, float]:
    width, height = size
    left, top, wide, high = box
    return round(left * width, 1), round(top * height, 1), round(wide * width, 1), round(high * height, 1)


def _drawn(address: Address, answer: Answer) -> Drawn | None:
    if not answer.generated:
        return None
    best = answer.generated[0]
    return Drawn(
        url=best.url,
        width=best.width,
        height=best.height,
        kept=address.generated == best.id,
        fit=best.scores.fit,
        why=best.scores.why,
        by=best.provenance.recipe.generator,
        keep=address.keeping(best.id).url,
    )
