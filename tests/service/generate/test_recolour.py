from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from indexer.domain import Pixels
from indexer.errors import UnknownColour
from indexer.images.colour import ciede2000, srgb_to_lab
from indexer.images.names import COLOUR_NAMES, name_colours, name_of, typical_shade
from indexer.images.palette import palette
from indexer.showroom.look import COLOURS, Look
from indexer.showroom.render import studio as photographed
from service.generate.recolour import recolour
from tests.indexer.images.drawn import pixels, studio


@cache
def mug(colour: str) -> Pixels:
    return photographed(Look("mug", 0, colour, "white", "plain", "ceramic"), "front", 192)


def names(picture: Pixels) -> list[str]:
    return list(name_colours(palette(picture)))


def lightness(picture: Pixels) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return srgb_to_lab(picture)[..., 0]


@pytest.mark.parametrize("target", COLOUR_NAMES)
def test_a_product_gets_every_colour_that_has_a_name(target: str) -> None:
    assert target in names(recolour(mug("red"), target).pixels)


@pytest.mark.parametrize(("source", "target"), [("red", "blue"), ("black", "red"), ("blue", "red")])
def test_a_recoloured_product_looks_like_the_one_made_in_that_colour(source: str, target: str) -> None:
    made, before = (palette(mug(colour)).colours[0].lab for colour in (target, source))
    after = palette(recolour(mug(source), target).pixels).colours[0].lab
    assert ciede2000(after, made) < 0.4 * ciede2000(before, made)


def test_light_and_shade_stay_where_they_were() -> None:
    photo = mug("red")
    result = recolour(photo, "green")
    product = (result.pixels != photo).any(axis=-1)
    assert np.corrcoef(lightness(photo)[product], lightness(result.pixels)[product])[0, 1] > 0.95


@pytest.mark.parametrize("second", ["navy", "orange"])
def test_only_the_main_colour_of_a_pattern_changes(second: str) -> None:
    image = studio(COLOURS["red"])
    ImageDraw.Draw(image).rectangle((60, 110, 140, 140), fill=COLOURS[second])
    result = recolour(pixels(image), "green").pixels
    assert names(result) == ["green", second]
    assert np.abs(result[125, 100].astype(int) - COLOURS[second]).max() <= 2


def test_a_named_source_says_which_colour_of_a_pattern_changes() -> None:
    image = studio(COLOURS["red"])
    ImageDraw.Draw(image).rectangle((60, 110, 140, 140), fill=COLOURS["navy"])
    result = recolour(pixels(image), "yellow", "navy")
    assert names(result.pixels) == ["red", "yellow"]
    assert name_of(result.source) == "navy"


def test_the_backdrop_stays() -> None:
    for backdrop in ((250, 250, 250), (200, 40, 45)):
        image = studio((205, 45, 60), backdrop)
        result = recolour(pixels(image), "blue").pixels
        np.testing.assert_array_equal(result[:20], pixels(image)[:20])


def test_what_was_moved_and_from_where_to_where_is_told() -> None:
    result = recolour(pixels(studio(COLOURS["red"])), "#326ccc")
    assert name_of(result.source) == "red"
    assert ciede2000(result.target, srgb_to_lab(np.array([0x32, 0x6C, 0xCC], np.uint8))) < 0.01
    assert 0.3 < result.changed < 0.5


def test_other_words_for_a_colour_are_understood() -> None:
    assert recolour(mug("red"), "Navy-Blue").target == typical_shade("navy")
    assert recolour(mug("red"), "326CCC").target == recolour(mug("red"), "#326ccc").target


@pytest.mark.parametrize("words", ["", "striped", "#12345", "#gggggg", "a" * 10_000, "\x00", "#1234567"])
def test_what_is_no_colour_is_refused(words: str) -> None:
    with pytest.raises(UnknownColour, match="use one of black, white"):
        recolour(mug("red"), words)
    with pytest.raises(UnknownColour):
        recolour(mug("red"), "blue", words)


