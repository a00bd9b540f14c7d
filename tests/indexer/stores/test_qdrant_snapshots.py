"""Snapshots over REST, from a small server that keeps files, and Edge replicas made of a shard's snapshot."""

import hashlib
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from indexer.errors import StoreMismatch, StoreOwned, StoreUnavailable
from indexer.store_settings import QdrantSettings
from indexer.stores.edge import EdgeStore
from indexer.stores.edge_replica import unpack_replica
from indexer.stores.qdrant_calls import Server, connect
from indexer.stores.qdrant_snapshots import checksum_of, recover, save, verified
from tests.indexer.stores.lives import LAYOUT, after, batch, content

CONTENT = b"a snapshot " * 200_000


@dataclass
class Files:
    """`sent` is what a download gives, `remote` the shards of other nodes, `uploads` the checksums that came."""

    sent: bytes = CONTENT
    remote: list[dict[str, object]] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    keys: set[str | None] = field(default_factory=set)
    uploads: list[str] = field(default_factory=list)


@pytest.fixture
def files() -> Files:
    return Files()


@pytest.fixture
def settings(files: Files) -> Iterator[QdrantSettings]:
    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            files.keys.add(self.headers["api-key"])
            if self.path.endswith("/cluster"):
                shards = {"peer_id": 1, "shard_count": 1, "local_shards": [], "shard_transfers": []}
                self._say({**shards, "remote_shards": files.remote})
            else:
                self._answer(files.sent)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"] or 0))
            if "/snapshots/upload" in self.path:
                files.uploads.append(self.path.partition("checksum=")[2].partition("&")[0])
                assert CONTENT in body
                self._say(True)
            else:
                files.kept.add("s1")
                self._say({"name": "s1", "size": len(CONTENT), "checksum": hashlib.sha256(CONTENT).hexdigest()})

        def do_DELETE(self) -> None:
            files.kept.remove(self.path.rsplit("/", 1)[1].partition("?")[0])
            self._say(True)

        def _say(self, result: object) -> None:
            self._answer(json.dumps({"result": result, "status": "ok", "time": 0.0}).encode())

        def _answer(self, content: bytes) -> None:
            self.send_response(200)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Not among the tests' output."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        yield QdrantSettings.model_validate({"url": url, "api_key": "k3y", "prefer_grpc": False})
        server.shutdown()


@pytest.fixture
def server(settings: QdrantSettings) -> Iterator[Server]:
    client = connect(settings, 10)
    yield Server(client, settings.url, 0)
    client.close()


class TestSnapshots:
    def test_a_snapshot_is_fetched_whole_and_not_left_on_the_server(
        self, server: Server, settings: QdrantSettings, files: Files, tmp_path: Path
    ) -> None:
        path = tmp_path / "b1.snapshot"
        save(server, "vitrine_b1", path, settings)
        assert path.read_bytes() == CONTENT
        assert checksum_of(path).read_text() == f"{hashlib.sha256(CONTENT).hexdigest()}  b1.snapshot\n"
        assert files.kept == set()
        assert files.keys == {"k3y"}
        assert sorted(entry.name for entry in tmp_path.iterdir()) == ["b1.snapshot", "b1.snapshot.sha256"]

    def test_a_download_that_differs_from_its_checksum_is_thrown_away(
        self, server: Server, settings: QdrantSettings, files: Files, tmp_path: Path
    ) -> None:
        files.sent = b"b" + CONTENT[1:]
        with pytest.raises(StoreUnavailable, match="damaged on its way"):
            save(server, "vitrine_b1", tmp_path / "b1.snapshot", settings)
        assert list(tmp_path.iterdir()) == []
        assert files.kept == set()

    def test_one_nodes_part_is_not_taken_for_the_whole(
        self, server: Server, settings: QdrantSettings, files: Files, tmp_path: Path
    ) -> None:
        files.remote = [{"shard_id": 1, "peer_id": 2, "state": "Active"}]
        with pytest.raises(StoreMismatch, match="several nodes"):
            save(server, "vitrine_b1", tmp_path / "b1.snapshot", settings)

    def test_a_directory_that_is_not_there_is_said(
        self, server: Server, settings: QdrantSettings, files: Files, tmp_path: Path
    ) -> None:
        with pytest.raises(StoreUnavailable, match=r"missing/b1\.snapshot"):
            save(server, "vitrine_b1", tmp_path / "missing" / "b1.snapshot", settings)
        assert files.kept == set()

    def test_what_was_saved_is_recovered_with_its_checksum(
        self, server: Server, settings: QdrantSettings, files: Files, tmp_path: Path
    ) -> None:
        path = tmp_path / "b1.snapshot"
        save(server, "vitrine_b1", path, settings)
        recover(server, "vitrine_b2", path)
        assert files.uploads == [hashlib.sha256(CONTENT).hexdigest()]

    def test_a_flipped_byte_is_refused_before_anything_is_sent(
        self, server: Server, settings: QdrantSettings, files: Files, tmp_path: Path
    ) -> None:
        path = tmp_path / "b1.snapshot"
        save(server, "vitrine_b1", path, settings)
        path.write_bytes(CONTENT[:-1] + b"!")
        with pytest.raises(StoreMismatch, match=r"b1\.snapshot is damaged"):
            recover(server, "vitrine_b2", path)
        checksum_of(path).unlink()
        with pytest.raises(StoreMismatch, match=r"b1\.snapshot\.sha256 cannot be read"):
            verified(path)
        assert files.uploads == []


def shard_snapshot(directory: Path) -> Path:
    """As a server packs a shard: each segment an archive of its own, and no file of Edge's own."""
    with EdgeStore.create(directory / "origin", LAYOUT) as store:
        store.upsert(batch(0))
        store.seal()
    shard, path = directory / "origin" / "shard", directory / "shard.snapshot"
    with tarfile.open(path, "w") as archive:
        archive.add(shard / "wal", "wal")
        for segment in (shard / "segments").iterdir():
            packed = directory / f"{segment.name}.tar"
            with tarfile.open(packed, "w") as inner:
                inner.add(segment, "snapshot")
            archive.add(packed, f"segments/{packed.name}")
    return path


class TestReplicas:
    def test_a_replica_answers_as_its_origin(self, tmp_path: Path) -> None:
        snapshot = shard_snapshot(tmp_path)
        for _ in range(2):
            with unpack_replica(snapshot, tmp_path / "replica", LAYOUT) as store:
                assert content(store, 1) == after(1)
        with EdgeStore.open(tmp_path / "replica", LAYOUT) as store:
            assert content(store, 1) == after(1)

    def test_a_replica_in_use_is_not_replaced(self, tmp_path: Path) -> None:
        snapshot = shard_snapshot(tmp_path)
        with unpack_replica(snapshot, tmp_path / "replica", LAYOUT) as store:
            with pytest.raises(StoreOwned):
                unpack_replica(snapshot, tmp_path / "replica", LAYOUT)
            assert store.count() == 20

    def test_a_file_that_is_no_snapshot_is_named_and_leaves_no_store(self, tmp_path: Path) -> None:
        (tmp_path / "odd").write_bytes(b"nonsense" * 100)
        with pytest.raises(StoreMismatch, match="replica"):
            unpack_replica(tmp_path / "odd", tmp_path / "replica", LAYOUT)
        with pytest.raises(StoreMismatch):
            EdgeStore.open(tmp_path / "replica", LAYOUT)
