from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest

from indexer.domain import Matrix, Pixels, Spread
from indexer.encoders import Encoder, open_encoder
from indexer.showroom.look import Look
from indexer.showroom.render import studio as rendered
from service.changes import Change
from service.generate.judging import Judged, Jury, judge
from service.generate.recolour import recolour
from service.generate.seam import Generated
from service.search.edits import changed_directions
from tests.fakes import FakeEncoder
from tests.service.generate.painters import BACKDROP, drawn, photo, recipe

BLUE = Change("colour", "red", "blue")
ALIKE = Spread(mean=0.3, deviation=0.2)


class Eyes(FakeEncoder):
    """Sees the colour in the middle of a photo, and what it shows: a photo of another width shows another thing."""

    calls = 0

    def encode_images(self, images: Sequence[Pixels]) -> Matrix:
        self.calls += 1
        colours = super().encode_images(images)
        things = np.array([self.word(f"thing of {image.shape[1]}") for image in images])
        seen = colours + 2 * things
        return np.asarray(seen / np.linalg.norm(seen, axis=1, keepdims=True), np.float32)


def pictures(*shown: Pixels) -> list[Generated]:
    return [drawn(recipe(seed), pixels) for seed, pixels in enumerate(shown)]


def jury(change: Change | None = BLUE, caption: str | None = None, alike: Spread = ALIKE) -> Jury:
    eyes = Eyes()
    changed = changed_directions([BLUE], {}, eyes, 64)
    words = None if caption is None else eyes.encode_texts([caption])[0]
    return Jury(eyes, eyes.encode_images([photo("red")])[0], words, changed, change, alike)


def judged(shown: Pixels, by: Jury | None = None, reference: Pixels | None = None) -> Judged:
    (one,) = judge(pictures(shown), by or jury(), photo("red") if reference is None else reference)
    return one


def with_print(colour: str, second: tuple[int, int, int] | str, share: float) -> Pixels:
    """The product's upper rows are of a second colour."""
    pixels = photo(colour, 64)
    rows = round(32 * share)
    pixels[16 : 16 + rows, 16:48] = photo(second, 64)[32, 32]
    return pixels


def test_the_same_thing_in_the_colour_asked_for_fits() -> None:
    one = judged(photo("blue"))
    assert one.scores.fit
    assert one.scores.why == ""
    assert one.scores.identity is not None
    assert one.scores.identity > 0.9
    assert one.scores.colour is not None
    assert one.scores.colour < 15
    assert one.vector.shape == (64,)


@pytest.mark.parametrize("colour", ["red", "green", "black"])
def test_another_colour_does_not(colour: str) -> None:
    scores = judged(photo(colour)).scores
    assert (scores.fit, scores.why) == (False, f"it is mainly {colour}, and no more blue than before")
    assert scores.colour is not None
    assert scores.colour > 20


def test_another_thing_does_not() -> None:
    assert judged(photo("blue", 48)).scores.why == "it shows another thing than the reference"


def test_both_are_said() -> None:
    scores = judged(photo("green", 48)).scores
    assert scores.why == ("it is mainly green, and no more blue than before; it shows another thing than the reference")


def test_what_the_reference_has_of_the_colour_already_does_not_count() -> None:
    by = Jury(Eyes(), None, None, np.empty((0, 64), np.float32), BLUE)
    reference = with_print("red", "blue", 0.4)
    assert not judged(reference, by, reference).scores.fit
    assert judged(with_print("red", "blue", 0.4), by).scores.fit
    assert judged(with_print("red", "blue", 0.8), by, reference).scores.fit


def test_what_was_blue_before_is_blue_enough() -> None:
    by = Jury(Eyes(), None, None, np.empty((0, 64), np.float32), BLUE)
    assert judged(photo("blue"), by, photo("blue")).scores.fit


@pytest.mark.parametrize("target", ["#1e3cc8", "blue"])
def test_what_nearly_had_the_shade_before_need_not_gain_it(target: str) -> None:
    """Four fifths of it are of the shade already; of three tenths that does not hold."""
    shade = (30, 60, 200) if target.startswith("#") else (42, 104, 200)
    shown = with_print("red", shade, 0.8)
    by = Jury(Eyes(), None, None, np.empty((0, 64), np.float32), Change("colour", None, target))
    assert judged(shown, by, shown).scores.fit
    assert not judged(with_print("red", shade, 0.3), by, with_print("red", shade, 0.3)).scores.fit


def test_what_is_not_wanted_must_be_gone() -> None:
    by = Jury(Eyes(), None, None, np.empty((0, 64), np.float32), refused="red")
    still = judged(with_print("red", "white", 0.4), by).scores
    assert (still.fit, still.why) == (False, "it is still red")
    assert judged(with_print("green", "red", 0.4), by).scores.fit


def test_a_colour_that_is_to_go_and_has_not_is_told_once() -> None:
    by = Jury(Eyes(), None, None, np.empty((0, 64), np.float32), BLUE, refused="red")
    assert judged(photo("red"), by).scores.why == "it is mainly red, and no more blue than before"
    assert judged(with_print("red", "blue", 0.4), by).scores.why == "it is still red"


