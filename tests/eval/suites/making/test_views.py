from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from eval.suites.making.cutout import cut_out
from eval.suites.making.views import SIDE, shopper_view
from indexer.domain import Pixels

RED = (200, 30, 30)


def product_photo(colour: tuple[int, int, int] = RED, side: int = 200) -> Image.Image:
    """A disc with a shadow on a white wall."""
    y, x = np.mgrid[0:side, 0:side]
    pixels = np.full((side, side, 3), 250.0)
    shadow = np.clip(1 - np.hypot((x - 110) / 60, (y - 150) / 20), 0, 1)[..., None]
    pixels *= 1 - 0.25 * shadow
    pixels[np.hypot(x - 100, y - 90) < 55] = colour
    return Image.fromarray(pixels.astype(np.uint8))


def noise(side: int = 200) -> Image.Image:
    coarse = np.random.default_rng(3).integers(0, 255, (12, 12, 3)).astype(np.uint8)
    return Image.fromarray(coarse).resize((side, side))


def pixels_of(file: bytes) -> Pixels:
    with Image.open(BytesIO(file)) as picture:
        assert picture.format == "JPEG"
        return np.asarray(picture)


def test_a_product_is_lifted_off_a_plain_wall_without_its_shadow() -> None:
    lifted = cut_out(product_photo())
    assert lifted is not None
    assert lifted.mode == "RGBA"
    assert lifted.size == pytest.approx((110, 110), abs=6)
    pixels = np.asarray(lifted)
    solid = pixels[pixels[..., 3] == 255][:, :3]
    assert np.abs(solid.astype(int) - RED).mean() < 5


@pytest.mark.parametrize(
    "picture", [noise(), Image.new("RGB", (200, 200), "white"), product_photo(RED).crop((60, 40, 140, 140))]
)
def test_what_cannot_be_told_from_its_surroundings_stays_in_them(picture: Image.Image) -> None:
    assert cut_out(picture) is None


def test_a_product_in_pieces_is_not_lifted() -> None:
    photo = product_photo()
    photo.paste((250, 250, 250), (0, 80, 200, 100))
    assert cut_out(photo) is None


def test_the_same_dice_make_the_same_file_and_others_another() -> None:
    views = [shopper_view(product_photo(), np.random.default_rng(seed))[0] for seed in (1, 1, 2)]
    assert views[0] == views[1]
    assert views[0] != views[2]


@pytest.mark.parametrize("seed", range(5))
def test_the_product_stays_on_the_view_in_its_colour(seed: int) -> None:
    view, moved = shopper_view(product_photo(), np.random.default_rng(seed))
    pixels = pixels_of(view).astype(int)
    assert moved
    assert pixels.shape == (SIDE, SIDE, 3)
    red = (pixels[..., 0] - np.maximum(pixels[..., 1], pixels[..., 2])) > 60
    assert 0.08 < red.mean() < 0.7


def test_a_photo_without_a_plain_wall_is_taken_from_another_angle() -> None:
    picture = noise().resize((200, 300))
    view, moved = shopper_view(picture, np.random.default_rng(1))
    assert not moved
    assert pixels_of(view).shape == (SIDE, SIDE * 2 // 3, 3)
