"""Qdrant stores for tests: on the client's local mode, over a wire to it, and on the server that QDRANT_URL names.

QDRANT_GRPC_PORT, QDRANT_API_KEY and QDRANT_CA are its second port, its key and the PEM file of its authority, where
it has them.
"""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Final

from qdrant_client import QdrantClient, models

from indexer.store_settings import QdrantSettings
from indexer.stores.qdrant import QdrantStore
from indexer.stores.qdrant_keeping import QdrantStores
from indexer.stores.seam import Layout
from tests.qdrant_server.wire import Wire, serving

URL: Final = os.environ.get("QDRANT_URL")
NO_SERVER: Final = "QDRANT_URL names no Qdrant server: docker compose -f deploy/compose.yaml up --wait qdrant"


def local_stores(client: QdrantClient | None = None) -> QdrantStores:
    """On the client's local mode, which is green at once and never away, so that nothing waits."""
    client = client or QdrantClient(":memory:")
    with warnings.catch_warnings(action="ignore"):
        _warned(client)
    return QdrantStores(QdrantSettings(), client, sleep=lambda seconds: None)


def wire_stores(wire: Wire, **changes: object) -> QdrantStores:
    """On a server of tests/qdrant_server/wire.py; no REST interface answers."""
    given = {"url": "http://127.0.0.1:1", "grpc_port": wire.port, **changes}
    return QdrantStores(QdrantSettings.model_validate(given), sleep=wire.waits.append)


def server_settings(**changes: object) -> QdrantSettings:
    """Of the server that QDRANT_URL names, under a prefix of its own."""
    given = {
        "url": URL,
        "grpc_port": os.environ.get("QDRANT_GRPC_PORT", "6334"),
        "api_key": os.environ.get("QDRANT_API_KEY"),
        "ca": os.environ.get("QDRANT_CA"),
        "prefix": f"test-{token_hex(4)}",
        **changes,
    }
    return QdrantSettings.model_validate(given)


@contextmanager
def local_store(path: Path, layout: Layout) -> Iterator[QdrantStore]:
    yield from _one(local_stores(), layout)


@contextmanager
def wire_store(path: Path, layout: Layout) -> Iterator[QdrantStore]:
    with serving() as wire:
        yield from _one(wire_stores(wire), layout)


@contextmanager
def server_store(path: Path, layout: Layout) -> Iterator[QdrantStore]:
    yield from _one(QdrantStores(server_settings()), layout)


@contextmanager
def coded_store(path: Path, layout: Layout) -> Iterator[QdrantStore]:
    """On the server, found by int8 codes; it builds no graph over so few points."""
    yield from _one(QdrantStores(server_settings(quantization="int8")), layout)


def _one(stores: QdrantStores, layout: Layout) -> Iterator[QdrantStore]:
    try:
        with stores.write("build", layout, 0) as writer:
            writer.finish()
        yield stores.open("build", layout)
    finally:
        stores.remove("build")
        stores.close()


def _warned(client: QdrantClient) -> None:
    """Have local mode say, once a process, that it has no payload indexes and searches exactly whatever is asked."""
    client.create_collection("said", models.VectorParams(size=1, distance=models.Distance.DOT))
    client.create_payload_index("said", "field", models.PayloadSchemaType.KEYWORD)
    client.query_points("said", query=[1.0], search_params=models.SearchParams(exact=True))
    client.delete_collection("said")
