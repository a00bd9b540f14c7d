from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.remembering import RememberingEncoder, What
from tests.fakes import FakeEncoder
from tests.service.worlds import picture


@dataclass
class Counts:
    """Vectors by what they are of and whether they were remembered."""

    seen: Counter[tuple[What, bool]] = field(default_factory=Counter)

    def add(self, what: What, hits: int, misses: int) -> None:
        self.seen[what, True] += hits
        self.seen[what, False] += misses


@pytest.fixture
def inner() -> FakeEncoder:
    return FakeEncoder()


@pytest.fixture
def counts() -> Counts:
    return Counts()


@pytest.fixture
def encoder(inner: FakeEncoder, counts: Counts) -> RememberingEncoder:
    return RememberingEncoder(inner, 100, counts.add)


def test_words_are_encoded_once(inner: FakeEncoder, encoder: RememberingEncoder, counts: Counts) -> None:
    first, again = encoder.encode_texts(["red mug"]), encoder.encode_texts(["red mug"])
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first, FakeEncoder().encode_texts(["red mug"]))
    assert inner.texts == ["red mug"]
    assert counts.seen == {("text", False): 1, ("text", True): 1}


def test_photos_are_told_apart_by_every_pixel_and_by_shape(
    inner: FakeEncoder, encoder: RememberingEncoder, counts: Counts
) -> None:
    photo = picture("red")
    other = photo.copy()
    other[0, 0, 0] ^= 1
    encoder.encode_images([photo, other, photo.copy(), photo.reshape(photo.shape[0] * 2, -1, 3)])
    assert inner.photos == 3
    encoder.encode_images([np.asfortranarray(photo)])
    assert inner.photos == 3
    assert counts.seen == {("photo", False): 3, ("photo", True): 2}


def test_only_what_is_missing_of_a_batch_is_encoded_and_the_order_stays(
    inner: FakeEncoder, encoder: RememberingEncoder
) -> None:
    encoder.encode_texts(["a", "b"])
    rows = encoder.encode_texts(["c", "a", "d", "c", "b"])
    np.testing.assert_array_equal(rows, FakeEncoder().encode_texts(["c", "a", "d", "c", "b"]))
    assert inner.texts == ["a", "b", "c", "d"]


def test_equal_words_and_case_matter_letter_for_letter(inner: FakeEncoder, encoder: RememberingEncoder) -> None:
    encoder.encode_texts(["Mug", "mug", "mug ", "\ud800"])
    assert inner.texts == ["Mug", "mug", "mug ", "\ud800"]


def test_the_vectors_used_longest_ago_are_forgotten(inner: FakeEncoder, counts: Counts) -> None:
    encoder = RememberingEncoder(inner, 2, counts.add)
    for words in ("a", "b", "a", "c", "a", "b"):
        encoder.encode_texts([words])
    assert inner.texts == ["a", "b", "c", "b"]


def test_a_memory_of_nothing_still_answers(inner: FakeEncoder, counts: Counts) -> None:
    encoder = RememberingEncoder(inner, 0, counts.add)
    assert encoder.encode_texts(["a", "a", "b"]).shape == (3, inner.spec.dim)
    encoder.encode_texts(["a"])
    assert inner.texts == ["a", "b", "a"]


def test_who_changes_an_answer_changes_no_later_one(encoder: RememberingEncoder) -> None:
    encoder.encode_texts(["mug"])[:] = 0
    answer = encoder.encode_texts(["mug"])
    answer[:] = 0
    np.testing.assert_array_equal(encoder.encode_texts(["mug"]), FakeEncoder().encode_texts(["mug"]))


def test_nothing_to_encode_is_no_row(inner: FakeEncoder, encoder: RememberingEncoder) -> None:
    assert encoder.encode_texts([]).shape == encoder.encode_images([]).shape == (0, inner.spec.dim)
    assert encoder.spec == inner.spec


def test_many_threads_get_what_they_asked_for(inner: FakeEncoder, counts: Counts) -> None:
    encoder = RememberingEncoder(inner, 5, counts.add)
    asked = [[f"word {(n * step) % 11}" for step in (1, 2, 3)] for n in range(200)]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(encoder.encode_texts, asked))
    expected = FakeEncoder()
    for words, rows in zip(asked, answers, strict=True):
        np.testing.assert_array_equal(rows, expected.encode_texts(words))


@given(st.lists(st.lists(st.sampled_from("abcdef"), max_size=6), max_size=8), st.integers(0, 6))
@settings(max_examples=40, deadline=None)
def test_what_is_remembered_never_shows_in_an_answer(batches: list[list[str]], size: int) -> None:
    counts = Counts()
    encoder, plain = RememberingEncoder(FakeEncoder(dim=4), size, counts.add), FakeEncoder(dim=4)
    for batch in batches:
        np.testing.assert_array_equal(encoder.encode_texts(batch), plain.encode_texts(batch))
    assert counts.seen.total() == sum(len(batch) for batch in batches)
