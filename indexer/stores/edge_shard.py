"""How an Edge shard lies in a store's directory, is created and loaded, and what its errors mean.

directory/owner.lock    held by the process that owns the store
directory/layout.json   which layout and which precision the shard was created with
directory/sealed        written last: the build that filled the store had finished
directory/shard/        the engine's own files
"""

import errno
import json
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol, cast
from uuid import UUID

import qdrant_edge as engine

from indexer.domain import VECTOR_CHANNELS, FieldType
from indexer.errors import StoreMismatch, StoreOwned, StoreUnavailable
from indexer.stores.pointer import write_atomically
from indexer.stores.points import DENSE, LEXICAL, keys_of
from indexer.stores.seam import Layout

SEALED: Final = "sealed"

GRAPH: Final = engine.HnswIndexConfig(m=16, ef_construct=100, full_scan_threshold=10_000)
NEVER: Final = 2**40
"""Kilobytes of vectors from which a segment gets a graph."""
OUTSIDE: Final = {errno.EACCES, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC, errno.EROFS}
"""System errors that are not the fault of the store's files."""


class Stored(Protocol):
    """A record as this adapter writes them; the engine's own type allows every kind of id and vector."""

    id: UUID
    payload: dict[str, Any]
    vector: dict[str, list[float]]


def retrieve(shard: engine.EdgeShard, ids: Sequence[UUID], payload: list[str], vector: list[str]) -> list[Stored]:
    """Those of the points that exist, with these payload keys and vectors."""
    return cast("list[Stored]", shard.retrieve(list(ids), with_payload=payload, with_vector=vector))


def create_shard(directory: Path, layout: Layout, exact: bool) -> engine.EdgeShard:
    """An empty shard with its payload indexes; whatever the directory held is removed."""
    (directory / SEALED).unlink(missing_ok=True)
    (directory / "layout.json").unlink(missing_ok=True)
    shutil.rmtree(directory / "shard", ignore_errors=True)
    shard = engine.EdgeShard.create(str(directory / "shard"), _config(layout, exact))
    for name, key in keys_of(layout).items():
        number = layout.fields[name] is FieldType.NUMBER
        schema = engine.PayloadSchemaType.Float if number else engine.PayloadSchemaType.Keyword
        shard.update(engine.UpdateOperation.create_field_index(key, schema))
    described = {"layout": layout.fingerprint(), "exact": exact}
    write_atomically(directory / "layout.json", json.dumps(described).encode())
    return shard


def read_description(directory: Path) -> tuple[str, bool]:
    """Fingerprint of the layout, and whether the shard is exact. Raises StoreMismatch when neither is to be found."""
    try:
        described = json.loads((directory / "layout.json").read_bytes())
        return described["layout"], described["exact"]
    except (FileNotFoundError, ValueError, KeyError, TypeError) as error:
        raise StoreMismatch(f"{directory} holds no complete store: build the index again.") from error


def load_shard(directory: Path, layout: Layout) -> tuple[engine.EdgeShard, bool]:
    """The shard and whether it is exact. Raises StoreMismatch when it was not created with this layout."""
    fingerprint, exact = read_description(directory)
    if fingerprint != layout.fingerprint():
        raise StoreMismatch(f"The store in {directory} was not made for this build: build the index again.")
    return engine.EdgeShard.load(str(directory / "shard")), exact


def mark_sealed(directory: Path) -> None:
    """Note, durably, that the store is finished."""
    write_atomically(directory / SEALED, b"")


def is_sealed(directory: Path) -> bool:
    """Whether the build that filled the store had finished it."""
    return (directory / SEALED).is_file()


def remove_store(directory: Path) -> None:
    """The mark of a finished store goes first: whatever an interruption leaves behind is not one."""
    (directory / SEALED).unlink(missing_ok=True)
    shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def translated(directory: Path, otherwise: type[StoreMismatch] | type[StoreUnavailable]) -> Iterator[None]:
    """Turn the engine's errors, all of class Exception itself, into StoreOwned, StoreUnavailable or `otherwise`."""
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(f"The store in {directory} cannot be used: {error}.") from error
    except Exception as error:
        if type(error) is not Exception:
            raise
        message = str(error).removeprefix("Service runtime error: ")
        if "WouldBlock" in message:
            raise StoreOwned(
                f"The store in {directory} is owned by another process: ask the running service, or stop it first."
            ) from error
        code = re.search(r"os error (\d+)", message)
        meaning = StoreUnavailable if code and int(code[1]) in OUTSIDE else otherwise
        raise meaning(f"The store in {directory} cannot be used: {message}") from error


def _config(layout: Layout, exact: bool) -> engine.EdgeConfig:
    """One segment, because a query pays for each; the appendable one for live changes is beside it."""
    size = len(VECTOR_CHANNELS) * layout.dim
    codes = engine.TurboQuantQuantizationConfig(bits=engine.TurboQuantBitSize.Bits4)
    return engine.EdgeConfig(
        vectors={DENSE: engine.EdgeVectorParams(size=size, distance=engine.Distance.Dot)},
        sparse_vectors={LEXICAL: engine.EdgeSparseVectorParams()},
        hnsw_config=GRAPH,
        quantization_config=None if exact else codes,
        optimizers=engine.EdgeOptimizersConfig(default_segment_number=1, indexing_threshold=NEVER if exact else None),
        payload_memory=engine.Memory.Cached,
    )
