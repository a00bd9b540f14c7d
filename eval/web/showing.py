"""What the products and photos of a page of the bench look like."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from eval.generation import Generation
from eval.suites.suite import Suite
from indexer.builds.live import published_build
from indexer.errors import NotFound, NothingPublished
from service.shop import Shop
from service.web.media import Picture, first_pictures
from service.web.pictures import Pictures

SIDE = 176
QUALITY = 72


@dataclass(frozen=True)
class Gallery:
    """Titles and pictures by product id, photos (data URIs) by their path in the suite; what has gone is absent."""

    catalog: str = ""
    titles: Mapping[str, str] = field(default_factory=dict)
    pictures: Mapping[str, Picture] = field(default_factory=dict)
    photos: Mapping[str, str] = field(default_factory=dict)


def gallery(
    shop: Shop, suite: Suite, build: str | None, products: Iterable[str], photos: Iterable[str | None]
) -> Gallery:
    """As the build had them while the ledger has it, else as the published one has."""
    wanted = list(dict.fromkeys(products))
    taken = _photos(shop, suite, [one for one in dict.fromkeys(photos) if one is not None])
    catalog = suite.card.catalog
    for tried in dict.fromkeys([build, None]):
        with suppress(NotFound, NothingPublished):
            named = tried or published_build(shop.database, catalog)[1]
            pictures = first_pictures(shop, named, wanted)
            found = Generation.of(shop.database, catalog, named).products(wanted)
            return Gallery(catalog, {one.id: one.title for one in found.values()}, pictures, taken)
    return Gallery(catalog, photos=taken)


def _photos(shop: Shop, suite: Suite, names: Sequence[str]) -> dict[str, str]:
    pictures, taken = Pictures(shop.database, shop.decoders, SIDE, QUALITY), {}
    for name in names:
        with suppress(OSError):
            drawn = pictures.of_photo((suite.directory / name).read_bytes())
            if drawn is not None:
                taken[name] = drawn
    return taken
