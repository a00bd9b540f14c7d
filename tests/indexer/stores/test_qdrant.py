"""The Qdrant adapter without a server: what it asks over gRPC, and what its builds become.

Local mode deviates from a server: it keeps no graph, codes, placement or shards, knows no yellow, and has neither
snapshots nor REST. So what is asked is looked up on the wire, and what comes of it in tests/qdrant_server.
"""

from pathlib import Path
from uuid import uuid4

import pytest
from qdrant_client import QdrantClient, models
from qdrant_client import grpc as proto

from indexer.domain import Channel, FieldType, VectorQuery, WordsQuery
from indexer.errors import StoreMismatch, StoreUnavailable
from indexer.stores.qdrant_keeping import QdrantStores
from indexer.stores.seam import Layout
from tests.indexer.stores.lives import LAYOUT, batch, made
from tests.qdrant_server.made import local_stores, wire_stores
from tests.qdrant_server.wire import serving

IMAGE = Channel.IMAGE
YELLOW, GREY, RED = models.CollectionStatus.YELLOW, models.CollectionStatus.GREY, models.CollectionStatus.RED


def built(stores: QdrantStores, build: str = "b1", turns: int = 1, expected: int = 0) -> int:
    with stores.write(build, LAYOUT, expected) as writer:
        for turn in range(turns):
            writer.upsert(batch(turn))
        return writer.finish()


def query(number: int, version: int = 0) -> VectorQuery:
    return VectorQuery({IMAGE: made(number, version).vectors[IMAGE]})


def published(client: QdrantClient) -> dict[str, str]:
    return {a.alias_name: a.collection_name for a in client.get_aliases().aliases}


def write_and_fail(stores: QdrantStores) -> None:
    with stores.write("b1", LAYOUT, 100) as writer:
        writer.upsert(batch(0))
        raise ZeroDivisionError


class TestKeeping:
    def test_a_build_is_held_once_it_is_finished_and_until_it_is_removed(self) -> None:
        stores = local_stores()
        with stores.write("b1", LAYOUT, 100) as writer:
            writer.upsert(batch(0))
            assert not stores.holds("b1")
            assert writer.finish() == 20
        assert stores.holds("b1")
        assert stores.open("b1", LAYOUT).search(query(3), 1)[0].product_id == "p3"
        stores.remove("b1")
        stores.remove("b1")
        assert not stores.holds("b1")

    def test_a_block_left_without_finish_leaves_nothing(self) -> None:
        client = QdrantClient(":memory:")
        with pytest.raises(ZeroDivisionError):
            write_and_fail(local_stores(client))
        assert client.get_collections().collections == []

    def test_a_build_that_was_killed_is_not_taken_for_a_finished_one(self) -> None:
        stores = local_stores()
        with stores.write("b1", LAYOUT, 100):
            assert not stores.holds("b1")
            with pytest.raises(StoreMismatch, match="did not finish"):
                stores.open("b1", LAYOUT)

    def test_a_build_written_again_has_nothing_of_the_first_time(self) -> None:
        stores = local_stores()
        built(stores, turns=3)
        assert built(stores, turns=1) == 20

    def test_what_opens_is_the_build_that_was_meant(self) -> None:
        client = QdrantClient(":memory:")
        stores = local_stores(client)
        with pytest.raises(StoreMismatch, match="no collection vitrine_b1 at http://localhost:6333"):
            stores.open("b1", LAYOUT)
        built(stores)
        other = Layout(LAYOUT.dim, LAYOUT.fill, {}, LAYOUT.lexicon)
        with pytest.raises(StoreMismatch, match="not made for this build"):
            stores.open("b1", other)
        client.create_collection("vitrine_foreign", {})
        with pytest.raises(StoreMismatch, match="not made for this build"):
            stores.open("foreign", LAYOUT)

    def test_a_closed_store_says_so_and_leaves_the_others_open(self) -> None:
        stores = local_stores()
        built(stores)
        store, other = stores.open("b1", LAYOUT), stores.open("b1", LAYOUT)
        store.close()
        store.close()
        with pytest.raises(StoreUnavailable, match="closed"):
            store.count()
        assert other.count() == 20

    def test_several_processes_write_one_build_and_one_of_them_finishes_it(self) -> None:
        stores = local_stores()
        with stores.write("b1", LAYOUT, 100) as first:
            first.upsert(batch(0))
            with stores.attach("b1", LAYOUT) as second:
                second.upsert(batch(5))
                second.finish()
            assert not stores.holds("b1")
            assert first.finish() == 40
        with pytest.raises(StoreMismatch, match="finished"), stores.attach("b1", LAYOUT):
            pass
        with pytest.raises(StoreMismatch, match="no collection"), stores.attach("b2", LAYOUT):
            pass

    @pytest.mark.parametrize("catalog", ["shop", "Größe/42 🎽", "a:b*c?", ".."])
    def test_publishing_moves_one_alias_at_once_and_may_be_repeated(self, catalog: str) -> None:
        client = QdrantClient(":memory:")
        stores = local_stores(client)
        built(stores, "b1")
        built(stores, "b2")
        stores.publish("other", "b1")
        for build in ("b1", "b2", "b2", "b1"):
            stores.publish(catalog, build)
            assert published(client) == {"vitrine_other": "vitrine_b1", stores.alias(catalog): f"vitrine_{build}"}
        with pytest.raises(StoreMismatch):
            stores.publish(catalog, "b3")
        assert published(client)[stores.alias(catalog)] == "vitrine_b1"

    def test_local_mode_has_no_snapshots_and_says_so(self, tmp_path: Path) -> None:
        stores = local_stores()
        with pytest.raises(StoreMismatch, match="no finished build b1"):
            stores.snapshot("b1", tmp_path / "b1.snapshot")
        built(stores)
        with pytest.raises(StoreMismatch, match="needs a Qdrant server"):
            stores.snapshot("b1", tmp_path / "b1.snapshot")
        assert list(tmp_path.iterdir()) == []


