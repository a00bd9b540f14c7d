import numpy as np
import pytest

from indexer.domain import Pixels
from indexer.images.names import name_colours, name_of
from indexer.images.palette import palette
from service.changes import Change
from service.generate.recolour import recolour
from service.generate.recolouring import Recolouring
from service.generate.seam import Generated, Recipe, Request, Unsuited, Watch
from tests.service.generate.painters import photo

BLUE = Change("colour", "red", "blue")
EVER = Watch(until=float("inf"))


def asked(instruction: str = "but blue", *changes: Change, reference: Pixels | None = None) -> Request:
    return Request(instruction, photo("red") if reference is None else reference, changes or (BLUE,))


def planned(request: Request) -> Recipe:
    (recipe,) = Recolouring().plan(request)
    return recipe


def made(request: Request) -> Generated:
    (picture,) = Recolouring().make(request, [planned(request)], EVER)
    return picture


def main_colour(pixels: Pixels) -> str:
    return next(iter(name_colours(palette(pixels))))


def test_the_picture_is_the_reference_in_the_colour_that_is_asked_for() -> None:
    picture = made(asked())
    assert np.array_equal(picture.pixels, recolour(photo("red"), "blue", "red").pixels)
    assert main_colour(picture.pixels) == "blue"
    assert picture.provenance.gpu_seconds == picture.provenance.dollars == 0


def test_its_recipe_says_from_which_shade_to_which() -> None:
    recipe = planned(asked())
    assert recipe.options["target"] == "blue"
    assert recipe.options["source"] == "red"
    lightness, a, b = map(float, recipe.options["target_lab"].split())
    assert name_of((lightness, a, b)) == "blue"
    assert recipe.size == (32, 32)


@pytest.mark.parametrize(("instruction", "left"), [("light blue collar", "light, collar"), ("but blue", None)])
def test_its_recipe_says_what_was_asked_for_beside_the_colour(instruction: str, left: str | None) -> None:
    assert planned(asked(instruction)).options.get("not_followed") == left


def test_one_is_drawn_however_many_are_wanted() -> None:
    request = Request("but blue", photo("red"), (BLUE,), count=4, seed=7)
    assert planned(request) == planned(asked())


@pytest.mark.parametrize(
    "other",
    [
        asked("but green", Change("colour", "red", "green")),
        asked("but blue", Change("colour", "navy", "blue")),
        asked(reference=photo("black")),
        Request("but blue", photo("red"), (BLUE,), mask=np.eye(32, dtype=bool)),
    ],
    ids=["target", "source", "reference", "mask"],
)
def test_whatever_changes_the_picture_changes_its_id(other: Request) -> None:
    assert planned(other).id != planned(asked()).id


def test_a_colour_by_its_number() -> None:
    picture = made(Request("in #3050a0", photo("red")))
    middle = picture.pixels[16, 16].astype(int)
    assert np.abs(middle - (0x30, 0x50, 0xA0)).max() <= 3


def test_what_else_is_to_change_stays() -> None:
    assert made(asked("in blue wool", BLUE, Change("material", None, "wool"))).pixels.shape == (32, 32, 3)


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (Request("but blue", changes=(BLUE,)), "no photo"),
        (
            Request("in wool", photo("red"), (Change("material", None, "wool"),)),
            "no colour to change to was understood; use a colour's name or #rrggbb",
        ),
        (Request("in heather", photo("red"), (Change("colour", None, "heather"),)), "'heather' is no colour"),
    ],
)
def test_what_it_cannot_draw_it_says(request_: Request, why: str) -> None:
    with pytest.raises(Unsuited, match=why):
        Recolouring().plan(request_)


def test_an_unknown_source_is_whatever_the_product_mainly_shows() -> None:
    assert main_colour(made(asked("but blue", Change("colour", "heather", "blue"))).pixels) == "blue"


@pytest.mark.parametrize("region", ["red", "black", "white"])
def test_of_a_region_only_that_changes_whatever_colour_the_rest_has(region: str) -> None:
    picture = np.concatenate([photo("yellow"), photo(region)], axis=1)
    mask = np.zeros(picture.shape[:2], bool)
    mask[6:-6, 38:-6] = True
    pixels = made(Request("but blue", picture, (Change("colour", None, "blue"),), mask=mask)).pixels
    assert np.array_equal(pixels[~mask], picture[~mask])
    assert main_colour(pixels[:, 32:]) == "blue"


@pytest.mark.parametrize("shade", [(0, 0, 0), (255, 255, 255)])
def test_a_region_is_told_from_its_surroundings_to_the_corners(shade: tuple[int, int, int]) -> None:
    picture, mask = np.full((64, 64, 3), shade, np.uint8), np.zeros((64, 64), bool)
    mask[8:56, 8:56] = True
    pixels = made(Request("but red", picture, (Change("colour", None, "red"),), mask=mask)).pixels
    assert np.array_equal(pixels[~mask], picture[~mask])
    assert np.abs(pixels[mask].astype(int) - pixels[32, 32]).max() <= 2
    assert main_colour(pixels[8:56, 8:56]) == "red"


def test_a_region_may_be_small() -> None:
    """A hundredth of the picture, of a product that is red all over."""
    picture, mask = photo("red", 64), np.zeros((64, 64), bool)
    mask[20:26, 20:27] = True
    pixels = made(Request("but blue", picture, (BLUE,), mask=mask)).pixels
    assert np.array_equal(pixels[~mask], picture[~mask])
    assert (pixels[mask][:, 2] > pixels[mask][:, 0]).all()
