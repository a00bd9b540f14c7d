import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from indexer.errors import BadBox
from indexer.images.regions import WHOLE, Box, suggest_regions
from tests.indexer.images.drawn import pixels

THINGS = {(30, 40, 140, 180): (200, 37, 42), (230, 60, 370, 150): (30, 60, 200), (120, 240, 260, 370): (30, 150, 50)}
"""Left, top, right and bottom of things in a picture of 400 pixels a side, with their colours."""


def overlap(one: Box, box: tuple[int, int, int, int]) -> float:
    """Intersection over union."""
    left, top, right, bottom = one.of(400, 400)
    across = max(0, min(right, box[2]) - max(left, box[0]))
    down = max(0, min(bottom, box[3]) - max(top, box[1]))
    area = (right - left) * (bottom - top) + (box[2] - box[0]) * (box[3] - box[1])
    return across * down / (area - across * down)


def draw(ground: Image.Image) -> Image.Image:
    for box, colour in THINGS.items():
        ImageDraw.Draw(ground).rounded_rectangle(box, 15, fill=colour)
    return ground


def planks() -> Image.Image:
    """Boards in four shades of brown, each with a dark joint."""
    ground = Image.new("RGB", (400, 400))
    for board in range(10):
        shade = (150, 170, 135, 160)[board % 4]
        ImageDraw.Draw(ground).rectangle((board * 40, 0, board * 40 + 39, 400), fill=(shade, shade - 40, shade - 85))
        ImageDraw.Draw(ground).line((board * 40, 0, board * 40, 400), fill=(70, 45, 20), width=3)
    return ground


def noise() -> Image.Image:
    return Image.fromarray(np.random.default_rng(5).integers(0, 256, (200, 300, 3), np.uint8).astype(np.uint8))


def test_each_thing_on_a_plain_ground_has_its_box_the_largest_first() -> None:
    found = suggest_regions(pixels(draw(Image.new("RGB", (400, 400), (240, 240, 240)))))
    assert len(found) == 3
    assert [one.share for one in found] == sorted((one.share for one in found), reverse=True)
    for box in THINGS:
        assert max(overlap(one.box, box) for one in found) > 0.75


def test_things_on_a_patterned_ground_are_found_and_the_whole_is_offered_last() -> None:
    found = suggest_regions(pixels(draw(planks())))
    for box in THINGS:
        assert max(overlap(one.box, box) for one in found) > 0.6
    assert found[-1].box == WHOLE


def test_a_part_within_a_thing_is_no_thing_of_its_own() -> None:
    image = Image.new("RGB", (400, 400), (240, 240, 240))
    ImageDraw.Draw(image).ellipse((60, 60, 340, 340), outline=(30, 60, 200), width=12)
    ImageDraw.Draw(image).ellipse((170, 170, 230, 230), fill=(200, 37, 42))
    (only,) = suggest_regions(pixels(image))
    assert overlap(only.box, (60, 60, 340, 340)) > 0.75


def test_where_nothing_stands_out_the_whole_picture_is_the_region() -> None:
    blank = suggest_regions(pixels(Image.new("RGB", (64, 48), (128, 128, 128))))
    assert blank[-1].box == WHOLE
    assert suggest_regions(pixels(noise()))[-1].box == WHOLE


def test_the_same_picture_has_the_same_regions_at_every_size() -> None:
    image = draw(Image.new("RGB", (400, 400), (240, 240, 240)))
    assert suggest_regions(pixels(image)) == suggest_regions(pixels(image))
    for small, large in zip(
        suggest_regions(pixels(image)), suggest_regions(pixels(image.resize((1000, 1000)))), strict=True
    ):
        assert overlap(small.box, large.box.of(400, 400)) > 0.9


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_any_picture_has_regions_within_it(height: int, width: int, seed: int) -> None:
    picture = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
    found = suggest_regions(picture)
    assert 1 <= len(found) <= 8
    assert all(0 < one.share <= 1 for one in found)


@pytest.mark.parametrize(
    ("numbers", "field"),
    [
        ((-0.1, 0, 0.5, 0.5), "box.left"),
        ((0, 1.2, 0.5, 0.5), "box.top"),
        ((0, 0, float("nan"), 0.5), "box.width"),
        ((0, 0, 0.5, float("inf")), "box.height"),
        ((0, 0, 0, 0.5), "box.width"),
        ((0.6, 0, 0.5, 0.5), "box.width"),
        ((0, 0.6, 0.5, 0.5), "box.height"),
    ],
)
def test_a_box_outside_the_photo_is_refused_by_name(numbers: tuple[float, float, float, float], field: str) -> None:
    with pytest.raises(BadBox, match=field):
        Box(*numbers)


def test_a_box_is_written_as_four_shares() -> None:
    assert Box.parse(" 0.1, .2,0.5,0.6") == Box(0.1, 0.2, 0.5, 0.6)


@pytest.mark.parametrize("text", ["", "0.1,0.2,0.5", "a,b,c,d", "0,0,1,1,1", "nan,0,1,1", "0;0;1;1", "1e999,0,1,1"])
def test_what_is_no_box_is_refused(text: str) -> None:
    with pytest.raises(BadBox):
        Box.parse(text)


shares = st.floats(0, 1)


@given(shares, shares, shares, shares, st.integers(1, 5000), st.integers(1, 5000))
@settings(max_examples=50, deadline=None)
def test_a_box_always_shows_some_pixels_of_the_picture(
    left: float, top: float, right: float, bottom: float, width: int, height: int
) -> None:
    (left, right), (top, bottom) = sorted((left, right)), sorted((top, bottom))
    if left == right or top == bottom:
        return
    x0, y0, x1, y1 = Box(left, top, right - left, bottom - top).of(width, height)
    assert 0 <= x0 < x1 <= width
    assert 0 <= y0 < y1 <= height
