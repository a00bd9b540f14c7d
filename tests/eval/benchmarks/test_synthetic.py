"""The made-up shop: its vectors lie as those of CLIP-like encoders do on real products."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from eval.benchmarks.synthetic import BLOCK, FILTERS, VARIANTS, VIEWS, WEIGHTS, Shop
from indexer.domain import VECTOR_CHANNELS, Matrix
from indexer.stores.memory import MemoryStore
from indexer.stores.rows import query_row

PRODUCTS = BLOCK // VIEWS
DIM = 32
"""Where it does not matter how the vectors lie."""


@dataclass(frozen=True)
class Towers:
    """Of a block: one photo of each product, another one, and its text."""

    photos: Matrix
    others: Matrix
    texts: Matrix


@pytest.fixture(scope="module")
def towers() -> Towers:
    photos, texts = np.split(next(Shop(BLOCK).blocks()).vectors, 2, axis=1)
    return Towers(photos[::VIEWS], photos[1::VIEWS], texts[::VIEWS])


def among_strangers(one: Matrix, other: Matrix) -> tuple[float, float]:
    """Mean cosine between products, and between a product and the one most like it."""
    cosines = one @ other.T
    np.fill_diagonal(cosines, np.nan)
    return float(np.nanmean(cosines)), float(np.nanmax(cosines, axis=1).mean())


def dimensions(vectors: Matrix) -> float:
    """The participation ratio of the variances."""
    variances = np.linalg.eigvalsh(np.cov(vectors.T))
    return float(variances.sum() ** 2 / (variances**2).sum())


def test_photos_share_a_cone_and_the_nearest_other_product_is_close(towers: Towers) -> None:
    mean, nearest = among_strangers(towers.photos, towers.photos)

    assert 0.3 < mean < 0.6
    assert 0.8 < nearest < 0.95
    assert nearest < float(np.mean(np.sum(towers.photos * towers.others, axis=1)))


def test_texts_and_photos_are_apart_and_still_know_their_own(towers: Towers) -> None:
    mean, _ = among_strangers(towers.texts, towers.photos)
    own = float(np.mean(np.sum(towers.texts * towers.photos, axis=1)))

    assert 0.1 < mean < 0.3
    assert own > mean + 0.3
    assert mean < among_strangers(towers.texts, towers.texts)[0]


@pytest.mark.parametrize("tower", ["photos", "texts"])
def test_a_few_dimensions_say_most(towers: Towers, tower: str) -> None:
    assert 8 < dimensions(getattr(towers, tower)) < 20


def test_a_larger_shop_begins_with_the_smaller_one() -> None:
    small, large = next(Shop(100).blocks()), next(Shop(BLOCK + 1).blocks())
    first = replace(large, vectors=large.vectors[:100])

    assert np.array_equal(small.vectors, first.vectors)
    assert [one.id for one in Shop(100).points(small)] == [one.id for one in Shop(BLOCK + 1).points(first)]


def test_a_shop_has_as_many_points_as_it_says_with_a_text_per_product() -> None:
    shop = Shop(BLOCK + 3, DIM)
    points = [point for block in shop.blocks() for point in shop.points(block)]

    assert len({point.id for point in points}) == BLOCK + 3
    assert len({point.product_id for point in points}) == shop.products == PRODUCTS + 2
    assert len({point.payload["parent"] for point in points}) == PRODUCTS // VARIANTS + 1
    assert points[BLOCK].id == shop.point_id(BLOCK)
    assert shop.layout().lexicon.documents == shop.products


def test_as_many_points_satisfy_a_filter_as_it_says() -> None:
    shop = Shop(BLOCK, DIM)
    block = next(shop.blocks())
    store = MemoryStore(shop.layout())
    store.upsert(shop.points(block))
    asked = shop.questions(1)["photo"][0]

    for under, share in (("10 %", 0.10), ("1 %", 0.01)):
        satisfying = {hit.point_id for hit in store.search(asked, BLOCK, FILTERS[under])}
        assert satisfying == {shop.point_id(place) for place in np.flatnonzero(block.passing[under]).tolist()}, under
        assert 0.6 * share < float(block.passing[under].mean()) < 1.4 * share, under


def test_words_ask_both_halves_by_their_weights_in_standard_deviations() -> None:
    questions = Shop(BLOCK, DIM).questions(20)
    rows = next(Shop(BLOCK, DIM).blocks()).vectors
    words = np.array([query_row(query, DIM) for query in questions["words"]])
    photo, text = np.split(words, 2, axis=1)
    halves = photo @ rows[:, :DIM].T, text @ rows[:, DIM:].T

    assert [float(half.std()) for half in halves] == pytest.approx(list(WEIGHTS["words"].values()), rel=1e-3)
    assert all(list(query.vectors) == [VECTOR_CHANNELS[0]] for query in questions["photo"])
