"""Thumbnails of photos, of a product, and of many products at once."""

import base64
from collections.abc import Iterator
from io import BytesIO

import pytest
from PIL import Image

from indexer.bootstrap import open_catalogue
from indexer.builds.live import published_build, read_layout
from indexer.domain import ImageRef, Product
from indexer.errors import UnknownBuild, UnknownCatalog, UnknownProduct
from indexer.images.decoders import DecoderPool
from indexer.settings import Settings
from service.shop import CatalogProducts
from service.web.pictures import Pictures
from tests.service.worlds import CATALOG, photo_of

SIDE = 48


@pytest.fixture(scope="module")
def pictures(memory: Settings) -> Iterator[Pictures]:
    with DecoderPool.of(memory.images) as decoders:
        yield Pictures(open_catalogue(memory), decoders, side=SIDE)


def test_a_photo_becomes_a_small_webp(pictures: Pictures) -> None:
    found = pictures.of_photo(photo_of("red"))
    assert found is not None
    kind, _, content = found.partition(",")
    assert kind == "data:image/webp;base64"
    assert Image.open(BytesIO(base64.b64decode(content))).size == (SIDE, SIDE)
    assert pictures.of_photo(b"no photo") is None


def test_products_are_shown_by_their_first_photo(pictures: Pictures, memory: Settings) -> None:
    database = open_catalogue(memory)
    build = published_build(database, CATALOG)[1]
    manifest, _ = read_layout(database, build)
    products = CatalogProducts(database).get_many(manifest, ["shoe-red", "mug-sketch", "mug-red"])
    gone = Product("gone", "Gone", images=(ImageRef("gone.png"),))
    found = pictures.of_products(CATALOG, [*products.values(), gone])
    assert list(found) == ["shoe-red", "mug-red"]
    assert found["shoe-red"] == pictures.of_product(build, "shoe-red")
    assert pictures.of_product(build, "mug-sketch") is None


def test_what_the_database_does_not_know_is_an_error(pictures: Pictures, memory: Settings) -> None:
    with pytest.raises(UnknownCatalog):
        pictures.of_products("nowhere", [])
    with pytest.raises(UnknownProduct):
        pictures.of_product(published_build(open_catalogue(memory), CATALOG)[1], "mug-rad")
    with pytest.raises(UnknownBuild):
        pictures.of_product("no-build", "mug-red")
