from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from indexer.images.colour import ciede2000, srgb_to_lab
from indexer.images.foreground import foreground
from indexer.images.names import COLOUR_NAMES, SYNONYMS, colour_named_in, colours_named_in, name_colours, name_of
from indexer.images.palette import Palette, palette
from indexer.showroom.look import COLOURS
from tests.indexer.images.drawn import pixels, studio


def main_name(image: Image.Image) -> str:
    return next(iter(name_colours(palette(pixels(image)))))


@pytest.mark.parametrize("backdrop", [(255, 255, 255), (214, 214, 216), (176, 160, 138)])
@pytest.mark.parametrize("name", [name for name in COLOURS if name not in ("white", "grey")])
def test_a_plain_product_is_called_by_its_colour(name: str, backdrop: tuple[int, int, int]) -> None:
    assert main_name(studio(COLOURS[name], backdrop)) == name


@pytest.mark.parametrize("name", ["white", "grey"])
def test_white_and_grey_products_on_white(name: str) -> None:
    assert main_name(studio(COLOURS[name], (255, 255, 255))) == name


def test_a_product_of_two_colours_has_both_with_their_shares() -> None:
    image = studio(COLOURS["red"])
    ImageDraw.Draw(image).rectangle((40, 110, 160, 165), fill=COLOURS["navy"])
    found = palette(pixels(image))
    assert len(found.colours) == 2
    assert sum(colour.share for colour in found.colours) == pytest.approx(1, abs=1e-3)
    assert found.colours[0].share == pytest.approx(0.58, abs=0.06)
    for colour, name in zip(found.colours, ("red", "navy"), strict=True):
        assert ciede2000(colour.lab, srgb_to_lab(np.array(COLOURS[name], np.uint8))) < 2


def test_at_most_five_colours_each_plainly_another() -> None:
    noise = Image.fromarray(np.random.default_rng(2).integers(0, 256, (120, 120, 3), np.uint8).astype(np.uint8))
    labs = np.array([colour.lab for colour in palette(pixels(noise.resize((300, 300)))).colours])
    assert 1 <= len(labs) <= 5
    apart = ciede2000(labs[:, None], labs[None])
    assert len(labs) == 1 or apart[~np.eye(len(labs), dtype=bool)].min() >= 9.9


def test_the_palette_is_the_same_every_time_and_at_every_size() -> None:
    image = studio(COLOURS["teal"])
    assert palette(pixels(image)) == palette(pixels(image))
    large, small = palette(pixels(image.resize((900, 900)))), palette(pixels(image))
    assert ciede2000(large.colours[0].lab, small.colours[0].lab) < 1


def test_a_shadow_is_no_colour_of_the_product() -> None:
    shade = Image.new("L", (200, 200), 0)
    ImageDraw.Draw(shade).ellipse((60, 140, 195, 185), fill=110)
    image = Image.new("RGB", (200, 200), (225, 225, 227))
    image.paste((40, 40, 44), mask=shade.filter(ImageFilter.GaussianBlur(7)))
    ImageDraw.Draw(image).rectangle((40, 40, 140, 160), fill=COLOURS["orange"])
    assert name_colours(palette(pixels(image)))["orange"] > 0.9


def test_a_gap_in_the_product_shows_the_background() -> None:
    image = studio(COLOURS["black"], (255, 255, 255))
    ImageDraw.Draw(image).ellipse((60, 50, 140, 145), fill=(255, 255, 255))
    weights = foreground(pixels(image.resize((64, 64))))
    assert weights[30, 32] == 0
    assert weights[30, 15] == 1


def test_a_backdrop_with_a_gradient_is_still_a_backdrop() -> None:
    y, x = np.mgrid[0:64, 0:64]
    image = np.stack([235 - 0.6 * y - 0.3 * x] * 3, axis=-1).astype(np.uint8)
    image[20:44, 20:44] = COLOURS["purple"]
    weights = foreground(image)
    assert weights[30, 30] == 1
    assert weights[:16].sum() == weights[-16:].sum() == 0


def _worn(garment: tuple[int, int, int], skin: tuple[int, int, int]) -> Image.Image:
    """Somebody in a shirt: hair, head, arms, shirt, trousers."""
    image = Image.new("RGB", (160, 240), "white")
    draw = ImageDraw.Draw(image)
    draw.ellipse((62, 4, 98, 50), fill=(48, 32, 26))
    draw.ellipse((64, 14, 96, 58), fill=skin)
    draw.rectangle((26, 66, 50, 170), fill=skin)
    draw.rectangle((110, 66, 134, 170), fill=skin)
    draw.rectangle((48, 58, 112, 165), fill=garment)
    draw.rectangle((50, 165, 110, 239), fill=(92, 92, 96))
    return image


