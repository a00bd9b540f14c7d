"""The lexical channel: one BM25 tokenizer and one set of corpus statistics for every store.

Tokenising, stop words, Snowball stemming and accent folding are those of `qdrant_edge.Bm25`, which is in the house
already, needs 3 µs for a query and 18 µs for 70 words, hashes a token to the same id in every process, and asks for
nothing but the average length. Its document values carry the term-frequency part of BM25; the inverse document
frequency is put on the query here, so that a plain sparse dot product is the BM25 score on any store.
"""

import hashlib
import io
import json
import math
import zipfile
import zlib
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
from qdrant_edge import Bm25, Bm25Config

from indexer.errors import SettingsError, StoreMismatch

Tokens = npt.NDArray[np.uint32]

COUNTING_K: Final = 1e6
"""With b = 0 the engine's value of a token is tf·(k+1)/(tf+k): a k this large gives tf back by inversion."""
PROBE: Final = "Running shoes MH01-Blue crème 9.5"
"""Its token ids are kept with the statistics; they differ when the tokenizer does."""


@dataclass(frozen=True, slots=True)
class Sparse:
    """A sparse vector: `indices` (n,) ascending and unique, `values` (n,), none of them zero."""

    indices: Tokens
    values: npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Lexicon:
    """Corpus statistics of one build, frozen with it; later documents are weighed by the same statistics.

    `tokens` (m,) ascending token ids and `frequencies` (m,) in how many documents each occurs.
    Two tokens share an id with probability 2⁻³¹.
    """

    language: str
    documents: int
    average_length: float
    """Tokens per document, stop words not counted."""
    tokens: Tokens
    frequencies: Tokens
    k1: float = 1.2
    b: float = 0.75

    @classmethod
    def of(cls, documents: Iterable[str], language: str = "english") -> "Lexicon":
        """Count in one pass. Give each product's words once, however many photos it has.

        Raises SettingsError for a language without stop words and stemmer.
        """
        counting = _tokenizer(language, COUNTING_K, 0.0, 1.0)
        frequencies: Counter[int] = Counter()
        total = 0
        number = 0
        for words in documents:
            found = counting.embed_document(words)
            frequencies.update(found.indices)
            total += sum(round(value * COUNTING_K / (COUNTING_K + 1 - value)) for value in found.values)
            number += 1
        ordered = sorted(frequencies.items())
        return cls(
            language=language,
            documents=number,
            average_length=total / number if number else 0.0,
            tokens=np.array([token for token, _ in ordered], dtype=np.uint32),
            frequencies=np.array([count for _, count in ordered], dtype=np.uint32),
        )

    def document(self, words: str) -> Sparse:
        """tf·(k1+1) / (tf + k1·(1 − b + b·length/average_length)) per token of a document."""
        found = self._model.embed_document(words)
        indices = np.array(found.indices, dtype=np.uint32)
        order = np.argsort(indices)
        return Sparse(indices[order], np.array(found.values, dtype=np.float32)[order])

    def query(self, words: str) -> Sparse:
        """ln(1 + (N − df + ½)/(df + ½)) per distinct token of a query; never negative.

        The idf of Lucene's BM25Similarity, from Robertson and Zaragoza, "The Probabilistic Relevance Framework:
        BM25 and Beyond" (2009), eq. 3.12 ff., with 1 added inside the logarithm.
        """
        found = sorted(self._model.embed_query(words).indices)
        return Sparse(np.array(found, dtype=np.uint32), np.array([self._idf(token) for token in found], np.float32))

    def to_bytes(self) -> bytes:
        """A compressed npz without pickles; about 5 bytes per distinct token."""
        out = io.BytesIO()
        np.savez_compressed(
            out,
            language=np.array(self.language),
            numbers=np.array([self.documents, self.average_length, self.k1, self.b], dtype=np.float64),
            tokens=self.tokens,
            frequencies=self.frequencies,
            probe=_probe(self.language),
        )
        return out.getvalue()

    @classmethod
    def from_bytes(cls, packed: bytes) -> "Lexicon":
        """Raises StoreMismatch when the bytes are damaged or were made with another tokenizer."""
        try:
            with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
                documents, average_length, k1, b = arrays["numbers"].tolist()
                language = str(arrays["language"])
                tokens, frequencies, probe = arrays["tokens"], arrays["frequencies"], arrays["probe"]
        except (ValueError, KeyError, OSError, EOFError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
            raise StoreMismatch("The build's lexical statistics are damaged: rebuild the index.") from error
        if not _consistent(tokens, frequencies, documents, average_length):
            raise StoreMismatch("The build's lexical statistics contradict themselves: rebuild the index.")
        if not np.array_equal(probe, _probe(language)):
            raise StoreMismatch("The build's words were cut by another version of the tokenizer: rebuild the index.")
        return cls(language, int(documents), average_length, tokens, frequencies, k1, b)

    def fingerprint(self) -> str:
        """64 hex digits, equal for equal statistics."""
        numbers = [self.language, self.documents, self.average_length, self.k1, self.b]
        digest = hashlib.sha256(json.dumps(numbers).encode())
        digest.update(self.tokens.tobytes())
        digest.update(self.frequencies.tobytes())
        return digest.hexdigest()

    def __reduce__(self) -> tuple[Callable[[bytes], "Lexicon"], tuple[bytes]]:
        return Lexicon.from_bytes, (self.to_bytes(),)

    def _idf(self, token: int) -> float:
        place = bisect_left(self._ascending, token)
        known = place < len(self._ascending) and self._ascending[place] == token
        frequency = int(self.frequencies[place]) if known else 0
        return math.log1p((self.documents - frequency + 0.5) / (frequency + 0.5))

    @cached_property
    def _ascending(self) -> Sequence[int]:
        return self.tokens.data

    @cached_property
    def _model(self) -> Bm25:
        return _tokenizer(self.language, self.k1, self.b, self.average_length or 1.0)


def stemmer(language: str) -> Callable[[str], tuple[int, ...]]:
    """Text → the token ids of its words in ascending order; stop words have none, words of one stem the same one.

    Raises SettingsError for a language without stop words and stemmer.
    """
    model = _tokenizer(language, COUNTING_K, 0.0, 1.0)
    return lambda text: tuple(sorted(model.embed_query(text).indices))


def _tokenizer(language: str, k: float, b: float, average_length: float) -> Bm25:
    try:
        return Bm25(Bm25Config(k=k, b=b, avg_len=average_length, language=language, ascii_folding=True))
    except ValueError as error:
        raise SettingsError(f"No lexical search for language {language!r}: {error}.") from error


def _probe(language: str) -> Tokens:
    return np.array(_tokenizer(language, COUNTING_K, 0.0, 1.0).embed_query(PROBE).indices, dtype=np.uint32)


def _consistent(tokens: Tokens, frequencies: Tokens, documents: float, average_length: float) -> bool:
    return (
        tokens.dtype == frequencies.dtype == np.uint32
        and tokens.ndim == 1
        and tokens.shape == frequencies.shape
        and bool(np.all(tokens[1:] > tokens[:-1]))
        and documents >= (int(frequencies.max()) if frequencies.size else 0)
        and average_length >= 0
    )
