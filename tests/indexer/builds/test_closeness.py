"""When an answer is close: catalogues of clusters whose cosines are known."""

from collections.abc import Sequence

import numpy as np
import pytest

from indexer.builds.closeness import FEWEST, measure_closeness
from indexer.builds.spreads import Sample, SampleQueries
from indexer.domain import Channel, Closeness, Matrix, QueryKind, Spread

DIM = 48
KINDS = 6
EACH = 10
NONE = np.zeros((0, DIM), np.float32)
UNTOLD = Spread(mean=0.0, deviation=0.1)


def near(vectors: Matrix, noise: float, seed: int) -> Matrix:
    """Unit rows at a cosine of about 1/√(1 + noise²) to the given ones."""
    drawn = np.random.default_rng(seed).standard_normal(vectors.shape) * noise / np.sqrt(DIM)
    moved = vectors + drawn
    rows: Matrix = (moved / np.linalg.norm(moved, axis=1, keepdims=True)).astype(np.float32)
    return rows


CENTRES: Matrix = np.eye(DIM, dtype=np.float32)[:KINDS]
PHOTOS = near(np.repeat(CENTRES, EACH, axis=0), 0.5, 1)
TEXTS = near(PHOTOS, 0.3, 2)
CATEGORIES = [(f"kind {number // EACH}",) for number in range(KINDS * EACH)]
ONE = [("things",)] * len(CATEGORIES)
QUERIES = SampleQueries(near(TEXTS, 0.3, 3), ["red mug"] * len(TEXTS), np.arange(len(TEXTS)))


def measured(
    photos: Matrix = PHOTOS,
    seconds: Matrix = NONE,
    queries: SampleQueries = QUERIES,
    categories: Sequence[tuple[str, ...]] = CATEGORIES,
) -> dict[QueryKind, Closeness]:
    rows = len(categories)
    sample = Sample(photos[:rows], TEXTS[:rows], ["red mug"] * rows)
    return measure_closeness(sample, seconds, queries, categories, UNTOLD)


def test_a_photo_of_another_kind_is_not_close_and_one_of_a_kind_that_is_sold_is() -> None:
    least = measured()[QueryKind.PHOTO].least[Channel.IMAGE]
    foreign = near(np.repeat(np.eye(DIM, dtype=np.float32)[KINDS : 2 * KINDS], EACH, axis=0), 0.5, 4)
    known = near(np.repeat(CENTRES, EACH, axis=0), 0.5, 5)
    assert np.mean((foreign @ PHOTOS.T).max(axis=1) < least) >= 0.8
    assert np.mean((known @ PHOTOS.T).max(axis=1) < least) <= 0.05


def test_second_photos_that_look_otherwise_lower_what_a_photo_needs() -> None:
    unlike = near(PHOTOS, 1.5, 6)
    lowered, before = (measured(seconds=seconds, categories=ONE)[QueryKind.PHOTO].least for seconds in (unlike, NONE))
    assert lowered[Channel.IMAGE] < before[Channel.IMAGE]


def test_a_few_second_photos_say_nothing() -> None:
    unlike = near(PHOTOS, 1.5, 6)[: FEWEST - 1]
    assert measured(seconds=unlike, categories=ONE) == measured(categories=ONE)


def test_a_mixture_of_photos_is_not_measured_by_what_one_needs() -> None:
    assert QueryKind.PHOTOS not in measured()


def test_a_twentieth_of_what_shoppers_type_for_the_catalogue_is_below_either_threshold() -> None:
    least = measured()[QueryKind.TEXT].least
    assert np.mean((QUERIES.vectors @ TEXTS.T).max(axis=1) < least[Channel.TEXT]) == pytest.approx(0.05, abs=0.01)
    assert np.mean((QUERIES.vectors @ PHOTOS.T).max(axis=1) < least[Channel.IMAGE]) == pytest.approx(0.05, abs=0.01)


def test_titles_that_do_not_say_what_the_photos_show_give_no_measure_of_words() -> None:
    """A folder of pictures: the words are file names."""
    elsewhere = near(np.repeat(np.eye(DIM, dtype=np.float32)[-1:], len(TEXTS), axis=0), 0.3, 7)
    found = measured(queries=SampleQueries(elsewhere, QUERIES.words, QUERIES.owners))
    assert QueryKind.TEXT not in found
    assert QueryKind.PHOTO in found


def test_without_photos_the_texts_alone_are_measured() -> None:
    found = measured(photos=np.zeros_like(PHOTOS))
    assert set(found) == {QueryKind.TEXT}
    assert set(found[QueryKind.TEXT].least) == {Channel.TEXT}


def test_a_catalogue_of_one_category_is_measured_by_its_products() -> None:
    least = measured(categories=ONE)[QueryKind.PHOTO].least[Channel.IMAGE]
    others = PHOTOS @ PHOTOS.T - 2 * np.eye(len(PHOTOS), dtype=np.float32)
    assert np.mean(others.max(axis=1) < least) == pytest.approx(0.1, abs=0.02)


def test_a_handful_of_products_is_no_measure() -> None:
    few = FEWEST - 1
    typed = SampleQueries(QUERIES.vectors[:few], ["red mug"] * few, np.arange(few))
    assert measured(queries=typed, categories=CATEGORIES[:few]) == {}
