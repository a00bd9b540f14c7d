"""What only a real Qdrant server can show. `make test-qdrant`, with QDRANT_URL.

QDRANT_RESTART is a shell command that restarts the server and returns when it answers again, such as
`docker compose -f deploy/compose.yaml restart qdrant && docker compose -f deploy/compose.yaml up --wait qdrant`.
"""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from qdrant_client import QdrantClient, models

from indexer.domain import (
    AnyOf,
    Channel,
    Condition,
    FieldType,
    Op,
    Point,
    StoreQuery,
    VectorQuery,
    WordsQuery,
    point_id,
)
from indexer.errors import StoreMismatch, StoreUnavailable
from indexer.store_settings import QdrantSettings
from indexer.stores.edge_replica import unpack_replica
from indexer.stores.lexical import Lexicon
from indexer.stores.memory import MemoryStore
from indexer.stores.qdrant_calls import connect
from indexer.stores.qdrant_keeping import QdrantStores
from indexer.stores.qdrant_snapshots import checksum_of
from indexer.stores.seam import Layout, VectorStore
from tests.qdrant_server.made import NO_SERVER, URL, server_settings

pytestmark = pytest.mark.skipif(URL is None, reason=NO_SERVER)

DIM = 128
POINTS = 20_000
"""Above 10,000, from where the adapter asks for a graph, and above the server's own threshold for building one."""
WORDS = ["red", "blue", "shoe", "shirt", "long", "sleeve", "winter", "running"]
LAYOUT = Layout(
    DIM,
    {channel: np.full(DIM, DIM**-0.5, dtype=np.float32) for channel in (Channel.IMAGE, Channel.TEXT)},
    {"colour": FieldType.KEYWORD, "price": FieldType.NUMBER, "stock": FieldType.FLAG},
    Lexicon.of(WORDS),
)


def points(number: int) -> list[Point]:
    """Around 200 centres, as products of one kind lie together."""
    rng = np.random.default_rng(7)
    centres = rng.normal(size=(200, 2, DIM))
    vectors = (centres[rng.integers(200, size=number)] + rng.normal(size=(number, 2, DIM)) * 0.7).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
    return [
        Point(
            point_id("shop", f"p{place}", "0"),
            f"p{place}",
            "0",
            {Channel.IMAGE: image, Channel.TEXT: text},
            " ".join(rng.choice(WORDS, 3)),
            {"colour": str(rng.choice(["red", "blue"])), "price": float(place % 100), "stock": place % 3 == 0},
        )
        for place, (image, text) in enumerate(vectors)
    ]


def queries(number: int) -> list[StoreQuery]:
    rng = np.random.default_rng(8)
    asked: list[StoreQuery] = []
    for place, near in enumerate(points(number)):
        weight = np.float32((place % 11) / 10)
        vectors = {
            channel: (vector + rng.normal(size=DIM).astype(np.float32) * 0.03) * share
            for (channel, vector), share in zip(near.vectors.items(), (weight, 1 - weight), strict=True)
        }
        asked.append(VectorQuery(vectors))
    return [*asked, WordsQuery("red shoe"), WordsQuery("bicycle")]


def exact_of(number: int) -> MemoryStore:
    store = MemoryStore(LAYOUT)
    store.upsert(points(number))
    return store


@pytest.fixture(scope="module")
def exact() -> MemoryStore:
    return exact_of(POINTS)


@pytest.fixture
def settings() -> QdrantSettings:
    return server_settings(shard_number=1)


@pytest.fixture
def stores(settings: QdrantSettings) -> Iterator[QdrantStores]:
    stores = QdrantStores(settings)
    yield stores
    for build in ("b1", "b2"):
        stores.remove(build)
    stores.close()


@pytest.fixture
def client(settings: QdrantSettings) -> Iterator[QdrantClient]:
    client = connect(settings, 10)
    yield client
    client.close()


def built(stores: QdrantStores, build: str, number: int) -> VectorStore:
    with stores.write(build, LAYOUT, number) as writer:
        writer.upsert(points(number))
        assert writer.finish() == number
    return stores.open(build, LAYOUT)


def recall(store: VectorStore, exact: VectorStore) -> float:
    """Mean share of the exact first ten that the store finds, of queries and of filtered queries."""
    dear = AnyOf((Condition("price", Op.GE, 80), Condition("colour", Op.EQ, "red")))
    shares = []
    for query in queries(100):
        for where in (None, dear):
            wanted = {hit.point_id for hit in exact.search(query, 10, where)}
            found = {hit.point_id for hit in store.search(query, 10, where)}
            shares.append(len(found & wanted) / len(wanted) if wanted else float(not found))
    return float(np.mean(shares))


@pytest.mark.parametrize("quantization", ["none", "int8", "turboquant", "binary"])
def test_graph_and_codes_lose_next_to_nothing_and_scores_are_exact(quantization: str, exact: MemoryStore) -> None:
    stores = QdrantStores(server_settings(quantization=quantization))
    try:
        store = built(stores, "b1", POINTS)
        assert recall(store, exact) >= 0.98
        query = VectorQuery({Channel.IMAGE: points(1)[0].vectors[Channel.IMAGE]})
        scores = {hit.point_id: hit.score for hit in exact.search(query, 100)}
        for hit in store.search(query, 10):
            assert hit.score == pytest.approx(scores[hit.point_id], abs=1e-3)
    finally:
        stores.remove("b1")
        stores.close()


