"""Zero-shot classification, against the softmax written out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.domain import Matrix
from indexer.encoders.zero_shot import class_vectors, classify
from tests.fakes import FakeEncoder


def rows(count: int, seed: int, dim: int = 8) -> Matrix:
    drawn = np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)
    unit: Matrix = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return unit


def test_a_class_is_the_unit_mean_of_its_prompts() -> None:
    encoder = FakeEncoder()
    one, two = encoder.encode_texts(["a red mug", "something red"])

    classes = class_vectors(encoder.encode_texts, [["a blue mug"], ["a red mug", "something red"]])

    np.testing.assert_allclose(classes[0], encoder.encode_texts(["a blue mug"])[0], atol=1e-6)
    np.testing.assert_allclose(classes[1], (one + two) / np.linalg.norm(one + two), atol=1e-6)


def test_probabilities_are_the_softmax_of_the_scaled_cosines() -> None:
    photos, classes = rows(3, 1), rows(4, 2)
    powers = np.exp(20.0 * (photos @ classes.T))

    np.testing.assert_allclose(classify(photos, classes, 20.0), powers / powers.sum(axis=1, keepdims=True), rtol=1e-4)


@given(st.integers(0, 5), st.integers(1, 6), st.floats(0.1, 1000), st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_whatever_the_scale_the_nearest_class_is_the_likeliest_and_all_sum_to_one(
    photos: int, classes: int, scale: float, seed: int
) -> None:
    asked, among = rows(photos, seed), rows(classes, seed + 1)
    found = classify(asked, among, scale)

    assert found.shape == (photos, classes)
    assert found.sum(axis=1) == pytest.approx(np.ones(photos), abs=1e-4)
    assert np.array_equal(found[np.arange(photos), (asked @ among.T).argmax(axis=1)], found.max(axis=1, initial=0))
