"""Spreads of cosines, against sums written out."""

from collections.abc import Iterable

import numpy as np
import pytest

from indexer.builds.spreads import FLOOR, Sample, SampleQueries, measure_spreads
from indexer.domain import Channel, Matrix, QueryKind, Spread, Vector
from indexer.stores.lexical import Lexicon

PRODUCTS = 12
DIM = 16
WORDS = [f"{colour} {thing}" for colour in ("red", "blue", "green") for thing in ("mug", "shoe", "lamp", "hat")]


def unit_rows(count: int, seed: int) -> Matrix:
    drawn = np.random.default_rng(seed).standard_normal((count, DIM)).astype(np.float32)
    rows: Matrix = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return rows


def bm25(lexicon: Lexicon, query: str, words: str) -> float:
    asked, written = lexicon.query(query), lexicon.document(words)
    weights = dict(zip(written.indices.tolist(), written.values.tolist(), strict=True))
    asked_for = zip(asked.indices.tolist(), asked.values.tolist(), strict=True)
    return float(sum(value * weights.get(token, 0.0) for token, value in asked_for))


@pytest.fixture
def sample() -> Sample:
    """The last two products have no photo."""
    images = unit_rows(PRODUCTS, 1)
    images[-2:] = 0
    return Sample(images, unit_rows(PRODUCTS, 2), WORDS)


@pytest.fixture
def queries() -> SampleQueries:
    """Four, made from the products 0, 3, 6 and 11."""
    return SampleQueries(unit_rows(4, 3), ["mug", "red hat", "nothing known", "lamp"], np.array([0, 3, 6, 11]))


@pytest.fixture
def measured(sample: Sample, queries: SampleQueries) -> dict[QueryKind, dict[Channel, Spread]]:
    return measure_spreads(sample, queries, Lexicon.of(WORDS))


def cosines(queries: Iterable[tuple[int, Vector]], points: Iterable[tuple[int, Vector]]) -> list[float]:
    """Of every query with every point of another product."""
    listed = list(points)
    return [float(query @ point) for owner, query in queries for product, point in listed if owner != product]


def expect(spread: Spread, values: list[float]) -> None:
    np.testing.assert_allclose((spread.mean, spread.deviation), (np.mean(values), np.std(values)), atol=1e-5)


def test_of_typed_queries(
    measured: dict[QueryKind, dict[Channel, Spread]], sample: Sample, queries: SampleQueries
) -> None:
    typed = list(zip(queries.owners.tolist(), queries.vectors, strict=True))

    expect(measured[QueryKind.TEXT][Channel.IMAGE], cosines(typed, list(enumerate(sample.images))[:-2]))
    expect(measured[QueryKind.TEXT][Channel.TEXT], cosines(typed, enumerate(sample.texts)))


def test_of_photos(measured: dict[QueryKind, dict[Channel, Spread]], sample: Sample) -> None:
    photos = list(enumerate(sample.images))[:-2]

    expect(measured[QueryKind.PHOTO][Channel.IMAGE], cosines(photos, photos))
    expect(measured[QueryKind.PHOTO][Channel.TEXT], cosines(photos, enumerate(sample.texts)))


def test_of_products_and_of_edits_of_them(measured: dict[QueryKind, dict[Channel, Spread]], sample: Sample) -> None:
    photos, texts = list(enumerate(sample.images))[:-2], list(enumerate(sample.texts))

    expect(measured[QueryKind.SIMILAR][Channel.IMAGE], cosines(photos, photos))
    expect(measured[QueryKind.SIMILAR][Channel.TEXT], cosines(texts, texts))
    assert measured[QueryKind.EDIT] == measured[QueryKind.SIMILAR]


def test_of_words_relative_to_each_querys_best(
    measured: dict[QueryKind, dict[Channel, Spread]], queries: SampleQueries
) -> None:
    lexicon = Lexicon.of(WORDS)
    relative = []
    for owner, query in zip(queries.owners.tolist(), queries.words, strict=True):
        scores = [bm25(lexicon, query, words) for words in WORDS]
        best = max(scores) or 1.0
        relative += [score / best for product, score in enumerate(scores) if product != owner]

    expect(measured[QueryKind.TEXT][Channel.LEXICAL], relative)


def test_vectors_that_are_all_alike_have_the_smallest_spread_there_is() -> None:
    alike = np.repeat(unit_rows(1, 1), 5, axis=0)
    measured = measure_spreads(
        Sample(alike, alike, ["mug"] * 5), SampleQueries(alike, ["mug"] * 5, np.arange(5)), Lexicon.of(["mug"] * 5)
    )

    assert measured[QueryKind.PHOTO][Channel.IMAGE].deviation == FLOOR
    assert measured[QueryKind.PHOTO][Channel.IMAGE].mean == pytest.approx(1, abs=1e-5)
    assert measured[QueryKind.TEXT][Channel.LEXICAL].deviation == FLOOR


def test_a_catalogue_without_photos_and_one_of_a_single_product_have_a_neutral_spread() -> None:
    neutral = Spread(mean=0.0, deviation=1.0)
    texts, nothing = unit_rows(3, 1), np.zeros((3, DIM), np.float32)
    queries = SampleQueries(texts, WORDS[:3], np.arange(3))
    without_photos = measure_spreads(Sample(nothing, texts, WORDS[:3]), queries, Lexicon.of(WORDS))
    alone = measure_spreads(
        Sample(texts[:1], texts[:1], ["mug"]), SampleQueries(texts[:1], ["mug"], np.arange(1)), Lexicon.of(["mug"])
    )

    assert without_photos[QueryKind.TEXT][Channel.IMAGE] == neutral
    assert without_photos[QueryKind.PHOTO] == {Channel.IMAGE: neutral, Channel.TEXT: neutral}
    assert without_photos[QueryKind.TEXT][Channel.TEXT] != neutral
    assert {spread for kind in alone.values() for spread in kind.values()} == {neutral}