def test_a_finished_build_is_green_indexed_and_as_it_was_asked_for(
    stores: QdrantStores, settings: QdrantSettings, client: QdrantClient
) -> None:
    built(stores, "b1", POINTS)
    found = client.get_collection(stores.collection("b1"))
    assert found.status is models.CollectionStatus.GREEN
    assert (found.indexed_vectors_count or 0) >= POINTS * 0.8
    assert found.config.hnsw_config.m == settings.m
    assert {key: index.data_type for key, index in found.payload_schema.items()} == {
        "f0": models.PayloadSchemaType.KEYWORD,
        "f1": models.PayloadSchemaType.FLOAT,
        "f2": models.PayloadSchemaType.KEYWORD,
    }


def test_a_snapshot_brings_a_build_back(stores: QdrantStores, tmp_path: Path) -> None:
    store = built(stores, "b1", 500)
    path = tmp_path / "b1.snapshot"
    stores.snapshot("b1", path)
    stores.remove("b1")
    stores.restore("b2", path, LAYOUT)
    restored = stores.open("b2", LAYOUT)
    assert restored.count() == 500
    assert recall(restored, exact_of(500)) >= 0.99
    with pytest.raises(StoreMismatch):
        store.count()


def test_a_snapshot_of_another_layout_is_refused_and_leaves_nothing(stores: QdrantStores, tmp_path: Path) -> None:
    built(stores, "b1", 100)
    stores.snapshot("b1", tmp_path / "b1.snapshot")
    other = Layout(DIM, LAYOUT.fill, {}, LAYOUT.lexicon)
    with pytest.raises(StoreMismatch, match="not made for this build"):
        stores.restore("b2", tmp_path / "b1.snapshot", other)
    assert not stores.holds("b2")
    checksum_of(tmp_path / "b1.snapshot").write_text("0" * 64)
    with pytest.raises(StoreMismatch, match="damaged"):
        stores.restore("b2", tmp_path / "b1.snapshot", LAYOUT)


def test_an_edge_replica_of_a_shard_answers_as_the_server(stores: QdrantStores, tmp_path: Path) -> None:
    store = built(stores, "b1", 2_000)
    stores.snapshot_shard("b1", tmp_path / "b1.shard")
    where = Condition("colour", Op.EQ, "red")
    with unpack_replica(tmp_path / "b1.shard", tmp_path / "replica", LAYOUT) as replica:
        assert replica.count() == store.count()
        ids = [hit.point_id for hit in store.search(queries(1)[0], 100)]
        assert replica.read(ids) == store.read(ids) != {}
        for query in queries(50):
            for condition in (None, where):
                theirs, ours = store.search(query, 10, condition), replica.search(query, 10, condition)
                assert [hit.point_id for hit in ours] == [hit.point_id for hit in theirs]
                assert [hit.score for hit in ours] == pytest.approx([hit.score for hit in theirs], abs=1e-3)


def test_readers_of_an_alias_never_find_it_missing(stores: QdrantStores, client: QdrantClient) -> None:
    built(stores, "b1", 100)
    built(stores, "b2", 200)
    alias = stores.alias("shop")
    stores.publish("shop", "b1")
    counts = set()
    for turn in range(20):
        stores.publish("shop", f"b{turn % 2 + 1}")
        counts.add(client.count(alias, exact=True).count)
    assert counts == {100, 200}


@pytest.mark.skipif("QDRANT_RESTART" not in os.environ, reason="QDRANT_RESTART holds no command that restarts Qdrant")
def test_builds_and_aliases_outlive_a_restart(stores: QdrantStores, client: QdrantClient) -> None:
    store = built(stores, "b1", 300)
    stores.publish("shop", "b1")
    subprocess.run(os.environ["QDRANT_RESTART"], shell=True, check=True)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            assert store.count() == 300
            break
        except StoreUnavailable:
            time.sleep(1)
    assert stores.holds("b1")
    assert client.count(stores.alias("shop"), exact=True).count == 300


@pytest.mark.skipif("QDRANT_API_KEY" not in os.environ, reason="QDRANT_API_KEY is not set: the server asks for no key")
@pytest.mark.parametrize("prefer_grpc", [True, False])
@pytest.mark.parametrize("key", [None, "wr0ng"])
def test_without_the_key_nothing_is_told(key: str | None, prefer_grpc: bool) -> None:
    stores = QdrantStores(server_settings(api_key=key, prefer_grpc=prefer_grpc))
    with pytest.raises(StoreUnavailable, match="VITRINE_STORE__QDRANT__API_KEY") as raised:
        stores.holds("b1")
    assert "wr0ng" not in str(raised.value)
    stores.close()


@pytest.mark.skipif("QDRANT_CA" not in os.environ, reason="QDRANT_CA is not set: the server speaks no TLS of its own")
@pytest.mark.parametrize("prefer_grpc", [True, False])
def test_a_server_that_no_known_authority_signed_is_not_trusted(prefer_grpc: bool) -> None:
    stores = QdrantStores(server_settings(ca=None, prefer_grpc=prefer_grpc, retries=0))
    with pytest.raises(StoreUnavailable):
        stores.holds("b1")
    stores.close()
