"""The benchmark of fusion: the catalogue it grows, what is exact, what other systems miss, what it measures."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from eval.benchmarks.fusion import ZERO_FILLED, filled, measure, recalls
from eval.benchmarks.fusion_truth import WEIGHTS, Asked, Truth
from eval.benchmarks.grown import VARIANTS, VIEWS, Shelf, grown, shelf_of
from eval.benchmarks.synthetic import Shop
from indexer.domain import Channel, Matrix, Spread
from indexer.errors import SettingsError
from tests.qdrant_server.made import local_store

SIZE = 800
DIM = 32
DEPTH = 100
SHOP = Shop(SIZE, DIM)
SPREADS = {Channel.IMAGE: Spread(mean=0.1, deviation=0.04), Channel.TEXT: Spread(mean=0.3, deviation=0.1)}


@pytest.fixture(scope="module")
def real() -> Shelf:
    return shelf_of("shop", [point for block in SHOP.blocks() for point in SHOP.points(block)], SHOP.layout())


@pytest.fixture(scope="module")
def truth(real: Shelf) -> Truth:
    return Truth(grown(real, SIZE), questions(real))


def questions(shelf: Shelf) -> list[Asked]:
    """A photo of one product with the text of another."""
    rows = np.random.default_rng(3).integers(len(shelf.vectors), size=(4, 2)).tolist()
    halves = [(shelf.vectors[one, :DIM], shelf.vectors[other, DIM:]) for one, other in rows]
    return [Asked({Channel.IMAGE: image, Channel.TEXT: text}, SPREADS) for image, text in halves]


def mean_cosine(one: Matrix, other: Matrix) -> float:
    return float(np.einsum("ij,ij->i", one, other).mean())


def test_a_grown_catalogue_is_crowded_as_a_shop_is(real: Shelf) -> None:
    images, texts = np.split(grown(real, SIZE).vectors, 2, axis=1)
    family = VARIANTS * VIEWS
    photos_of_one = mean_cosine(images[::VIEWS], images[1::VIEWS])
    variants = mean_cosine(images[::family], images[VIEWS::family])
    strangers = mean_cosine(images[:-family:family], images[family::family])
    assert 1 > photos_of_one > variants > strangers + 0.1
    np.testing.assert_array_equal(texts[::VIEWS], texts[1::VIEWS])
    np.testing.assert_allclose(np.linalg.norm(np.vstack([images, texts]), axis=1), 1, atol=1e-5)


def test_every_family_grows_from_a_real_product(real: Shelf) -> None:
    nearest = (grown(real, SIZE).vectors[:, :DIM] @ real.vectors[:, :DIM].T).max(axis=1)
    assert nearest.mean() > 0.9


def test_the_same_is_grown_every_time(real: Shelf) -> None:
    np.testing.assert_array_equal(grown(real, 50).vectors, grown(real, 50).vectors)
    assert [point.id for point in grown(real, 50).points] == [point.id for point in grown(real, 60).points[:50]]


def test_what_a_store_without_approximation_fuses_is_the_exact_fusion_at_every_weight(
    real: Shelf, truth: Truth, tmp_path: Path
) -> None:
    for name in ("memory", "edge", "faiss-flat"):
        with filled(name, tmp_path / name, grown(real, SIZE)) as store:
            assert recalls(store, truth, DEPTH) == dict.fromkeys(WEIGHTS, 1.0), name


def test_so_does_a_qdrant_collection(real: Shelf, truth: Truth, tmp_path: Path) -> None:
    shelf = grown(real, SIZE)
    with local_store(tmp_path, shelf.layout) as store:
        store.upsert(shelf.points)
        assert recalls(store, truth, DEPTH) == dict.fromkeys(WEIGHTS, 1.0)


def test_a_store_that_lacks_a_product_has_a_lower_recall(real: Shelf, truth: Truth, tmp_path: Path) -> None:
    shelf = grown(real, SIZE)
    first = next(iter(truth.right[0.5][0]))
    with filled("memory", tmp_path, shelf) as store:
        store.delete([point.id for point in shelf.points if point.product_id == first])
        assert recalls(store, truth, DEPTH)[0.5] < 1


def test_two_lists_filled_with_zeros_agree_with_the_exact_fusion_at_the_extremes_only(truth: Truth) -> None:
    found = truth.zero_filled()
    assert found[0.0] == found[1.0] == 1
    assert max(found[weight] for weight in WEIGHTS[3:8]) < 0.9


def test_every_store_has_its_figures_beside_those_of_two_lists(real: Shelf) -> None:
    found = list(measure(real, questions(real)[:3], ["memory", "faiss-flat"], DEPTH))
    assert [one.store for one in found] == [ZERO_FILLED, "memory", "faiss-flat"]
    assert found[0].search is None
    for one in found[1:]:
        assert (one.points, one.products, one.questions) == (SIZE, SIZE // 2, 3)
        assert min(one.recall.values()) == 1
        assert positive([one.search, one.with_scores])


def positive(ratios: Sequence[float | None]) -> bool:
    return all(ratio is not None and ratio > 0 for ratio in ratios)


def test_a_store_that_there_is_not_is_refused(real: Shelf) -> None:
    with pytest.raises(SettingsError, match="no store 'files'"):
        next(measure(real, questions(real), ["memory", "files"], DEPTH))
