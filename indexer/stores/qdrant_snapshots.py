"""Snapshots of one collection, to a file and from a file, with the SHA-256 that the server took checked on the way."""

import hashlib
import os
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from secrets import token_hex
from typing import Final
from urllib.parse import quote

from qdrant_client import models

from indexer.errors import StoreMismatch, StoreUnavailable
from indexer.store_settings import QdrantSettings
from indexer.stores.pointer import write_atomically
from indexer.stores.qdrant_calls import Server

CHUNK: Final = 1 << 20


def save(server: Server, name: str, path: Path, settings: QdrantSettings) -> None:
    """Have the server make a snapshot of the collection, fetch it to `path` and delete the server's copy."""
    client = server.client
    _on_one_node(server, name)
    made = server.ask(lambda: client.create_snapshot(name, wait=True))
    try:
        _fetch_verified(server, f"collections/{quote(name, safe='')}/snapshots", made, path, settings)
    finally:
        if made is not None:
            server.ask(lambda: client.delete_snapshot(name, made.name, wait=True))


def save_shard(server: Server, name: str, path: Path, settings: QdrantSettings) -> None:
    """The same of the collection's only shard, which an Edge replica is made of."""
    client = server.client
    found = server.ask(lambda: client.get_collection(name))
    if found.config.params.shard_number != 1:
        raise StoreMismatch(
            f"The collection {name} has {found.config.params.shard_number} shards, a replica one: "
            "set VITRINE_STORE__QDRANT__SHARD_NUMBER=1 and build again."
        )
    _on_one_node(server, name)
    made = server.ask(lambda: client.create_shard_snapshot(name, 0, wait=True))
    try:
        _fetch_verified(server, f"collections/{quote(name, safe='')}/shards/0/snapshots", made, path, settings)
    finally:
        if made is not None:
            server.ask(lambda: client.delete_shard_snapshot(name, 0, made.name, wait=True))


def recover(server: Server, name: str, path: Path) -> None:
    """Make the collection from the file."""
    expected = verified(path)

    def upload() -> object:
        with path.open("rb") as file:
            return server.client.http.snapshots_api.recover_from_uploaded_snapshot(
                name, wait=True, priority=models.SnapshotPriority.SNAPSHOT, checksum=expected, snapshot=file
            )

    server.ask(upload)


def checksum_of(path: Path) -> Path:
    """Where the SHA-256 of a snapshot is written, as `sha256sum` does."""
    return path.with_name(f"{path.name}.sha256")


def verified(path: Path) -> str:
    """The SHA-256 of a snapshot, 64 hex digits. Raises StoreMismatch when it is not the one written beside it."""
    try:
        expected = checksum_of(path).read_text("ascii").split()[0]
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
    except (OSError, ValueError, IndexError) as error:
        raise StoreMismatch(f"{path} and its checksum {checksum_of(path).name} cannot be read: {error}.") from error
    if digest.hexdigest() != expected:
        raise StoreMismatch(f"{path} is damaged: it is not the file whose checksum was written. Take another snapshot.")
    return expected


def _on_one_node(server: Server, name: str) -> None:
    """A snapshot holds what one node has of a collection."""
    cluster = server.ask(lambda: server.client.http.distributed_api.collection_cluster_info(name)).result
    if cluster is not None and cluster.remote_shards:
        raise StoreMismatch(
            f"The collection {name} is spread over several nodes, of which a snapshot holds one: "
            "copy the build to another store instead."
        )


def _fetch_verified(
    server: Server, place: str, made: models.SnapshotDescription | None, path: Path, settings: QdrantSettings
) -> None:
    if made is None or made.checksum is None:
        raise StoreMismatch(f"Qdrant at {server.address} made a snapshot without a checksum: update the server.")
    found = _fetch(f"{settings.url}/{place}/{quote(made.name, safe='')}", path, settings)
    if found != made.checksum:
        path.unlink()
        raise StoreUnavailable(f"The snapshot {path.name} was damaged on its way from {server.address}: try again.")
    write_atomically(checksum_of(path), f"{found}  {path.name}\n".encode())


def _fetch(url: str, path: Path, settings: QdrantSettings) -> str:
    """Download to `path`, durably and whole or not at all; the SHA-256 of what came."""
    headers = {"api-key": settings.api_key.get_secret_value()} if settings.api_key is not None else {}
    context = ssl.create_default_context(cafile=settings.ca) if url.startswith("https://") else None
    temporary = path.with_name(f".{path.name}.{token_hex(4)}")
    digest = hashlib.sha256()
    try:
        request = urllib.request.Request(url, headers=headers)
        with (
            urllib.request.urlopen(request, timeout=settings.timeout, context=context) as answer,
            temporary.open("xb") as file,
        ):
            while chunk := answer.read(CHUNK):
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise StoreUnavailable(f"The snapshot cannot be fetched from {url} to {path}: {error}.") from error
    finally:
        temporary.unlink(missing_ok=True)
    return digest.hexdigest()
