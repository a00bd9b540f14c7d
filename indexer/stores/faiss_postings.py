"""The inverted file of a FAISS build's lexical channel: for each token the rows that hold it and its weight there.

A build spools (token, row, weight) as they come; `invert` sorts them by counting, in two passes over the spool, so that
memory does not grow with the catalogue.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import numpy.typing as npt

from indexer.stores.exact import Postings
from indexer.stores.faiss_files import mapped
from indexer.stores.lexical import Lexicon, Tokens

TOKENS: Final = "postings.tokens"
"""(m,) uint32, ascending."""
STARTS: Final = "postings.starts"
"""(m + 1,) int64, where each token's part of the two other files begins."""
ROWS: Final = "postings.rows"
"""uint32, ascending within a token."""
WEIGHTS: Final = "postings.weights"
"""float32."""
SPOOL: Final = "spool"
SPOOLED: Final = np.dtype([("token", "<u4"), ("row", "<u4"), ("weight", "<f4")])
CHUNK: Final = 1 << 20
"""Entries sorted together (12 MB)."""
Spooled = npt.NDArray[np.void]


def spool(file: BinaryIO, lexicon: Lexicon, start: int, words: list[str]) -> None:
    """Append the tokens of the rows from `start` on. The photos of a product share their words, read once."""
    documents = {text: lexicon.document(text) for text in set(words)}
    found = [documents[text] for text in words]
    entries = np.empty(sum(document.indices.size for document in found), dtype=SPOOLED)
    if entries.size:
        entries["token"] = np.concatenate([document.indices for document in found])
        entries["weight"] = np.concatenate([document.values for document in found])
        sizes = [document.indices.size for document in found]
        entries["row"] = np.repeat(np.arange(start, start + len(words)), sizes)
    file.write(entries.tobytes())


def invert(directory: Path) -> None:
    """Turn the spool into the four files and remove it."""
    path = directory / SPOOL
    tokens, counts = _counted(path)
    starts = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)])
    tokens.tofile(directory / TOKENS)
    starts.tofile(directory / STARTS)
    rows = _room(directory / ROWS, np.dtype(np.uint32), int(starts[-1]))
    weights = _room(directory / WEIGHTS, np.dtype(np.float32), int(starts[-1]))
    free = starts[:-1].copy()
    for entries in _chunks(path):
        by_token = entries[np.argsort(entries["token"], kind="stable")]
        found, first, number = np.unique(by_token["token"], return_index=True, return_counts=True)
        present = np.searchsorted(tokens, found)
        target = np.repeat(free[present] - first, number) + np.arange(by_token.size)
        rows[target] = by_token["row"]
        weights[target] = by_token["weight"]
        free[present] += number
    path.unlink()


class InvertedFile:
    """Memory-mapped; the files were verified."""

    def __init__(self, directory: Path) -> None:
        self._tokens = mapped(directory / TOKENS, np.uint32)
        self._starts = mapped(directory / STARTS, np.int64)
        self._rows = mapped(directory / ROWS, np.uint32)
        self._weights = mapped(directory / WEIGHTS, np.float32)

    def listed(self, token: int) -> Postings | None:
        """The rows that hold the token and its weights, None when no row does."""
        place = int(np.searchsorted(self._tokens, np.uint32(token)))
        if place == self._tokens.size or self._tokens[place] != token:
            return None
        part = slice(int(self._starts[place]), int(self._starts[place + 1]))
        return self._rows[part], self._weights[part]


def _chunks(path: Path) -> Iterator[Spooled]:
    with path.open("rb") as file:
        while packed := file.read(CHUNK * SPOOLED.itemsize):
            yield np.frombuffer(packed, dtype=SPOOLED)


def _counted(path: Path) -> tuple[Tokens, npt.NDArray[np.int64]]:
    tokens = np.zeros(0, dtype=np.uint32)
    counts = np.zeros(0, dtype=np.int64)
    for entries in _chunks(path):
        found, number = np.unique(entries["token"], return_counts=True)
        together, places = np.unique(np.concatenate([tokens, found]), return_inverse=True)
        counts = np.bincount(places, np.concatenate([counts, number]), together.size).astype(np.int64)
        tokens = together
    return tokens, counts


def _room(path: Path, kind: np.dtype[np.uint32] | np.dtype[np.float32], size: int) -> npt.NDArray[np.generic]:
    """A mapped file whose blocks were written: a disk that fills up is an error here instead of a signal later."""
    with path.open("xb") as file:
        for start in range(0, size, CHUNK):
            file.write(bytes(min(CHUNK, size - start) * kind.itemsize))
    return np.memmap(path, dtype=kind, mode="r+") if size else np.zeros(0, dtype=kind)