class TestCollections:
    def test_indexes_come_first_the_graph_last_and_the_mark_at_the_end(self) -> None:
        fields = {"colour": FieldType.KEYWORD, "price": FieldType.NUMBER, "stock": FieldType.FLAG}
        layout = Layout(LAYOUT.dim, LAYOUT.fill, fields, LAYOUT.lexicon)
        with serving() as wire, wire_stores(wire).write("b1", layout, 50_000) as writer:
            writer.upsert(batch(0))
            writer.finish()
        kinds = [type(asked) for asked in wire.requests]
        created = wire.asked(proto.CreateCollection)[0]
        indexed = {asked.field_name: asked.field_type for asked in wire.asked(proto.CreateFieldIndexCollection)}
        graph, mark = wire.asked(proto.UpdateCollection)
        assert created.hnsw_config.m == 0
        assert indexed == {
            "f0": proto.FieldType.FieldTypeKeyword,
            "f1": proto.FieldType.FieldTypeFloat,
            "f2": proto.FieldType.FieldTypeKeyword,
        }
        last_index = len(kinds) - 1 - kinds[::-1].index(proto.CreateFieldIndexCollection)
        assert last_index < kinds.index(proto.UpsertPoints) < kinds.index(proto.UpdateCollection)
        assert graph.hnsw_config.m == 16
        assert kinds.index(proto.GetCollectionInfoRequest) > wire.requests.index(graph)
        assert mark.metadata["finished"].bool_value
        assert wire.requests[-1] == mark

    def test_a_small_build_is_scanned_and_never_gets_a_graph(self) -> None:
        with serving() as wire:
            stores = wire_stores(wire)
            built(stores, expected=10_000)
            stores.open("b1", LAYOUT).search(query(1), 1)
        assert not any(asked.hnsw_config.HasField("m") for asked in wire.asked(proto.UpdateCollection))
        assert wire.asked(proto.QueryPoints)[0].params.exact

    @pytest.mark.parametrize(
        ("expected", "settings", "codes", "vectors"),
        [
            (200_000, {}, None, proto.Cached),
            (200_001, {}, "scalar", proto.Cold),
            (200_001, {"quantization": "none"}, None, proto.Cached),
            (5, {"quantization": "binary"}, "binary", proto.Cold),
            (5, {"quantization": "turboquant", "vectors_on_disk": False}, "turboquant", proto.Cached),
        ],
    )
    def test_codes_stay_in_memory_and_original_vectors_give_the_scores(
        self, expected: int, settings: dict[str, object], codes: str | None, vectors: int
    ) -> None:
        with serving() as wire:
            stores = wire_stores(wire, **settings)
            built(stores, expected=expected)
            store = stores.open("b1", LAYOUT)
            store.search(query(1), 1)
            store.search(query(1), 1, among=[made(1).id])
        created = wire.asked(proto.CreateCollection)[0]
        assert created.quantization_config.WhichOneof("quantization") == codes
        assert created.vectors_config.params_map.map["dense"].memory == vectors
        found, among = (asked.params for asked in wire.asked(proto.QueryPoints))
        assert among.exact
        assert among.quantization.ignore
        assert found.hnsw_ef == 256
        if codes is not None:
            assert getattr(created.quantization_config, codes).memory == proto.Pinned
            assert found.quantization.rescore
            assert found.quantization.oversampling >= 2

    def test_every_other_setting_arrives_at_the_server(self) -> None:
        with serving() as wire:
            stores = wire_stores(
                wire,
                prefix="acme",
                shard_number=3,
                replication_factor=2,
                write_consistency_factor=2,
                graph_on_disk=True,
                words_on_disk=True,
                payload_on_disk=False,
                m=32,
                ef_construct=200,
                ef=64,
                quantization="int8",
                oversampling=3.0,
                api_key="k3y",
            )
            built(stores, expected=50_000)
            stores.open("b1", LAYOUT).search(query(1), 1)
        created = wire.asked(proto.CreateCollection)[0]
        assert created.collection_name == "acme_b1"
        assert (created.shard_number, created.replication_factor, created.write_consistency_factor) == (3, 2, 2)
        assert (created.hnsw_config.ef_construct, created.hnsw_config.memory) == (200, proto.Cold)
        assert created.sparse_vectors_config.map["lexical"].index.memory == proto.Cold
        assert created.payload.memory == proto.Cached
        assert wire.asked(proto.UpdateCollection)[0].hnsw_config.m == 32
        asked = wire.asked(proto.QueryPoints)[0]
        assert (asked.params.hnsw_ef, asked.params.quantization.oversampling, asked.timeout) == (64, 3.0, 5)
        assert {headers["api-key"] for headers in wire.headers} == {"k3y"}

    def test_points_travel_in_batches_and_the_last_of_equal_ids_stays(self) -> None:
        with serving() as wire:
            stores = wire_stores(wire, batch=3, streams=4)
            with stores.write("b1", LAYOUT, 100) as writer:
                writer.upsert(batch(0))
                for version in range(20):
                    writer.upsert([made(99, version)])
                assert writer.finish() == 21
            assert stores.open("b1", LAYOUT).search(query(99, 19), 1)[0].score == pytest.approx(1, abs=1e-3)
        assert max(len(asked.points) for asked in wire.asked(proto.UpsertPoints)) == 3

    def test_a_point_that_does_not_fit_never_reaches_the_server(self) -> None:
        stores = local_stores()
        wide = made(1).vectors[IMAGE].repeat(2)
        odd = type(made(1))(uuid4(), "odd", "0", {IMAGE: wide}, "", {})
        with pytest.raises(StoreMismatch, match="'odd'"), stores.write("b1", LAYOUT, 5) as writer:
            writer.upsert([odd])

    def test_words_of_which_nothing_is_left_ask_the_server_nothing(self) -> None:
        with serving() as wire:
            stores = wire_stores(wire)
            built(stores)
            store = stores.open("b1", LAYOUT)
            assert store.search(WordsQuery("the of 🎽"), 5) == []
            assert store.search(query(1), 5, among=[]) == []
            assert store.search(query(1), 0) == []
        assert wire.asked(proto.QueryPoints) == []


