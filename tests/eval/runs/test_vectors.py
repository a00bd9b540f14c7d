"""Query vectors are computed once."""

from pathlib import Path

import numpy as np

from eval.runs.vectors import RememberingEncoder
from tests.fakes import FakeEncoder
from tests.service.worlds import picture


def test_what_was_encoded_once_is_not_encoded_again(tmp_path: Path) -> None:
    inner = FakeEncoder()
    first = RememberingEncoder(inner, tmp_path, batch=2)
    texts, images = ["red", "blue", "red", "green"], [picture("red"), picture("blue")]
    before = first.encode_texts(texts), first.encode_images(images)
    assert (inner.texts, inner.photos) == (["red", "blue", "green"], 2)
    fresh = FakeEncoder()
    second = RememberingEncoder(fresh, tmp_path)
    after = second.encode_texts(texts), second.encode_images(images)
    assert (fresh.texts, fresh.photos) == ([], 0)
    for was, found in zip(before, after, strict=True):
        np.testing.assert_array_equal(was, found)
    np.testing.assert_allclose(before[0], FakeEncoder().encode_texts(texts), atol=1e-3)


def test_another_encoder_has_vectors_of_its_own(tmp_path: Path) -> None:
    RememberingEncoder(FakeEncoder(), tmp_path).encode_texts(["red"])
    other = FakeEncoder(salt="other")
    RememberingEncoder(other, tmp_path).encode_texts(["red"])
    assert other.texts == ["red"]


def test_nothing_to_encode_is_nothing(tmp_path: Path) -> None:
    assert RememberingEncoder(FakeEncoder(), tmp_path).encode_texts([]).shape == (0, 64)
