"""The vector store seam. One point per photo; every implementation passes tests/contracts/test_stores.py."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

import numpy as np

from indexer.domain import VECTOR_CHANNELS, Channel, FieldType, Hit, PayloadValue, Point, StoreQuery, Vector, Where
from indexer.errors import StoreMismatch
from indexer.stores.lexical import Lexicon


@dataclass(frozen=True)
class Layout:
    """Everything a store must know of a build before its first point.

    `fill` has one vector (dim,) per channel that stands in for a half a product lacks: with the build's
    mean vector its score is exactly the query's mean cosine. `fields` are the filterable payload fields.
    Raises StoreMismatch when a channel has no fill vector of `dim` numbers.
    """

    dim: int
    fill: Mapping[Channel, Vector]
    fields: Mapping[str, FieldType]
    lexicon: Lexicon

    def __post_init__(self) -> None:
        for channel in VECTOR_CHANNELS:
            if channel not in self.fill or self.fill[channel].shape != (self.dim,):
                raise StoreMismatch(f"The build has no {channel} fill vector of {self.dim} numbers.")

    def fingerprint(self) -> str:
        """64 hex digits, equal for layouts under which the same points are stored alike."""
        digest = hashlib.sha256(json.dumps([self.dim, sorted(self.fields.items())]).encode())
        for channel in VECTOR_CHANNELS:
            digest.update(self.fill[channel].astype(np.float32).tobytes())
        digest.update(self.lexicon.fingerprint().encode())
        return digest.hexdigest()


class VectorStore(Protocol):
    """Points in, ranked hits out. Raises StoreUnavailable, StoreMismatch and BadFilter only.

    Any thread may call; a call waits for the one before it.
    """

    def upsert(self, points: Sequence[Point]) -> None:
        """Add the points, replacing those of equal id; of equal ids in one call the last stays.

        Payload entries outside the layout's fields are dropped. Survives the death of the process when it returns.
        """

    def delete(self, ids: Sequence[UUID]) -> None:
        """Remove the points; unknown ids are ignored. Survives the death of the process when it returns."""

    def search(
        self, query: StoreQuery, top_k: int, where: Where | None = None, among: Sequence[UUID] | None = None
    ) -> list[Hit]:
        """At most `top_k` hits by score descending, then point id ascending; only points of `among` if given.

        A VectorQuery scores by the exact dot product over its channels (1e-3), missing halves by `fill`.
        A WordsQuery scores by BM25; points that share no term with the words are not hits.
        Scores are rounded to 6 decimals, so that the noise of float32 sums decides no tie.

        With `among` the ranking is exact on every store: one call with a single channel's vector is the exact
        score of candidates in that channel, at a fraction of the price of fetching their vectors.
        """

    def fetch(self, ids: Sequence[UUID]) -> dict[UUID, Mapping[Channel, Vector]]:
        """Stored unit vectors (dim,) of the points that exist; a channel the product lacks is absent."""

    def read(self, ids: Sequence[UUID]) -> dict[UUID, Mapping[str, PayloadValue]]:
        """What the points that exist can be filtered by, as it was upserted, in the order of `ids`.

        Keywords are lists even of one word, numbers are floats; a field the point lacks, or has no word in, is absent.
        A store may give the same mapping again: it must not be changed.
        """

    def count(self) -> int: ...
