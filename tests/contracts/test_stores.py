"""What every vector store does, whichever engine stands behind it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.domain import (
    AllOf,
    AnyOf,
    Channel,
    Condition,
    FieldType,
    Hit,
    Not,
    Op,
    PayloadValue,
    Point,
    Vector,
    VectorQuery,
    Where,
    WordsQuery,
    point_id,
)
from indexer.errors import BadFilter, StoreMismatch
from indexer.stores.edge import EdgeStore
from indexer.stores.lexical import Lexicon
from indexer.stores.memory import MemoryStore
from indexer.stores.seam import Layout, VectorStore
from tests.contracts.plain import dot_products, holds
from tests.indexer.stores.rebuilt import rebuilt_faiss, upserted_faiss
from tests.qdrant_server.made import NO_SERVER, URL, coded_store, local_store, server_store, wire_store

BACKENDS: dict[str, Callable[[Path, Layout], AbstractContextManager[VectorStore]]] = {
    "memory": lambda path, layout: nullcontext(MemoryStore(layout)),
    "edge": EdgeStore.create,
    "edge-coded": lambda path, layout: EdgeStore.create(path, layout, expected=1_000_000),
    "faiss": upserted_faiss,
    "faiss-built": rebuilt_faiss,
    "qdrant-local": local_store,
    "qdrant-wire": wire_store,
    "qdrant-server": server_store,
    "qdrant-server-coded": coded_store,
}
DIM = 8
FIELDS = {
    "colour": FieldType.KEYWORD,
    'size "EU", cm.': FieldType.KEYWORD,
    "price": FieldType.NUMBER,
    "stock": FieldType.FLAG,
}
TEXTS = ["red shoe", "red red shirt", "blue shirt long sleeves"]
IMAGE, TEXT = Channel.IMAGE, Channel.TEXT


def unit(*numbers: float) -> Vector:
    vector = np.zeros(DIM, dtype=np.float32)
    vector[: len(numbers)] = numbers
    return vector / np.float32(np.linalg.norm(vector))


FILL = {IMAGE: unit(1, 2, 3), TEXT: unit(3, 2, 1, -1)}


def random_unit(rng: np.random.Generator) -> Vector:
    return unit(*rng.normal(size=DIM))


def point(
    product: str,
    image: str = "",
    vectors: dict[Channel, Vector] | None = None,
    words: str = "",
    payload: dict[str, PayloadValue] | None = None,
) -> Point:
    return Point(point_id("shop", product, image), product, image, vectors or {}, words, payload or {})


def random_points(number: int, seed: int = 0) -> list[Point]:
    """Every fifth without an image, every seventh without a text."""
    rng = np.random.default_rng(seed)
    points = []
    for place in range(number):
        vectors = {IMAGE: random_unit(rng), TEXT: random_unit(rng)}
        if place % 5 == 0:
            del vectors[IMAGE]
        if place % 7 == 0:
            del vectors[TEXT]
        points.append(point(f"p{place}", f"i{place}", vectors))
    return points


def expected_scores(points: Sequence[Point], query: VectorQuery) -> dict[UUID, float]:
    return dot_products(points, query, FILL)


def best_first(scores: dict[UUID, float]) -> list[UUID]:
    return sorted(scores, key=lambda id: (-scores[id], id.int))


def ids(hits: Sequence[Hit]) -> list[UUID]:
    return [hit.point_id for hit in hits]


@pytest.fixture(scope="module")
def layout() -> Layout:
    return Layout(DIM, FILL, FIELDS, Lexicon.of(TEXTS))


@pytest.fixture(scope="module", params=BACKENDS)
def opened(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, layout: Layout
) -> Iterator[VectorStore]:
    with opening(request.param, tmp_path_factory.mktemp("store"), layout) as store:
        yield store


@pytest.fixture(params=BACKENDS)
def new_store(request: pytest.FixtureRequest, tmp_path: Path, layout: Layout) -> Iterator[VectorStore]:
    """Made anew: the client's local mode goes on looking through all that was ever in a store."""
    with opening(request.param, tmp_path, layout) as store:
        yield store


