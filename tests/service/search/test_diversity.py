from collections.abc import Mapping, Sequence
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from indexer.domain import Channel, FieldType, Hit, Point, Vector, point_id
from indexer.stores.lexical import Lexicon
from indexer.stores.memory import MemoryStore
from indexer.stores.seam import Layout
from service.search.diversity import WINDOW, Similarities, diversify, likeness, marginal_order
from service.search.fusion import Fused

IMAGE, TEXT, _ = Channel
eighths = st.integers(0, 8).map(lambda number: number / 8)


@st.composite
def windows(draw: st.DrawFn) -> tuple[list[float], Similarities]:
    """Falling scores and symmetric likenesses in small binary fractions, so that ties happen often."""
    scores = sorted(draw(st.lists(eighths, min_size=1, max_size=8)), reverse=True)
    half = draw(arrays(np.float64, (len(scores), len(scores)), elements=eighths))
    return scores, np.maximum(half, half.T)


@given(windows(), eighths)
def test_every_product_keeps_a_place(window: tuple[list[float], Similarities], diversity: float) -> None:
    scores, alike = window
    assert sorted(marginal_order(np.array(scores), alike, diversity)) == list(range(len(scores)))


@given(windows())
def test_relevance_alone_changes_nothing(window: tuple[list[float], Similarities]) -> None:
    scores, alike = window
    assert marginal_order(np.array(scores), alike, 0.0) == list(range(len(scores)))


@given(windows(), st.integers(0, 7).map(lambda number: number / 8))
def test_the_most_relevant_product_stays_first(window: tuple[list[float], Similarities], diversity: float) -> None:
    scores, alike = window
    assert marginal_order(np.array(scores), alike, diversity)[0] == 0


@given(windows(), eighths)
def test_each_next_one_is_the_best_by_the_formula(window: tuple[list[float], Similarities], diversity: float) -> None:
    """Carbonell and Goldstein's formula, written out; of equals the first."""
    scores, alike = window
    reach = max(scores) - min(scores)
    taken: list[int] = []
    for chosen in marginal_order(np.array(scores), alike, diversity):
        left = [at for at in range(len(scores)) if at not in taken]
        gains = {
            at: (1 - diversity) * ((scores[at] - min(scores)) / reach if reach else 0)
            - diversity * max((alike[at][other] for other in taken), default=0)
            for at in left
        }
        assert chosen == min(left, key=lambda at: (-gains[at], at))
        taken.append(chosen)


def test_products_are_compared_by_photos_and_only_else_by_texts() -> None:
    right, up, between = (np.array(vector, np.float32) for vector in ([1, 0], [0, 1], [0.6, 0.8]))
    alike = likeness([{IMAGE: right, TEXT: right}, {IMAGE: up, TEXT: right}, {TEXT: between}, {}])
    assert alike.tolist() == [[1, 0, 0.6, 0], [0, 1, 0.6, 0], [0.6, 0.6, 1, 0], [0, 0, 0, 0]]


class Counting(MemoryStore):
    """A store that counts what was fetched."""

    fetched = 0

    def fetch(self, ids: Sequence[UUID]) -> dict[UUID, Mapping[Channel, Vector]]:
        self.fetched += len(ids)
        return super().fetch(ids)


def shelf(vectors: Sequence[Vector]) -> tuple[Counting, list[Fused]]:
    """A store with a product per image vector, and the products with falling scores."""
    fill = {channel: np.zeros(2, np.float32) for channel in (IMAGE, TEXT)}
    store = Counting(Layout(2, fill, {"price": FieldType.NUMBER}, Lexicon.of(["mug"])))
    names = [f"p{number:02}" for number in range(len(vectors))]
    ids = [point_id("shop", name, "0") for name in names]
    found = zip(ids, names, vectors, strict=True)
    store.upsert([Point(id, name, "0", {IMAGE: vector}, "mug", {}) for id, name, vector in found])
    hits = [Hit(id, name, "0", 0.0) for id, name in zip(ids, names, strict=True)]
    return store, [Fused(hit, -float(place), {}, {}, {}) for place, hit in enumerate(hits)]


def test_twins_are_parted() -> None:
    red, blue = np.array([1, 0], np.float32), np.array([0, 1], np.float32)
    store, fused = shelf([red, red, blue])
    assert [one.hit.product_id for one in diversify(fused, 0.6, store)] == ["p00", "p02", "p01"]


def test_those_behind_the_window_keep_their_places() -> None:
    red = np.array([1, 0], np.float32)
    store, fused = shelf([red] * WINDOW + [np.array([0, 1], np.float32)] * 5)
    found = diversify(fused, 1.0, store)
    assert found[WINDOW:] == fused[WINDOW:]
    assert store.fetched == WINDOW


@pytest.mark.parametrize(("diversity", "products"), [(0.0, 3), (0.5, 1), (0.5, 0)])
def test_nothing_is_fetched_where_nothing_can_change(diversity: float, products: int) -> None:
    store, fused = shelf([np.array([1, 0], np.float32)] * products)
    assert diversify(fused, diversity, store) == fused
    assert store.fetched == 0