@pytest.mark.parametrize(("target", "fits"), [("#1e3cc8", True), ("#1e3c50", False)])
def test_a_colour_by_its_number_must_be_near_not_of_the_same_name(target: str, fits: bool) -> None:
    assert judged(photo((30, 60, 200)), jury(Change("colour", None, target))).scores.fit is fits


def test_a_colour_that_nobody_knows_is_not_judged() -> None:
    scores = judged(photo("green"), jury(Change("colour", "red", "heather"))).scores
    assert (scores.fit, scores.colour) == (True, None)


def test_of_a_change_of_something_else_the_colour_is_not_judged() -> None:
    scores = judged(photo("green"), jury(None)).scores
    assert (scores.fit, scores.colour) == (True, None)


def test_what_there_is_nothing_to_measure_by_is_not_measured() -> None:
    by = Jury(Eyes(), None, None, np.empty((0, 64), np.float32))
    (one,) = judge(pictures(photo("green", 48)), by, None)
    assert one.scores.model_dump() == {"caption": None, "identity": None, "colour": None, "fit": True, "why": ""}


def test_a_spread_that_says_nothing_asks_for_no_more_than_likeness() -> None:
    by = jury(alike=Spread(mean=0, deviation=1))
    assert judged(photo("blue"), by).scores.fit
    assert not judged(photo("blue", 48), by).scores.fit


def test_the_best_is_nearest_to_the_words_and_the_reference_and_the_unfit_are_last() -> None:
    by = jury(Change("colour", "red", "blue"), caption="blue thing")
    shown = pictures(photo("green"), photo("blue", 48), photo("blue"), photo((60, 90, 240)))
    best, second, *unfit = judge(shown, by, photo("red"))
    assert {best.picture.id, second.picture.id} == {shown[2].id, shown[3].id}
    assert [one.scores.fit for one in (best, second, *unfit)] == [True, True, False, False]
    merits = [(one.scores.caption or 0) + (one.scores.identity or 0) / ALIKE.deviation for one in (best, second)]
    assert merits == sorted(merits, reverse=True)


def test_what_does_not_fit_is_last_however_near_it_comes() -> None:
    by = jury(caption="green green thing")
    right, wrong = judge(pictures(photo("green"), photo("blue")), by, photo("red"))
    assert (right.scores.fit, wrong.scores.fit) == (True, False)
    assert right.scores.caption is not None
    assert wrong.scores.caption is not None
    assert wrong.scores.caption > right.scores.caption


def test_all_are_seen_at_once() -> None:
    by = jury()
    assert isinstance(by.encoder, Eyes)
    before = by.encoder.calls
    judge(pictures(photo("blue"), photo("red"), photo("green")), by, photo("red"))
    assert by.encoder.calls == before + 1


def test_of_no_pictures_there_is_nothing_to_say() -> None:
    assert judge([], jury(), None) == ()


def test_which_were_there_already_is_told() -> None:
    shown = pictures(photo("blue"), photo("blue"))
    assert {one.picture.id: one.cached for one in judge(shown, jury(), None, frozenset([shown[1].id]))} == {
        shown[0].id: False,
        shown[1].id: True,
    }


@pytest.mark.parametrize("side", [64, 128])
def test_of_a_region_the_colour_is_looked_for_there_alone(side: int) -> None:
    """A fiftieth of the product; the picture may be larger than its reference."""
    mask = np.zeros((64, 64), bool)
    mask[20:24, 20:26] = True
    scale = side // 64
    changed = photo("red", side)
    changed[20 * scale : 24 * scale, 20 * scale : 26 * scale] = photo("blue")[16, 16]
    by = Jury(Eyes(), None, None, np.empty((0, 64), np.float32), BLUE)
    reference = photo("red", 64)
    assert judge(pictures(changed), by, reference, mask=mask)[0].scores.fit
    assert not judge(pictures(changed), by, reference)[0].scores.fit
    assert not judge(pictures(photo("red", side)), by, reference, mask=mask)[0].scores.fit


def test_an_empty_picture_is_no_blue_one() -> None:
    assert not judged(np.full((32, 32, 3), BACKDROP, np.uint8)).scores.fit


@pytest.fixture(scope="module")
def showroom() -> Encoder:
    return open_encoder("showroom")


THINGS = ("mug", "lamp", "chair", "t-shirt", "backpack", "sneaker")


@cache
def taken(thing: str, colour: str) -> Pixels:
    return rendered(Look(thing, 0, colour, "white", "plain", "ceramic"), "front", 128)


@pytest.mark.parametrize(("thing", "other"), list(zip(THINGS, THINGS[1:] + THINGS[:1], strict=True)))
def test_the_showrooms_encoder_tells_what_fits_from_what_does_not(thing: str, other: str, showroom: Encoder) -> None:
    red, blue, green, another = taken(thing, "red"), taken(thing, "blue"), taken(thing, "green"), taken(other, "blue")
    changed = changed_directions([BLUE], {}, showroom, showroom.spec.dim)
    of_the_whole_showroom = Spread(mean=0.34, deviation=0.2)
    by = Jury(showroom, showroom.encode_images([red])[0], None, changed, BLUE, of_the_whole_showroom)
    shown = pictures(recolour(red, "blue", "red").pixels, blue, red, green, another)
    fits = {one.picture.id: one.scores.fit for one in judge(shown, by, red)}
    assert [fits[one.id] for one in shown] == [True, True, False, False, False]
