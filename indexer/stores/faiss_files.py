"""The files of a FAISS build and the manifest that vouches for each of them before it is parsed.

directory/vectors.f32      (points, 2·dim) little-endian floats, memory-mapped: exact scores and vectors come from here
directory/points.parquet   ids, names, missing halves, payload
directory/replaced.i64     rows that a later row of the same build replaced
directory/postings.*       the inverted file of the lexical channel
directory/index.faiss      absent from a flat build
directory/manifest.json    written last: without it the directory holds nothing
"""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from indexer.domain import Frozen
from indexer.errors import StoreMismatch, StoreUnavailable
from indexer.stores.faiss_choice import Kind
from indexer.stores.pointer import write_atomically

VECTORS: Final = "vectors.f32"
POINTS: Final = "points.parquet"
REPLACED: Final = "replaced.i64"
INDEX: Final = "index.faiss"
MANIFEST: Final = "manifest.json"
FORMAT: Final = 1
MANIFEST_AT_MOST: Final = 64 * 1024
"""Bytes; one of ours has less than 2 kB."""
Scalar = TypeVar("Scalar", bound=np.generic)


class Kept(Frozen):
    bytes: int
    sha256: str


class FaissManifest(Frozen):
    format: int
    layout: str
    """Fingerprint of the layout."""
    rows: int
    points: int
    """Rows that no later one replaced."""
    kind: Kind
    reason: str
    files: dict[str, Kept]


def seal(directory: Path, layout: str, rows: int, points: int, kind: Kind, reason: str) -> None:
    """Put every file on the disk, then the manifest that names them; from here on the directory holds a build."""
    files = {path.name: _kept(path) for path in sorted(directory.iterdir())}
    manifest = FaissManifest(
        format=FORMAT, layout=layout, rows=rows, points=points, kind=kind, reason=reason, files=files
    )
    write_atomically(directory / MANIFEST, _packed(manifest))


def read_manifest(directory: Path) -> FaissManifest:
    """Raises StoreMismatch when there is none, or when a byte of it is not as it was written."""
    path = directory / MANIFEST
    try:
        with path.open("rb") as file:
            packed = file.read(MANIFEST_AT_MOST)
        manifest = FaissManifest.model_validate(json.loads(packed)["content"])
    except FileNotFoundError as error:
        raise StoreMismatch(f"There is no finished store in {directory}: build the index again.") from error
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise _damaged(path) from error
    if packed != _packed(manifest):
        raise _damaged(path)
    if manifest.format != FORMAT:
        raise StoreMismatch(f"{path} is of another version of Vitrine: build the index again.")
    return manifest


def verify(directory: Path, manifest: FaissManifest, max_bytes: int) -> None:
    """Compare every file's size and SHA-256 with the manifest.

    Raises StoreMismatch, naming the file, for one that is missing or differs, and when they are too large together.
    """
    total = sum(kept.bytes for kept in manifest.files.values())
    if total > max_bytes:
        raise StoreMismatch(
            f"The store in {directory} has {total:,} bytes and may have {max_bytes:,}: raise the limit max_bytes of "
            "the FAISS settings, or publish a smaller build."
        )
    for name, kept in manifest.files.items():
        path = directory / name
        if not path.is_file() or path.stat().st_size != kept.bytes or _digest(path) != kept.sha256:
            raise _damaged(path)


def mapped(path: Path, scalar: type[Scalar], width: int | None = None) -> npt.NDArray[Scalar]:
    """The file as a read-only array (n,), or (n, width), of which only what is used is read."""
    empty = path.stat().st_size == 0
    content = np.zeros(0, dtype=scalar) if empty else np.asarray(np.memmap(path, dtype=scalar, mode="r"))
    return content if width is None else content.reshape(-1 if not empty else 0, width)


@contextmanager
def reaching(directory: Path) -> Iterator[None]:
    """Turn the system's errors into StoreUnavailable."""
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        raise StoreUnavailable(f"The store in {directory} cannot be used: {why}.") from error


def _kept(path: Path) -> Kept:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
    return Kept(bytes=path.stat().st_size, sha256=_digest(path))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _packed(manifest: FaissManifest) -> bytes:
    content = manifest.model_dump(mode="json")
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return json.dumps({"content": content, "sha256": digest}, sort_keys=True, indent=1).encode()


def _damaged(path: Path) -> StoreMismatch:
    return StoreMismatch(f"{path} is damaged: build the index again, or publish another build.")