def opening(backend: str, folder: Path, layout: Layout) -> AbstractContextManager[VectorStore]:
    if backend.startswith("qdrant-server") and URL is None:
        pytest.skip(NO_SERVER)
    return BACKENDS[backend](folder, layout)


@pytest.fixture
def store(opened: VectorStore) -> VectorStore:
    """Emptied rather than made anew: a new Edge store costs a dozen fsyncs."""
    empty(opened)
    return opened


def empty(store: VectorStore) -> None:
    store.delete(ids(store.search(VectorQuery({IMAGE: unit(1)}), store.count())))


def test_an_empty_store_answers_emptily(store: VectorStore) -> None:
    assert store.count() == 0
    assert store.search(VectorQuery({IMAGE: unit(1)}), 5) == []
    assert store.search(WordsQuery("red"), 5) == []
    assert store.fetch([uuid4()]) == {}
    assert store.read([uuid4()]) == {}
    store.delete([uuid4()])
    store.upsert([])


def test_points_come_back_as_they_went_in_without_the_halves_they_lack(store: VectorStore) -> None:
    points = random_points(36)
    store.upsert(points)
    fetched = store.fetch([*(p.id for p in points), uuid4()])
    assert set(fetched) == {p.id for p in points}
    for p in points:
        assert set(fetched[p.id]) == set(p.vectors)
        for channel, vector in p.vectors.items():
            np.testing.assert_array_equal(fetched[p.id][channel], vector)


def test_an_upsert_replaces_vectors_words_and_payload(store: VectorStore) -> None:
    store.upsert([point("a", "1", {IMAGE: unit(1), TEXT: unit(0, 1)}, "red shoe", {"colour": "red", "price": 3.0})])
    store.upsert([point("a", "1", {IMAGE: unit(0, 1)}, "blue shirt", {"colour": "blue"})])
    assert store.count() == 1
    assert set(store.fetch([point("a", "1").id])[point("a", "1").id]) == {IMAGE}
    assert store.search(VectorQuery({IMAGE: unit(0, 1)}), 5)[0].score == pytest.approx(1, abs=1e-3)
    assert store.search(WordsQuery("shoe"), 5) == []
    assert len(store.search(WordsQuery("shirts"), 5)) == 1
    assert store.search(VectorQuery({IMAGE: unit(1)}), 5, Condition("colour", Op.EQ, "red")) == []
    assert store.search(VectorQuery({IMAGE: unit(1)}), 5, Condition("price", Op.GT, 0)) == []


def test_what_points_are_filtered_by_is_read_as_it_was_upserted(store: VectorStore) -> None:
    full: dict[str, PayloadValue] = {"colour": ["red", "blue"], 'size "EU", cm.': "42", "price": 3, "stock": False}
    points = [point("a", "1", {}, "", {**full, "weight": 7.0}), point("b"), point("c", "1", {}, "", {"colour": []})]
    store.upsert(points)
    found = store.read([points[2].id, uuid4(), points[0].id, points[1].id, points[0].id])
    assert list(found) == [points[2].id, points[0].id, points[1].id]
    assert found[points[0].id] == {"colour": ["red", "blue"], 'size "EU", cm.': ["42"], "price": 3.0, "stock": False}
    assert isinstance(found[points[0].id]["price"], float)
    assert found[points[0].id]["stock"] is False
    assert found[points[1].id] == found[points[2].id] == {}
    assert store.read([]) == {}


def test_what_is_read_follows_every_change(store: VectorStore) -> None:
    changed = point("a", "1").id
    for price in (1.0, 2.0):
        store.upsert(
            [point("a", "1", {}, "", {"price": price, "stock": True}), point("b", "1", {}, "", {"price": 9.0})]
        )
        assert store.read([changed]) == {changed: {"price": price, "stock": True}}
    store.upsert([point("a", "1", {}, "", {"colour": "red"})])
    assert store.read([changed]) == {changed: {"colour": ["red"]}}
    store.delete([changed])
    assert store.read([changed, point("b", "1").id]) == {point("b", "1").id: {"price": 9.0}}
    store.upsert([point("a", "1", {}, "", {"stock": True})])
    assert store.read([changed]) == {changed: {"stock": True}}


