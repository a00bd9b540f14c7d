"""The words a catalogue is written in, by which misspelt ones are known."""

import io
import lzma
import re
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final

import numpy as np

from indexer.builds.texts import values_of
from indexer.domain import Product
from indexer.errors import StoreMismatch

MAX_WORDS: Final = 50_000
"""The most frequent ones are kept."""
SHORTEST, LONGEST = 2, 40
"""Letters of a word; what is longer is no word."""
_ROOM: Final = 8 * MAX_WORDS
"""Distinct words the census holds before it forgets the rarest."""
_LETTERS = re.compile(r"[^\W\d_]+")
_DAMAGE: Final = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    OSError,
    EOFError,
    RuntimeError,
    MemoryError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)
"""What numpy and zipfile raise over flipped bits: in lengths, names, flags, methods of compression and the data."""


class Words:
    """Word, casefolded and without digits → products whose title, brand, attributes or category have it.

    Words of descriptions alone count 0: they are spelt right, and nothing is corrected to them.
    """

    def __init__(self, counts: Mapping[str, int] | None = None) -> None:
        self._counts = dict(counts or {})

    def __contains__(self, word: str) -> bool:
        return word in self._counts

    def __iter__(self) -> Iterator[str]:
        """Most frequent first, equally frequent ones by the alphabet."""
        return iter(self._counts)

    def __len__(self) -> int:
        return len(self._counts)

    def count(self, word: str) -> int:
        """0 for a word that is unknown."""
        return self._counts.get(word, 0)

    def leading(self, initial: str, length: int) -> Sequence[str]:
        """The words with that first letter and length that titles, brands, attributes or categories have."""
        return self._shelves.get((initial, length), ())

    @cached_property
    def _shelves(self) -> Mapping[tuple[str, int], Sequence[str]]:
        shelves: dict[tuple[str, int], list[str]] = {}
        for word, count in self._counts.items():
            if count:
                shelves.setdefault((word[0], len(word)), []).append(word)
        return shelves

    def to_bytes(self) -> bytes:
        """A compressed npz without pickles; about 5 bytes per word."""
        out = io.BytesIO()
        spelt = np.frombuffer("\n".join(self._counts).encode(), dtype=np.uint8)
        np.savez_compressed(out, words=spelt, counts=np.array(list(self._counts.values()), dtype=np.uint32))
        return out.getvalue()

    @classmethod
    def from_bytes(cls, packed: bytes) -> "Words":
        """Raises StoreMismatch when the bytes are damaged."""
        try:
            with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
                spelt, counts = arrays["words"].tobytes().decode(), arrays["counts"].tolist()
            words = dict(zip(spelt.split("\n") if spelt else [], counts, strict=True))
        except _DAMAGE as error:
            raise StoreMismatch("The build's list of words is damaged: rebuild the index.") from error
        if not all(word and type(count) is int for word, count in words.items()):
            raise StoreMismatch("The build's list of words has none, or no counts, in places: rebuild the index.")
        return cls(words)


class WordsCensus:
    """Counts a catalogue's words in one pass; its memory does not grow with the catalogue."""

    def __init__(self) -> None:
        self._named: Counter[str] = Counter()
        self._told: Counter[str] = Counter()

    def add(self, product: Product) -> None:
        attributes = [value for given in product.attributes.values() for value in values_of(given)]
        named = [product.title, product.brand or "", *product.category, *attributes]
        self._named.update(_words_of(" ".join(named)))
        self._told.update(_words_of(product.description))
        for counter in (self._named, self._told):
            if len(counter) > _ROOM:
                _forget_the_rarest(counter)

    def words(self) -> Words:
        counts = dict(_most_frequent(self._named))
        told = {word: 0 for word, _ in _most_frequent(self._told) if word not in counts}
        return Words(dict(list({**counts, **told}.items())[:MAX_WORDS]))


def _words_of(text: str) -> set[str]:
    return {word for word in _LETTERS.findall(text.casefold()) if SHORTEST <= len(word) <= LONGEST}


def _most_frequent(counter: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counter.items(), key=lambda counted: (-counted[1], counted[0]))[:MAX_WORDS]


def _forget_the_rarest(counter: Counter[str]) -> None:
    kept = counter.most_common(_ROOM // 2)
    counter.clear()
    counter.update(dict(kept))