@pytest.mark.parametrize("skin", [(232, 190, 168), (198, 140, 108), (112, 70, 50)])
@pytest.mark.parametrize("name", ["blue", "green", "black", "red"])
def test_the_garment_wins_over_the_person(name: str, skin: tuple[int, int, int]) -> None:
    shares = name_colours(palette(pixels(_worn(COLOURS[name], skin))))
    assert next(iter(shares)) == name
    assert shares[name] > 0.6


@pytest.mark.parametrize("colour", [(150, 100, 66), (198, 140, 108)])
def test_leather_is_not_taken_for_skin(colour: tuple[int, int, int]) -> None:
    image = studio(colour)
    ImageDraw.Draw(image).rectangle((90, 90, 110, 110), fill=(30, 30, 30))
    weights = foreground(pixels(image.resize((64, 64))))
    assert weights[24, 20] == 1


def test_a_busy_picture_falls_back_to_its_middle() -> None:
    noise = np.random.default_rng(5).integers(0, 256, (64, 96, 3), np.uint8).astype(np.uint8)
    weights = foreground(noise)
    assert weights[32, 48] == 1
    assert weights[0, 0] < 0.01


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (5, 5), (64, 3), (3, 64), (64, 64)])
@pytest.mark.parametrize(
    "paint", [lambda shape: np.zeros((*shape, 3), np.uint8), lambda shape: np.full((*shape, 3), 255, np.uint8)]
)
def test_a_picture_of_one_colour_or_almost_no_size_has_a_palette(
    shape: tuple[int, int], paint: Callable[[tuple[int, int]], "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]"]
) -> None:
    image = paint(shape)
    assert foreground(image).max() > 0
    assert palette(image).colours[0].share == 1


def test_names_are_the_showroom_s_and_every_synonym_leads_to_one() -> None:
    assert set(COLOUR_NAMES) == set(COLOURS)
    assert set(SYNONYMS.values()) == set(COLOUR_NAMES)
    assert not set(SYNONYMS) & set(COLOUR_NAMES)
    for word, name in SYNONYMS.items():
        assert colour_named_in(f"a {word} thing") == name


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((220, 20, 60), "red"),
        ((128, 0, 0), "red"),
        ((64, 224, 208), "teal"),
        ((0, 0, 128), "navy"),
        ((65, 105, 225), "blue"),
        ((135, 206, 235), "blue"),
        ((34, 139, 34), "green"),
        ((152, 251, 152), "green"),
        ((85, 107, 47), "green"),
        ((255, 192, 203), "pink"),
        ((199, 21, 133), "pink"),
        ((128, 0, 128), "purple"),
        ((230, 230, 250), "white"),
        ((255, 165, 0), "orange"),
        ((255, 215, 0), "yellow"),
        ((139, 69, 19), "brown"),
        ((210, 180, 140), "beige"),
        ((245, 245, 220), "white"),
        ((105, 105, 105), "grey"),
        ((192, 192, 192), "grey"),
    ],
)
def test_well_known_colours_have_their_names(rgb: tuple[int, int, int], name: str) -> None:
    lightness, a, b = srgb_to_lab(np.array(rgb, np.uint8)).tolist()
    assert name_of((lightness, a, b)) == name


@pytest.mark.parametrize("name", [name for name in COLOURS if name not in ("white", "grey", "black")])
@pytest.mark.parametrize("light", [0.75, 1.08])
def test_shading_does_not_change_the_name(name: str, light: float) -> None:
    """White in the shade is grey, and black in the sun: those are left out."""
    shaded = np.clip(np.array(COLOURS[name]) * light, 0, 255).astype(np.uint8)
    lightness, a, b = srgb_to_lab(shaded).tolist()
    assert name_of((lightness, a, b)) == name


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("like this but blue", ("blue",)),
        ("Navy-Blue hoodie", ("navy",)),
        ("light  blue and GRAY striped", ("blue", "grey")),
        ("crimson, violet or turquoise", ("red", "purple", "teal")),
        ("off-white dress", ("white",)),
        ("redwood blackboard, greenhouse", ()),
        ("a black/white/black scarf", ("black", "white")),
        ("", ()),
    ],
)
def test_colour_words_in_a_query(text: str, names: tuple[str, ...]) -> None:
    assert colours_named_in(text) == names
    assert colour_named_in(text) == (names[0] if names else None)


def test_an_empty_palette_has_no_names() -> None:
    assert name_colours(Palette(())) == {}
