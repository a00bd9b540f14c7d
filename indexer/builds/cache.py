"""Content-addressed embeddings: what was encoded once is never encoded again.

A cache belongs to one encoder fingerprint and one modality, so the key is the content hash alone.
It is a set of immutable segments; a segment appears whole or not at all.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from indexer.builds.key_index import KeyIndex, Places
from indexer.builds.remote_shelf import RemoteShelf
from indexer.builds.segments import KEY_BYTES, Halves, Keys, Segment, segment_bytes
from indexer.builds.shelves import DirectoryShelf, Shelf
from indexer.domain import Matrix
from indexer.errors import StoreMismatch

MERGE_ABOVE = 32
"""Segments of about the same size are merged when there are more than this many."""
SMALL_ROWS = 32_768
"""Larger segments stay as they are, which bounds the memory and the time that a merge takes."""
LISTINGS = 3
"""Tries to list what others are merging at the same moment."""

Key = bytes
"""A SHA-256 digest."""


class EmbeddingCache:
    """Maps 32-byte content hashes to vectors (dim,), kept as fp16 and returned as unit float32.

    Any number of processes, and with a `url` of hosts, add to one cache. What others add is found within seconds by
    `missing` and at once by `get`. Opened by the first call; memory is 16 bytes per vector plus mapped pages. For one
    thread at a time. Every call raises StoreMismatch, naming the file, for a damaged segment or vectors of another
    length, and StoreUnavailable when the storage does not answer, is full or may not be written.
    """

    def __init__(self, directory: Path, dim: int, url: str | None = None, hurried: bool = False) -> None:
        """With a `url` that fsspec can open, the storage there holds the cache and `directory` mirrors it; who is
        `hurried` waits little for it.

        Raises SettingsError for a URL without a driver.
        """
        self._shelf: Shelf = DirectoryShelf(directory) if url is None else RemoteShelf(url, directory, hurried)
        self._dim = dim
        self._segments: dict[int, Segment] = {}
        self._numbers: dict[str, int] = {}
        self._index = KeyIndex()
        self._newest = 0
        self._listed = float("-inf")

    @property
    def rows(self) -> int:
        """Vectors held, those that were put twice counted twice."""
        self._open()
        return len(self._index)

    @property
    def bytes(self) -> int:
        """Of the segments."""
        self._open()
        return sum(segment.bytes for segment in self._segments.values())

    def missing(self, keys: Sequence[Key]) -> list[Key]:
        """The keys that are not cached, each once, in order."""
        wanted = _array(keys)
        found = self._find(wanted)[0] >= 0
        if not found.all() and time.monotonic() - self._listed > self._shelf.patience:
            self.refresh()
            found = self._find(wanted)[0] >= 0
        return list(dict.fromkeys(key for key, hit in zip(keys, found, strict=True) if not hit))

    def get(self, keys: Sequence[Key]) -> Matrix:
        """Unit rows (n, dim). Raises KeyError for a key that is not cached."""
        wanted = _array(keys)
        segments, rows = self._find(wanted)
        if (segments < 0).any():
            self.refresh()
            segments, rows = self._find(wanted)
        if (segments < 0).any():
            raise KeyError(keys[int(np.argmin(segments))].hex())
        matrix = np.empty((len(keys), self._dim), np.float32)
        for number in np.unique(segments).tolist():
            chosen = segments == number
            matrix[chosen] = self._vectors(number)[rows[chosen]]
        matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
        return matrix

    def put(self, keys: Sequence[Key], vectors: Matrix) -> None:
        """Durable when it returns."""
        if not keys:
            return
        if vectors.shape != (len(keys), self._dim):
            raise ValueError(f"expected vectors of shape {(len(keys), self._dim)}, got {vectors.shape}")
        self._open()
        with self._shelf.alone():
            self._write(_array(keys), vectors.astype(np.float16))
            self._merge()

    def refresh(self) -> None:
        """See what others added or merged."""
        with self._shelf.alone():
            self._list()

    def _open(self) -> None:
        if self._listed == float("-inf"):
            self.refresh()

    def _find(self, wanted: Keys) -> tuple[Places, Places]:
        self._open()
        return self._index.find(wanted, lambda number: self._segments[number].keys)

    def _vectors(self, number: int) -> Halves:
        try:
            return self._segments[number].vectors
        except StoreMismatch as damage:
            name = next(name for name, known in self._numbers.items() if known == number)
            self._segments[number] = Segment(self._shelf.repaired(name, damage), self._dim)
            return self._segments[number].vectors

    def _list(self) -> None:
        for _ in range(LISTINGS):
            listed = self._shelf.names()
            new = listed.difference(self._numbers)
            self._add(self._shelf.fetch(sorted(new)))
            if new.issubset(self._numbers):
                break
        self._forget([name for name in self._numbers if name not in listed])
        self._listed = time.monotonic()

    def _add(self, paths: Mapping[str, Path]) -> None:
        added: dict[int, Keys] = {}
        for number, (name, path) in enumerate(paths.items(), start=self._newest + 1):
            with suppress(FileNotFoundError):  # merged by another process after it was fetched
                segment = self._segment(name, path)
                self._numbers[name], self._segments[number] = number, segment
                added[number] = segment.keys
        self._newest += len(paths)
        self._index.add(added)

    def _segment(self, name: str, path: Path) -> Segment:
        try:
            return Segment(path, self._dim)
        except StoreMismatch as damage:
            return Segment(self._shelf.repaired(name, damage), self._dim)

    def _forget(self, names: Sequence[str]) -> None:
        numbers = [self._numbers.pop(name) for name in names]
        for number in numbers:
            del self._segments[number]
        self._index.drop(numbers)

    def _write(self, keys: Keys, vectors: Halves) -> None:
        name = self._shelf.add(segment_bytes(keys, vectors))
        if name not in self._numbers:
            self._add(self._shelf.fetch([name]))

    def _merge(self) -> None:
        if not self._crowd():
            return
        self._list()
        names = self._crowd()
        if names:
            numbers = [self._numbers[name] for name in names]
            keys = np.concatenate([self._segments[number].keys for number in numbers])
            vectors = np.concatenate([self._vectors(number) for number in numbers])
            once = np.unique(keys.view(f"S{KEY_BYTES}").reshape(-1), return_index=True)[1]
            self._write(*((keys, vectors) if len(once) == len(keys) else (keys[once], vectors[once])))
            self._shelf.remove(names)
            self._forget(names)

    def _crowd(self) -> list[str]:
        """Segments of about the same size to merge into one, none while there are few."""
        alike: dict[int, list[str]] = {}
        sizes = {name: len(self._segments[number].keys) for name, number in self._numbers.items()}
        for name, rows in sizes.items():
            if rows < SMALL_ROWS:
                alike.setdefault(rows.bit_length() // MERGE_ABOVE.bit_length(), []).append(name)
        crowds = (names for names in alike.values() if len(names) > MERGE_ABOVE)
        chosen: list[str] = []
        for name in next(crowds, ()):
            if sum(sizes[one] for one in chosen) < SMALL_ROWS:
                chosen.append(name)
        return chosen


def _array(keys: Sequence[Key]) -> Keys:
    return np.frombuffer(b"".join(keys), np.uint8).reshape(-1, KEY_BYTES)
