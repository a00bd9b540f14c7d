from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest

from indexer.domain import Channel, Condition, FieldType, Matrix, Op, Point, Spread, Vector, WordsQuery, point_id
from indexer.stores.edge import EdgeStore
from indexer.stores.lexical import Lexicon
from indexer.stores.memory import MemoryStore
from indexer.stores.seam import Layout, VectorStore
from service.search.fusion import fuse
from service.search.retrieve import Candidates, Question, retrieve

IMAGE, TEXT, LEXICAL = Channel
DIM = 8
PRODUCTS = 120
SPREADS = {
    IMAGE: Spread(mean=0.1, deviation=0.05),
    TEXT: Spread(mean=0.3, deviation=0.4),
    LEXICAL: Spread(mean=0.05, deviation=0.2),
}
RNG = np.random.default_rng(7)


def units(number: int) -> Matrix:
    rows = RNG.normal(size=(number, DIM)).astype(np.float32)
    unit: Matrix = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def points_of(number: int) -> Iterator[Point]:
    """One to three photos a product, every ninth product without; half of them mugs, one in forty rare."""
    text = units(1)[0]
    words = " ".join(["mug" if number % 2 else "shoe", "rare" if number % 40 == 0 else "common", f"SKU-{number}"])
    payload = {"price": float(number)}
    product = f"p{number:03d}"
    if number % 9 == 0:
        yield Point(point_id("shop", product, ""), product, "", {TEXT: text}, words, payload)
        return
    for place, image in enumerate(units(1 + number % 3)):
        vectors = {IMAGE: image, TEXT: text}
        yield Point(point_id("shop", product, str(place)), product, str(place), vectors, words, payload)


POINTS = [point for number in range(PRODUCTS) for point in points_of(number)]
FILL = {channel: units(1)[0] * np.float32(0.3) for channel in (IMAGE, TEXT)}
LAYOUT = Layout(DIM, FILL, {"price": FieldType.NUMBER}, Lexicon.of(point.words for point in POINTS))


