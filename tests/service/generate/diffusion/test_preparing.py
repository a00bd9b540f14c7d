"""References, regions and words in the sizes that pipelines take."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.generate.diffusion.preparing import cut, product_region, size_of, sized, sized_mask
from service.generate.diffusion.table import PIPELINES, Known
from service.generate.diffusion.weights import located
from service.generate.seam import LEAST_SIDE, Unsuited
from tests.service.generate.diffusion.worlds import asked, product

ROWS = st.sampled_from(list(PIPELINES.values()))
SIDES = st.integers(1, 3000)
SMALL = st.integers(1, 60)
SIZES = st.tuples(st.integers(8, 20), st.integers(8, 20)).map(lambda steps: (steps[0] * 8, steps[1] * 8))


@given(height=SIDES, width=SIDES, row=ROWS, most=st.integers(8, 256).map(lambda steps: steps * 8))
def test_a_size_is_one_that_the_row_draws_and_the_settings_allow(
    height: int, width: int, row: Known, most: int
) -> None:
    size = size_of(asked(reference=np.zeros((height, width, 3), np.uint8), size=None), row, most)

    assert all(side % row.multiple == 0 and LEAST_SIDE <= side <= most for side in size)


@given(height=st.integers(300, 3000), width=st.integers(300, 3000), row=ROWS)
def test_a_size_has_the_references_shape_and_the_side_that_the_row_was_trained_for(
    height: int, width: int, row: Known
) -> None:
    size = size_of(asked(reference=np.zeros((height, width, 3), np.uint8), size=None), row, 1536)

    assert max(size) == row.side
    assert size[0] / size[1] == pytest.approx(width / height, rel=row.multiple / min(size))


def test_without_a_reference_a_picture_is_square_and_as_large_as_allowed() -> None:
    assert size_of(asked(reference=None, size=None), PIPELINES["sdxl-text"], 1536) == (1024, 1024)
    assert size_of(asked(reference=None, size=None), PIPELINES["sdxl-text"], 768) == (768, 768)
    assert size_of(asked(reference=None, size=None), PIPELINES["sdxl-turbo"], 768) == (512, 512)


def test_a_size_that_was_asked_for_is_kept_or_refused() -> None:
    row = PIPELINES["sdxl-text"]

    assert size_of(asked(size=(640, 72)), row, 1536) == (640, 72)
    with pytest.raises(Unsuited, match="at most 1536 pixels here, not 1544"):
        size_of(asked(size=(64, 1544)), row, 1536)
    with pytest.raises(Unsuited, match="multiples of 16"):
        size_of(asked(size=(64, 72)), PIPELINES["flux-schnell"], 1536)


@given(height=SMALL, width=SMALL, size=SIZES)
def test_a_reference_fills_the_size_and_goes_on_as_its_edges(height: int, width: int, size: tuple[int, int]) -> None:
    plain = np.full((height, width, 3), (9, 99, 199), np.uint8)

    shown = sized(plain, size)

    assert shown.shape == (size[1], size[0], 3)
    assert (shown == plain[0, 0]).all()


def test_a_reference_of_another_shape_is_not_bent() -> None:
    square = product(60, 60)

    shown = sized(square, (128, 64))

    assert np.array_equal(shown[:, 32:96], sized(square, (64, 64)))


@given(height=SMALL, width=SMALL, size=SIZES)
def test_a_region_lies_on_the_picture_as_it_lay_on_the_reference(
    height: int, width: int, size: tuple[int, int]
) -> None:
    picture, region = (
        sized(np.zeros((height, width, 3), np.uint8), size),
        sized_mask(np.ones((height, width), bool), size),
    )

    assert region.shape == picture.shape[:2]
    rows, columns = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
    inner = (len(columns), len(rows))
    assert region.sum() == inner[0] * inner[1]
    assert inner[0] == size[0] or inner[1] == size[1]


def test_the_products_region_holds_all_of_it_and_leaves_the_backdrop() -> None:
    pixels = np.full((200, 200, 3), 245, np.uint8)
    pixels[60:140, 60:140] = (30, 60, 120)

    region = product_region(pixels)

    assert region[60:140, 60:140].all()
    assert not region[:40].any()
    assert not region[:, 160:].any()


def test_a_picture_without_a_product_may_change_somewhere() -> None:
    assert product_region(np.full((64, 64, 3), 255, np.uint8)).any()


@given(words=st.lists(st.text("abcxyz,", min_size=1, max_size=12), max_size=40))
def test_a_prompt_is_cut_between_words_where_the_text_encoder_stops_reading(sdxl: Path, words: list[str]) -> None:
    """The tiny tokenizer has a token for each letter, so length is easily told."""
    prompt = " ".join(words)
    row, weights = PIPELINES["sdxl-text"], located(str(sdxl))

    kept, left_out = cut(prompt, weights, sdxl / row.tokenizer, row)

    assert prompt.split() == [*kept.split(), *left_out.split()]
    assert len(kept.replace(" ", "")) <= row.tokens - 2 or not left_out


def test_a_word_that_is_too_long_is_cut_within(sdxl: Path) -> None:
    kept, left_out = cut("x" * 100, located(str(sdxl)), sdxl / "tokenizer", PIPELINES["sdxl-text"])

    assert (kept, left_out) == ("x" * 75, "x" * 25)