def test_of_equal_ids_in_one_call_the_last_stays(store: VectorStore) -> None:
    store.upsert([point("a", "1", {IMAGE: unit(1)}), point("a", "1", {IMAGE: unit(0, 1)})])
    assert store.count() == 1
    np.testing.assert_array_equal(store.fetch([point("a", "1").id])[point("a", "1").id][IMAGE], unit(0, 1))


def test_vectors_that_were_read_are_read_anew_once_they_change(store: VectorStore) -> None:
    changed = point("a", "1").id
    store.upsert([point("a", "1", {IMAGE: unit(1)})])
    store.fetch([changed])
    store.upsert([point("a", "1", {IMAGE: unit(0, 1)})])
    np.testing.assert_array_equal(store.fetch([changed])[changed][IMAGE], unit(0, 1))
    store.delete([changed])
    assert store.fetch([changed]) == {}


def test_deleted_points_are_gone_and_can_come_back(store: VectorStore) -> None:
    points = random_points(20)
    store.upsert(points)
    store.delete([p.id for p in points[:5]] + [points[0].id, uuid4()])
    assert store.count() == 15
    assert set(ids(store.search(VectorQuery({TEXT: unit(1)}), 99))) == {p.id for p in points[5:]}
    assert store.fetch([points[0].id]) == {}
    store.upsert(points[:1])
    assert store.count() == 16


def test_many_replacements_leave_each_point_once(store: VectorStore) -> None:
    """Enough of them that the memory store squeezes its dead rows out."""
    points = random_points(60)
    for turn in range(12):
        vector = unit(1, turn)
        payload: dict[str, PayloadValue] = {"colour": f"c{turn}"} if turn % 2 else {"price": float(turn)}
        store.upsert(
            [
                point(p.product_id, p.image_id, {IMAGE: vector}, TEXTS[(turn + place) % 3], payload)
                for place, p in enumerate(points)
            ]
        )
    assert store.count() == 60
    assert len(store.search(VectorQuery({IMAGE: unit(1)}), 99)) == 60
    assert len(store.search(VectorQuery({IMAGE: unit(1)}), 99, Condition("colour", Op.EQ, "c11"))) == 60
    assert store.search(VectorQuery({IMAGE: unit(1)}), 99, Condition("colour", Op.EQ, "c3")) == []
    assert store.search(VectorQuery({IMAGE: unit(1)}), 99, Condition("price", Op.GE, 0)) == []
    assert len(store.search(WordsQuery("shirt"), 99)) == 40
    assert store.read([p.id for p in points]) == {p.id: {"colour": ["c11"]} for p in points}


@pytest.mark.parametrize("channels", [(IMAGE,), (TEXT,), (IMAGE, TEXT)])
def test_scores_are_exact_dot_products_with_filled_halves(store: VectorStore, channels: tuple[Channel, ...]) -> None:
    points = random_points(200)
    store.upsert(points)
    rng = np.random.default_rng(1)
    weights = dict(zip(channels, (0.7, 0.3), strict=False))
    for _ in range(10):
        query = VectorQuery({c: np.float32(w) * random_unit(rng) for c, w in weights.items()})
        expected = expected_scores(points, query)
        hits = store.search(query, 25)
        assert [hit.score for hit in hits] == pytest.approx([expected[hit.point_id] for hit in hits], abs=1e-3)
        assert [hit.score for hit in hits] == pytest.approx(sorted(expected.values(), reverse=True)[:25], abs=1e-3)


def test_stored_vectors_are_not_normalised_again(store: VectorStore) -> None:
    store.upsert([point("half", "1", {IMAGE: unit(1) * np.float32(0.5), TEXT: unit(0, 1)})])
    assert store.search(VectorQuery({IMAGE: unit(1) * np.float32(4)}), 1)[0].score == pytest.approx(2, abs=1e-3)


def test_hits_name_product_and_image(store: VectorStore) -> None:
    store.upsert([point("Größe/42 🎽", f"i{n}", {IMAGE: unit(1, n), TEXT: unit(1)}) for n in range(3)])
    hits = store.search(VectorQuery({IMAGE: unit(1)}), 10)
    assert [(hit.product_id, hit.image_id) for hit in hits] == [("Größe/42 🎽", f"i{n}") for n in range(3)]


