from collections.abc import Mapping, Sequence
from uuid import UUID

import numpy as np
import pytest

from eval.tuning.remembering import RememberingStore
from indexer.domain import (
    Channel,
    Condition,
    FieldType,
    Hit,
    Op,
    PayloadValue,
    Point,
    StoreQuery,
    Vector,
    VectorQuery,
    Where,
    WordsQuery,
    point_id,
)
from indexer.stores.lexical import Lexicon
from indexer.stores.memory import MemoryStore
from indexer.stores.seam import Layout

IMAGE, TEXT, _ = Channel
RNG = np.random.default_rng(11)


def unit() -> Vector:
    vector = RNG.normal(size=4).astype(np.float32)
    return vector / np.float32(np.linalg.norm(vector))


def point(number: int) -> Point:
    """Every tenth is like the one before, so that scores tie."""
    vector = np.eye(4, dtype=np.float32)[0] if number % 10 < 2 else unit()
    words = f"mug number{number % 7}"
    payload = {"price": float(number)}
    return Point(point_id("shop", f"p{number}", ""), f"p{number}", "", {IMAGE: vector, TEXT: vector}, words, payload)


POINTS = [point(number) for number in range(60)]
FILL = {channel: np.zeros(4, np.float32) for channel in (IMAGE, TEXT)}
LAYOUT = Layout(4, FILL, {"price": FieldType.NUMBER}, Lexicon.of(one.words for one in POINTS))


class Asked(MemoryStore):
    """Counts its calls, and the points that were asked for by id."""

    def __init__(self) -> None:
        super().__init__(LAYOUT)
        self.calls = 0
        self.points = 0

    def search(
        self, query: StoreQuery, top_k: int, where: Where | None = None, among: Sequence[UUID] | None = None
    ) -> list[Hit]:
        self.calls += 1
        self.points += len(among or ())
        return super().search(query, top_k, where, among)

    def fetch(self, ids: Sequence[UUID]) -> dict[UUID, Mapping[Channel, Vector]]:
        self.points += len(ids)
        return super().fetch(ids)

    def read(self, ids: Sequence[UUID]) -> dict[UUID, Mapping[str, PayloadValue]]:
        self.points += len(ids)
        return super().read(ids)


@pytest.fixture
def inner() -> Asked:
    store = Asked()
    store.upsert(POINTS)
    return store


QUERIES: Sequence[StoreQuery] = (
    VectorQuery({IMAGE: unit()}),
    VectorQuery({IMAGE: POINTS[0].vectors[IMAGE], TEXT: unit()}),
    WordsQuery("number3 mug"),
    WordsQuery("number5"),
)


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("where", [None, Condition("price", Op.LT, 30.0)])
def test_answers_are_those_of_the_store_itself(inner: Asked, query: StoreQuery, where: Where | None) -> None:
    store = RememberingStore(inner)
    ids = [one.id for one in POINTS]
    among: list[Sequence[UUID] | None] = [None, ids[:20], ids[10:40], ids[::-1], [], None, ids[5:6]]
    for chosen in among:
        for top_k in (0, 3, 60):
            assert store.search(query, top_k, where, chosen) == inner.search(query, top_k, where, chosen)
    fetched = store.fetch([*ids[:3], point_id("shop", "none", "")])
    assert set(fetched) == set(ids[:3])
    assert store.read([*ids[:3], point_id("shop", "none", "")]) == {one.id: one.payload for one in POINTS[:3]}
    assert store.count() == 60


def test_nothing_is_asked_twice(inner: Asked) -> None:
    store = RememberingStore(inner)
    ids = [one.id for one in POINTS]
    for _ in range(2):
        store.search(QUERIES[0], 10)
        store.search(QUERIES[0], 30, among=ids[:30])
        store.search(QUERIES[0], 30, among=ids[10:40])
        store.fetch(ids[40:45])
        store.fetch(ids[42:47])
        store.read(ids[50:53])
        store.read(ids[51:55])
    assert (inner.calls, inner.points) == (3, 40 + 7 + 5)


def test_what_is_written_is_seen(inner: Asked) -> None:
    store = RememberingStore(inner)
    best = store.search(QUERIES[0], 1)[0].point_id
    assert store.read([best])
    store.delete([best])
    assert store.read([best]) == {}
    assert store.search(QUERIES[0], 1)[0].point_id != best
    store.upsert([one for one in POINTS if one.id == best])
    assert store.search(QUERIES[0], 1)[0].point_id == best