@pytest.mark.parametrize("name", COLOUR_NAMES)
def test_the_typical_shade_of_a_colour_has_its_name(name: str) -> None:
    assert name_of(typical_shade(name)) == name


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from(COLOUR_NAMES), st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_any_picture_can_be_recoloured_always_alike(height: int, width: int, target: str, seed: int) -> None:
    picture = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
    first, again = recolour(picture, target), recolour(picture, target)
    assert first.pixels.shape == picture.shape
    assert first.pixels.dtype == np.uint8
    assert 0 <= first.changed <= 1
    np.testing.assert_array_equal(first.pixels, again.pixels)


def test_one_colour_all_over_has_nothing_to_tell_apart() -> None:
    assert recolour(pixels(Image.new("RGB", (64, 64), (200, 37, 42))), "blue").pixels.shape == (64, 64, 3)


SKINS = ((236, 196, 170), (226, 176, 150), (206, 150, 116), (190, 140, 96))
"""Of one person in different light: skin is of many hues."""
HAIR = EYES = (28, 26, 28)


def somebody(top: tuple[int, int, int], trousers: tuple[int, int, int] = (60, 70, 130), hem: int = 250) -> Image.Image:
    """A head with hair, eyes and mouth, folded arms across the top, trousers below its hem, and skin in rows."""
    skin = Image.new("RGB", (200, 300))
    for row in range(0, 300, 6):
        ImageDraw.Draw(skin).rectangle((0, row, 200, row + 5), fill=SKINS[row // 6 % len(SKINS)])
    image = Image.new("RGB", (200, 300), (252, 252, 252))
    draw = ImageDraw.Draw(image)
    draw.rectangle((60, 95, 140, 299), fill=trousers)
    draw.rectangle((60, 95, 140, hem), fill=top)
    draw.ellipse((75, 10, 125, 60), fill=HAIR)
    bare = Image.new("L", image.size)
    for box in ((75, 28, 125, 92), (36, 100, 56, 190), (144, 100, 164, 190), (36, 165, 164, 190)):
        ImageDraw.Draw(bare).rectangle(box, fill=255)
    image.paste(skin, mask=bare)
    for box in ((83, 42, 93, 48), (107, 42, 117, 48), (90, 70, 110, 76)):
        draw.rectangle(box, fill=EYES)
    return image


def moved(photo: Pixels, result: Pixels) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    return np.asarray(np.abs(photo.astype(int) - result).max(axis=-1) > 12)


@pytest.mark.parametrize("top", ["black", "red", "orange", "white"])
def test_who_wears_the_product_keeps_hair_eyes_mouth_and_skin(top: str) -> None:
    photo = pixels(somebody(COLOURS[top]))
    changed = moved(photo, recolour(photo, "purple", top).pixels)
    assert not changed[:88].any()
    assert not changed[172:184, 62:138].any()


@pytest.mark.parametrize("top", ["black", "red", "orange"])
def test_a_worn_product_is_dyed_down_to_the_hem_below_folded_arms_too(top: str) -> None:
    photo = pixels(somebody(COLOURS[top], hem=290))
    result = recolour(photo, "green", top).pixels
    assert moved(photo, result)[104:155, 66:134].all()
    assert moved(photo, result)[200:284, 66:134].all()
    assert ciede2000(srgb_to_lab(result[284, 100]), srgb_to_lab(result[130, 100])) < 2


def test_dark_trousers_are_no_shade_of_a_pale_top() -> None:
    photo = pixels(somebody((245, 240, 160), (26, 24, 24)))
    assert not moved(photo, recolour(photo, "white", "yellow").pixels)[262:].any()


def test_an_upright_product_with_parts_of_the_colour_of_skin_is_nobody() -> None:
    image = Image.new("RGB", (200, 300), (252, 252, 252))
    ImageDraw.Draw(image).rectangle((70, 30, 130, 270), fill=COLOURS["navy"])
    ImageDraw.Draw(image).rectangle((70, 30, 130, 60), fill=(190, 140, 100))
    ImageDraw.Draw(image).rectangle((70, 240, 130, 270), fill=(190, 140, 100))
    ImageDraw.Draw(image).rectangle((90, 44, 110, 50), fill=COLOURS["navy"])
    photo = pixels(image)
    assert moved(photo, recolour(photo, "red", "navy").pixels)[47, 100]
