"""Photos of several products: each is in its box, and no photo is like another."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from eval.relevance.crowds import GROUNDS, Crowd, crowds, photographed
from eval.relevance.regions import overlap
from indexer.images.regions import Box, suggest_regions
from indexer.showroom.catalogue import catalogue

PRODUCTS = [product for product in catalogue() if product.look.kind in ("mug", "watch")]
TWO = (PRODUCTS[0], PRODUCTS[-1])


@pytest.fixture(scope="module")
def on_each() -> list[Crowd]:
    return [photographed(TWO, ground) for ground in GROUNDS]


@pytest.fixture(params=range(len(GROUNDS)), ids=GROUNDS)
def crowd(request: pytest.FixtureRequest, on_each: list[Crowd]) -> Crowd:
    place: int = request.param
    return on_each[place]


def pixels(crowd: Crowd) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(Image.open(BytesIO(crowd.photo)).convert("RGB"))


def test_the_same_products_on_the_same_ground_are_the_same_photo(on_each: list[Crowd]) -> None:
    assert photographed(TWO, GROUNDS[0]) == on_each[0]
    assert len({crowd.photo for crowd in on_each}) == len(GROUNDS)


def test_every_product_lies_apart_in_its_own_box(crowd: Crowd) -> None:
    assert crowd.products == TWO
    one, other = crowd.boxes
    assert overlap(one, other) == 0
    found = [region.box for region in suggest_regions(pixels(crowd))]
    for box in crowd.boxes:
        assert max(overlap(box, region) for region in found) > 0.5


def test_one_product_of_every_family_is_photographed_and_none_alone() -> None:
    families = [*dict.fromkeys(product.parent for product in PRODUCTS)][:6]
    taken = [*crowds([product for product in PRODUCTS if product.parent in families], GROUNDS[0])]
    assert [len(crowd.boxes) for crowd in taken] == [2, 3]
    assert len({product.parent for crowd in taken for product in crowd.products}) == 5


def test_boxes_overlap_by_what_both_cover() -> None:
    left = Box(0, 0, 0.5, 1)
    assert overlap(left, left) == 1
    assert overlap(left, Box(0.5, 0, 0.5, 1)) == 0
    assert overlap(left, Box(0.25, 0, 0.5, 1)) == pytest.approx(1 / 3)
