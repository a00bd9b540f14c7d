"""When one encoder may stand in for another."""

from collections.abc import Sequence

import numpy as np
import pytest

from indexer.domain import Matrix, Pixels
from indexer.encoders import EncoderSpec
from indexer.encoders.exported.agreement import Agreement, agree
from indexer.images.fit import Fit

DIM = 16
PHOTOS = [np.zeros((2, 2, 3), np.uint8)] * 100


class Given:
    """An encoder that knows its answers."""

    spec = EncoderSpec("given", "0", DIM, 8, Fit((2, 2)), "fp32")

    def __init__(self, words: Matrix, photos: Matrix) -> None:
        self._words = words
        self._photos = photos

    def encode_texts(self, texts: Sequence[str]) -> Matrix:
        return self._words[: len(texts)]

    def encode_images(self, images: Sequence[Pixels]) -> Matrix:
        return self._photos[: len(images)]


def rows(seed: int, count: int = 100) -> Matrix:
    drawn = np.random.default_rng(seed).standard_normal((count, DIM)).astype(np.float32)
    unit: Matrix = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return unit


def compared(words: Matrix, photos: Matrix, count: int = 100) -> Agreement:
    """With an encoder whose texts and photos have the same vectors, so that it finds every one."""
    return agree(Given(rows(1), rows(1)), Given(words, photos), ["a text"] * count, PHOTOS[:count])


def test_an_encoder_agrees_with_itself() -> None:
    found = compared(rows(1), rows(1))

    assert found.passes
    assert found.model_dump() == pytest.approx(
        {"cosine_text": 1, "cosine_image": 1, "recall_reference": 1, "recall_candidate": 1}, abs=1e-6
    )


def test_other_vectors_do_not_agree_although_they_find_the_same() -> None:
    found = compared(rows(2), rows(2))

    assert (found.recall_reference, found.recall_candidate) == (1, 1)
    assert not found.passes


def test_the_worst_two_of_a_hundred_texts_count() -> None:
    turned = rows(1)
    turned[:2] = -turned[:2]
    found = compared(turned, rows(1))

    assert found.cosine_image == pytest.approx(1)
    assert found.cosine_text is not None
    assert found.cosine_text < 0
    assert not found.passes


@pytest.mark.parametrize(("lost", "passes"), [(0.004, True), (0.006, False)])
def test_what_is_found_no_more_counts(lost: float, passes: bool) -> None:
    found = Agreement(cosine_text=1, cosine_image=1, recall_reference=0.9, recall_candidate=0.9 - lost)

    assert found.passes is passes


def test_a_few_pairs_say_nothing_of_what_is_found() -> None:
    found = compared(rows(1), rows(1), count=19)

    assert (found.recall_reference, found.recall_candidate) == (None, None)
    assert found.passes


def test_a_sample_without_photos_is_judged_by_its_texts() -> None:
    found = agree(Given(rows(1), rows(1)), Given(rows(1), rows(1)), ["a text"] * 30, [])

    assert (found.cosine_image, found.recall_candidate) == (None, None)
    assert found.passes


def test_vectors_that_are_not_numbers_agree_with_nothing() -> None:
    assert not compared(rows(1), np.full((100, DIM), np.nan, np.float32)).passes