class TestWaitingForGreen:
    def test_a_build_is_finished_when_the_server_has_stayed_green(self) -> None:
        with serving() as wire:
            stores = wire_stores(wire)
            wire.statuses = [YELLOW, models.CollectionStatus.GREEN, YELLOW]
            assert built(stores, expected=50_000) == 20
        assert len(wire.asked(proto.GetCollectionInfoRequest)) == 5
        assert wire.waits == [0.05, 0.1, 0.2, 0.4]

    def test_optimising_put_off_by_a_restart_is_woken(self) -> None:
        with serving() as wire:
            wire.statuses = [GREY]
            built(wire_stores(wire), expected=50_000)
        assert len(wire.asked(proto.UpdateCollection)) == 3

    def test_red_and_endless_yellow_are_said_and_the_collection_is_dropped(self) -> None:
        with serving() as wire:
            stores = wire_stores(wire, patience=1)
            wire.statuses = [RED]
            with pytest.raises(StoreUnavailable, match="cannot optimise"):
                built(stores)
            wire.statuses = [YELLOW] * 100_000
            with pytest.raises(StoreUnavailable, match="yellow after 1 seconds: set VITRINE_STORE__QDRANT__PATIENCE"):
                built(stores)
            wire.statuses = []
            assert not stores.holds("b1")
        assert len(wire.asked(proto.DeleteCollection)) == 2
