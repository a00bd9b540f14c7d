"""Words drawn on photos."""

from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from service.overlays.drawing import with_words
from tests.service.worlds import picture

SIDES = st.integers(8, 200)


@given(height=SIDES, width=SIDES, seed=st.integers(0, 1_000))
@settings(max_examples=30, deadline=None)
def test_whatever_its_size_a_photo_keeps_it(height: int, width: int, seed: int) -> None:
    photo = np.full((height, width, 3), 128, np.uint8)

    written = with_words(photo, Random(seed))

    assert (written.shape, written.dtype) == (photo.shape, photo.dtype)
    assert (photo == 128).all(), "the photo itself is written on"
    assert (written != photo).any()


def test_the_same_lot_draws_the_same_and_another_something_else() -> None:
    photo = picture("red", side=128)

    assert np.array_equal(with_words(photo, Random(1)), with_words(photo, Random(1)))
    assert not np.array_equal(with_words(photo, Random(1)), with_words(photo, Random(2)))
