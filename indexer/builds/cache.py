"""Content-addressed embeddings on disk: what was encoded once is never encoded again.

A cache directory belongs to one encoder fingerprint and one modality, so the key is the content hash alone.
It is a set of immutable safetensors segments; a segment appears whole (temporary file, fsync, rename) or not at all.
"""

import fcntl
import json
import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from indexer.domain import Matrix
from indexer.errors import StoreMismatch

KEY_BYTES = 32
"""Length of a SHA-256 digest."""
MERGE_ABOVE = 32
"""Small segments are merged when there are more than this many."""
SMALL_ROWS = 65_536
SUFFIX = ".safetensors"

Keys = npt.NDArray[np.uint8]
"""Shape (n, KEY_BYTES)."""


class EmbeddingCache:
    """Maps 32-byte content hashes to vectors (dim,), kept as fp16 and returned as unit float32.

    Builds of several catalogs share a directory: writing and opening hold its lock, and what another process added
    since is seen at the next opening. Memory is 16 bytes per vector plus mapped pages.
    """

    def __init__(self, directory: Path, dim: int) -> None:
        """Raises StoreMismatch, naming the file, for a damaged segment or vectors of another length."""
        self._directory = directory
        self._dim = dim
        self._paths: list[Path] = []
        self._keys: list[Keys] = []
        self._vectors: list[npt.NDArray[np.float16]] = []
        directory.mkdir(parents=True, exist_ok=True)
        with self._locked():
            for leftover in directory.glob("*.tmp"):
                leftover.unlink()
            for path in _segments(directory):
                self._add(path)
        self._index()

    def missing(self, keys: Sequence[bytes]) -> list[bytes]:
        """The keys that are not cached, each once, in order."""
        found = self._rows(keys) >= 0
        return list(dict.fromkeys(key for key, hit in zip(keys, found, strict=True) if not hit))

    def get(self, keys: Sequence[bytes]) -> Matrix:
        """Unit rows (n, dim). Raises KeyError for a key that is not cached."""
        rows = self._rows(keys)
        if (rows < 0).any():
            raise KeyError(keys[int(np.argmin(rows))].hex())
        matrix = np.empty((len(keys), self._dim), np.float32)
        for segment in np.unique(self._segment[rows]):
            chosen = self._segment[rows] == segment
            matrix[chosen] = self._vectors[segment][self._row[rows[chosen]]]
        matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
        return matrix

    def put(self, keys: Sequence[bytes], vectors: Matrix) -> None:
        """Durable when it returns."""
        if not keys:
            return
        if vectors.shape != (len(keys), self._dim):
            raise ValueError(f"expected vectors of shape {(len(keys), self._dim)}, got {vectors.shape}")
        with self._locked():
            self._write(np.frombuffer(b"".join(keys), np.uint8).reshape(-1, KEY_BYTES), vectors.astype(np.float16))
            self._merge()
        self._index()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """The directory is this process's alone; the kernel drops the lock with the process, however it dies."""
        handle = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
            os.fsync(handle)
        finally:
            os.close(handle)

    def _write(self, keys: Keys, vectors: npt.NDArray[np.float16]) -> None:
        newest = _segments(self._directory)[-1:]
        path = self._directory / f"{int(newest[0].stem) + 1 if newest else 0:08d}{SUFFIX}"
        metadata = {"checksum": str(_checksum(keys, vectors))}
        temporary = path.with_suffix(".tmp")
        with temporary.open("wb") as file:
            file.write(save({"keys": keys, "vectors": vectors}, metadata=metadata))
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
        self._add(path)

    def _merge(self) -> None:
        small = [number for number, keys in enumerate(self._keys) if len(keys) < SMALL_ROWS]
        if len(small) <= MERGE_ABOVE:
            return
        self._write(
            np.concatenate([self._keys[number] for number in small]),
            np.concatenate([self._vectors[number] for number in small]),
        )
        for number in reversed(small):
            self._paths[number].unlink(missing_ok=True)
            del self._paths[number], self._keys[number], self._vectors[number]

    def _add(self, path: Path) -> None:
        keys, vectors = _read(path, self._dim)
        self._paths.append(path)
        self._keys.append(keys)
        self._vectors.append(vectors)

    def _index(self) -> None:
        keys = np.concatenate([*self._keys, np.empty((0, KEY_BYTES), np.uint8)])
        sizes = [len(part) for part in self._keys]
        segment = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
        row = np.concatenate([np.arange(size, dtype=np.int32) for size in sizes] or [np.empty(0, np.int32)])
        heads = _heads(keys)
        order = np.argsort(heads, kind="stable")
        self._sorted, self._segment, self._row = heads[order], segment[order], row[order]

    def _rows(self, keys: Sequence[bytes]) -> npt.NDArray[np.int64]:
        """Position in the index of each key (n,), −1 where it is absent."""
        wanted = np.frombuffer(b"".join(keys), np.uint8).reshape(-1, KEY_BYTES)
        heads = _heads(wanted)
        first = np.searchsorted(self._sorted, heads)
        last = np.searchsorted(self._sorted, heads, side="right")
        found = np.full(len(keys), -1, np.int64)
        for number in np.flatnonzero(first < last).tolist():
            for place in range(first[number], last[number]):
                if np.array_equal(self._keys[self._segment[place]][self._row[place]], wanted[number]):
                    found[number] = place
                    break
        return found


def _segments(directory: Path) -> list[Path]:
    """Oldest first."""
    return sorted(directory.glob(f"*{SUFFIX}"))


def _heads(keys: Keys) -> npt.NDArray[np.uint64]:
    """The first eight bytes of each key as a number (n,)."""
    return np.ascontiguousarray(keys[:, :8]).view(np.uint64).reshape(-1)


def _checksum(keys: Keys, vectors: npt.NDArray[np.float16]) -> int:
    return zlib.crc32(np.ascontiguousarray(vectors).data, zlib.crc32(np.ascontiguousarray(keys).data))


def _read(path: Path, dim: int) -> tuple[Keys, npt.NDArray[np.float16]]:
    refusal = f"The embedding cache segment {path} is damaged; delete it, the next build encodes its images again."
    try:
        with safe_open(path, framework="numpy") as file:
            checksum = (file.metadata() or {}).get("checksum")
        keys, vectors = _mapped(path)
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise StoreMismatch(refusal) from error
    if vectors.shape != (len(keys), dim) or checksum != str(_checksum(keys, vectors)):
        raise StoreMismatch(refusal)
    return keys, vectors


def _mapped(path: Path) -> tuple[Keys, npt.NDArray[np.float16]]:
    """Both tensors as pages of the file; safetensors' own numpy reader copies them into memory.

    A file is the header's length (8 bytes, little endian), the header (JSON), and the tensors.
    """
    pages = np.asarray(np.memmap(path, np.uint8, "r"))
    start = 8 + int.from_bytes(pages[:8].tobytes(), "little")
    header = json.loads(pages[8:start].tobytes())

    def tensor(name: str) -> Keys:
        begin, end = header[name]["data_offsets"]
        return pages[start + begin : start + end]

    keys, vectors = tensor("keys").reshape(-1, KEY_BYTES), tensor("vectors").view(np.float16)
    return keys, vectors.reshape(header["vectors"]["shape"])