def test_ties_are_ordered_by_id_even_across_the_cut(store: VectorStore) -> None:
    points = [point(f"p{n}", "1", {IMAGE: unit(1), TEXT: unit(1)}, "red shoe") for n in range(150)]
    store.upsert([*points, point("best", "1", {IMAGE: unit(1, 0.01), TEXT: unit(1)}, "red shoe shoe")])
    tied = sorted((p.id for p in points), key=lambda id: id.int)
    for query in (VectorQuery({IMAGE: unit(1, 0.01)}), WordsQuery("shoe")):
        hits = store.search(query, 20)
        assert hits[0].product_id == "best"
        assert ids(hits[1:]) == tied[:19]
        assert len({hit.score for hit in hits[1:]}) == 1


@pytest.mark.parametrize("top_k", [0, 1, 7, 50])
def test_top_k_bounds_the_answer(store: VectorStore, top_k: int) -> None:
    points = random_points(30)
    store.upsert(points)
    query = VectorQuery({IMAGE: unit(1, 1)})
    assert len(store.search(query, top_k)) == min(top_k, 30)
    assert store.search(query, top_k) == store.search(query, 30)[:top_k]


def test_words_are_scored_by_bm25(store: VectorStore) -> None:
    """N = 3, average length 3, red and shirt in two documents each: idf ln(1 + 1.5/2.5)."""
    store.upsert([point(f"p{n}", "", {}, text) for n, text in enumerate(TEXTS)] + [point("none", "", {}, "")])
    hits = {hit.product_id: hit.score for hit in store.search(WordsQuery("red shirts"), 10)}
    assert hits == pytest.approx(
        {
            "p0": 0.4700036 * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 2 / 3)),
            "p1": 0.4700036 * (2 * 2.2 / (2 + 1.2) + 2.2 / (1 + 1.2)),
            "p2": 0.4700036 * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 4 / 3)),
        },
        abs=1e-3,
    )


def test_words_without_a_match_find_nothing(store: VectorStore) -> None:
    store.upsert([point("a", "1", {}, "red shoe", {"colour": "red"})])
    red = Condition("colour", Op.EQ, "red")
    for words in ("bicycle", "", "the of", "🎽"):
        assert store.search(WordsQuery(words), 5) == []
        assert store.search(WordsQuery(words), 5, red) == []
        assert store.search(WordsQuery(words), 5, among=[point("a", "1").id]) == []


def test_article_numbers_and_accents_are_found(store: VectorStore) -> None:
    store.upsert([point("a", "1", {}, "Café crème MH01-Blue 9.5"), point("b", "1", {}, "plain")])
    for words in ("mh01", "MH01-blue", "cafe", "CREME", "9.5"):
        assert [hit.product_id for hit in store.search(WordsQuery(words), 5)] == ["a"]


def test_among_scores_just_the_given_points(store: VectorStore) -> None:
    points = random_points(300)
    store.upsert(points)
    query = VectorQuery({TEXT: unit(1, -1, 1)})
    chosen = points[::17]
    expected = expected_scores(chosen, query)
    hits = store.search(query, len(chosen), among=[*(p.id for p in chosen), uuid4()])
    assert {hit.point_id: hit.score for hit in hits} == pytest.approx(expected, abs=1e-3)
    assert ids(hits) == best_first({hit.point_id: hit.score for hit in hits})
    assert store.search(query, 5, among=[]) == []


def test_what_does_not_fit_the_layout_is_refused(store: VectorStore) -> None:
    with pytest.raises(StoreMismatch, match="'odd'"):
        store.upsert([point("odd", "1", {IMAGE: np.ones(DIM + 1, dtype=np.float32)})])
    with pytest.raises(StoreMismatch, match="finite"):
        store.upsert([point("odd", "1", {IMAGE: np.full(DIM, np.nan, dtype=np.float32)})])
    with pytest.raises(StoreMismatch, match="price"):
        store.upsert([point("odd", "1", {}, "", {"price": "cheap"})])
    with pytest.raises(StoreMismatch, match="dimension"):
        store.search(VectorQuery({IMAGE: np.ones(DIM + 1, dtype=np.float32)}), 1)
    assert store.count() == 0