@pytest.fixture(scope="module", params=["memory", "edge"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VectorStore]:
    if request.param == "memory":
        kept = MemoryStore(LAYOUT)
        kept.upsert(POINTS)
        yield kept
        return
    with EdgeStore.create(tmp_path_factory.mktemp("edge"), LAYOUT, len(POINTS)) as edge:
        edge.upsert(POINTS)
        yield edge


def question(weights: Mapping[Channel, float], words: str = "", depth: int = 20) -> Question:
    image, text = np.random.default_rng(3).normal(size=(2, DIM)).astype(np.float32)
    vectors: dict[Channel, Vector] = {IMAGE: image / np.linalg.norm(image), TEXT: text / np.linalg.norm(text)}
    return Question(vectors, words, weights, SPREADS, None, None, depth)


@dataclass(frozen=True)
class Exact:
    """What a look at every point gives."""

    raw: Mapping[Channel, Mapping[object, float]]

    def products(self, weights: Mapping[Channel, float], among: Sequence[Point] = POINTS) -> list[tuple[str, float]]:
        best: dict[str, float] = {}
        top = max(self.raw[LEXICAL].values()) or 1.0
        for point in among:
            total = 0.0
            for channel, weight in weights.items():
                score = self.raw[channel][point.id] / (top if channel is LEXICAL else 1)
                total += weight * (score - SPREADS[channel].mean) / SPREADS[channel].deviation
            best[point.product_id] = max(total, best.get(point.product_id, -np.inf))
        return sorted(best.items(), key=lambda product: (-product[1], product[0]))


def exactly(asked: Question) -> Exact:
    raw: dict[Channel, dict[object, float]] = {
        channel: {p.id: float(asked.vectors[channel] @ p.vectors.get(channel, FILL[channel])) for p in POINTS}
        for channel in (IMAGE, TEXT)
    }
    reference = MemoryStore(LAYOUT)
    reference.upsert(POINTS)
    matched = {hit.point_id: hit.score for hit in reference.search(WordsQuery(asked.words), len(POINTS))}
    raw[LEXICAL] = {point.id: matched.get(point.id, 0.0) for point in POINTS}
    return Exact(raw)


def ranked(found: Candidates, asked: Question) -> list[tuple[str, float]]:
    fused = fuse(found.hits, found.raw, asked.weights, asked.spreads)
    return [(one.hit.product_id, one.score) for one in fused]


def same(found: Sequence[tuple[str, float]], expected: Sequence[tuple[str, float]]) -> None:
    assert [product for product, _ in found] == [product for product, _ in expected]
    assert np.allclose([score for _, score in found], [score for _, score in expected], atol=1e-4)


@pytest.mark.parametrize(
    "weights", [{IMAGE: 1.0}, {TEXT: 1.0}, {IMAGE: 0.6, TEXT: 0.4}, {IMAGE: 0.05, TEXT: 0.95}], ids=str
)
def test_a_shallow_search_finds_the_true_best_products(store: VectorStore, weights: dict[Channel, float]) -> None:
    asked = question(weights, depth=30)
    same(ranked(retrieve(store, asked), asked)[:10], exactly(asked).products(weights)[:10])


@pytest.mark.parametrize("words", ["SKU-77", "rare", "mug", "nothing of the kind", ""])
def test_every_candidate_has_its_exact_score_in_every_channel(store: VectorStore, words: str) -> None:
    """With `mug` the lexical list is full, and photos outside of it still have their words' score."""
    asked = question({IMAGE: 0.5, TEXT: 0.3, LEXICAL: 0.2}, words)
    found = retrieve(store, asked)
    expected = exactly(asked).raw
    for channel, scores in found.raw.items():
        assert np.allclose(scores, [expected[channel][hit.point_id] for hit in found.hits], atol=1e-3)


def test_what_only_the_words_find_is_ranked_by_all_channels(store: VectorStore) -> None:
    weights = {IMAGE: 0.3, TEXT: 0.2, LEXICAL: 0.5}
    by_vectors = question({IMAGE: 0.6, TEXT: 0.4})
    worst = exactly(by_vectors).products(by_vectors.weights)[-1][0]
    asked = question(weights, words=f"SKU-{int(worst[1:])}")
    assert worst not in dict(ranked(retrieve(store, by_vectors), by_vectors))
    found, expected = dict(ranked(retrieve(store, asked), asked)), dict(exactly(asked).products(weights))
    assert np.isclose(found[worst], expected[worst], atol=1e-4)


def test_words_alone_find_what_shares_a_word(store: VectorStore) -> None:
    asked = question({LEXICAL: 1.0}, "rare")
    found = retrieve(store, asked)
    assert {hit.product_id for hit in found.hits} == {"p000", "p040", "p080"}


def test_points_that_are_named_are_candidates_whatever_finds_them(store: VectorStore) -> None:
    asked = question({IMAGE: 1.0})
    last = exactly(asked).products({IMAGE: 1.0})[-1]
    points = tuple(point.id for point in POINTS if point.product_id == last[0])
    found = ranked(retrieve(store, replace(asked, also=points)), asked)
    same(found[-1:], [last])
    cheap = replace(asked, also=points, where=Condition("price", Op.LT, 0.0))
    assert retrieve(store, cheap).hits == []


def test_it_says_when_the_store_has_no_more(store: VectorStore) -> None:
    asked = question({IMAGE: 1.0}, depth=20)
    assert not retrieve(store, asked).exhausted
    found = retrieve(store, replace(asked, depth=len(POINTS) + 1))
    assert found.exhausted
    assert len(ranked(found, asked)) == PRODUCTS


def test_the_product_in_question_is_left_out_with_all_its_photos(store: VectorStore) -> None:
    asked = question({IMAGE: 1.0, LEXICAL: 1.0}, words="SKU-5")
    first = ranked(retrieve(store, asked), asked)[0][0]
    without = replace(asked, exclude=first)
    found = ranked(retrieve(store, without), without)
    assert first not in dict(found)
    assert len(found) >= 10


def test_a_filter_holds_for_every_way_of_finding(store: VectorStore) -> None:
    weights = {IMAGE: 0.5, TEXT: 0.3, LEXICAL: 0.2}
    asked = replace(question(weights, "mug"), where=Condition("price", Op.LT, 30.0))
    allowed = [point for point in POINTS if float(point.payload["price"]) < 30]  # type: ignore[arg-type]
    found = ranked(retrieve(store, asked), asked)
    assert set(dict(found)) <= {point.product_id for point in allowed}
    same(found[:10], exactly(asked).products(weights, allowed)[:10])