@pytest.mark.parametrize(
    ("where", "says"),
    [
        (Condition("weight", Op.EQ, 1.0), "colour, price"),
        (Not(AllOf((AnyOf((Condition("weight", Op.EQ, 1.0),)),))), "colour, price"),
        (Condition("colour", Op.LT, "red"), "not a number"),
        (Condition("price", Op.GT, "red"), "finite number"),
        (Condition("price", Op.EQ, True), "finite number"),
        (Condition("price", Op.EQ, float("nan")), "finite number"),
        (Condition("stock", Op.EQ, 1.0), "true or false"),
        (Condition("colour", Op.EQ, 3.0), "a word"),
    ],
)
def test_impossible_filters_are_refused(store: VectorStore, where: Where, says: str) -> None:
    with pytest.raises(BadFilter, match=says):
        store.search(VectorQuery({IMAGE: unit(1)}), 5, where)


WORDS = st.sampled_from(["red", "blue", "", "größe 42", 'a"b.c[]'])
NUMBERS = st.sampled_from([-1.5, 0.0, 0.1, 19.99, 20.0, 1e9])
PAYLOADS = st.fixed_dictionaries(
    {},
    optional={
        "colour": WORDS | st.lists(WORDS, max_size=3),
        'size "EU", cm.': WORDS,
        "price": NUMBERS | st.integers(-2, 30),
        "stock": st.booleans(),
        "not a field": st.just("dropped"),
    },
)
CONDITIONS = st.one_of(
    st.builds(Condition, st.sampled_from(["colour", 'size "EU", cm.']), st.sampled_from([Op.EQ, Op.NE]), WORDS),
    st.builds(Condition, st.just("price"), st.sampled_from(Op), NUMBERS | st.integers(-2, 30)),
    st.builds(Condition, st.just("stock"), st.sampled_from([Op.EQ, Op.NE]), st.booleans()),
)
WHERES: st.SearchStrategy[Where] = st.recursive(
    CONDITIONS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda terms: AllOf(tuple(terms))),
        st.lists(inner, max_size=3).map(lambda terms: AnyOf(tuple(terms))),
        inner.map(Not),
    ),
    max_leaves=8,
)


def as_read(payload: Mapping[str, PayloadValue]) -> dict[str, PayloadValue]:
    """What a store gives back of a payload."""
    listed = {name: [value] if isinstance(value, str) else value for name, value in payload.items() if name in FIELDS}
    return {name: value for name, value in listed.items() if value != []}


examples = given(payloads=st.lists(PAYLOADS, min_size=1, max_size=12), wheres=st.lists(WHERES, min_size=1, max_size=6))
one_store = settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])


@one_store
@examples
def test_filters_agree_with_plain_python(
    new_store: VectorStore, payloads: list[dict[str, PayloadValue]], wheres: list[Where]
) -> None:
    agree(new_store, payloads, wheres)


@pytest.mark.long
@settings(one_store, max_examples=100)
@examples
def test_many_filters_agree_with_plain_python(
    new_store: VectorStore, payloads: list[dict[str, PayloadValue]], wheres: list[Where]
) -> None:
    agree(new_store, payloads, wheres)


def agree(store: VectorStore, payloads: Sequence[dict[str, PayloadValue]], wheres: Sequence[Where]) -> None:
    points = [point(f"p{n}", "1", {IMAGE: unit(1, n)}, "red shoe", payload) for n, payload in enumerate(payloads)]
    empty(store)
    store.upsert(points)
    read = store.read([p.id for p in points])
    assert read == {p.id: as_read(p.payload) for p in points}
    for where in wheres:
        assert [holds(where, read[p.id]) for p in points] == [holds(where, p.payload) for p in points]
        allowed = {p.id for p, payload in zip(points, payloads, strict=True) if holds(where, payload)}
        assert set(ids(store.search(VectorQuery({IMAGE: unit(1)}), 99, where))) == allowed
        assert set(ids(store.search(WordsQuery("shoe"), 99, where))) == allowed
        half = [p.id for p in points[::2]]
        assert set(ids(store.search(VectorQuery({IMAGE: unit(1)}), 99, where, half))) == allowed & set(half)
