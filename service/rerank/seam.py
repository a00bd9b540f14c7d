"""The seam to whoever judges whether a result is what was asked for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from indexer.domain import BuildManifest, PayloadValue, Pixels, Product, QueryKind, Vector
from indexer.encoders import Encoder
from indexer.images.fit import Fit
from service.rerank.verdicts import Checklist, Opinion

Heard = Callable[[int, Opinion], None]
"""Told of the opinion of the candidate at a place: from any thread, for as long as nobody is kept waiting."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A product to judge, by its photo `image_id` that matched ('' where it has none), whose unit vector (dim,) is
    `vector`; `payload` is that of its point."""

    product: Product
    image_id: str
    vector: Vector | None
    payload: Mapping[str, PayloadValue]


@dataclass(frozen=True, eq=False)
class Case:
    """What was asked: the shopper's `words` ('' for photos alone), the checklist they came to, and the photo or
    product that was started from. `view` is that photo as large as `Reranker.fit` wants it."""

    kind: QueryKind
    words: str
    checklist: Checklist
    manifest: BuildManifest
    encoder: Encoder
    view: Pixels | None = None
    reference: Product | None = None
    caller: str = ""
    """Whose budget it is; '' for nobody in particular."""
    heard: Heard | None = None
    """Who wants to hear of each opinion as soon as there is one; those who judge all at once tell nobody."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What judging took: requests to an endpoint, their tokens and price in US dollars, verdicts from the cache, and
    how many of the requests were not answered in time."""

    calls: int = 0
    cached: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    dollars: float = 0.0
    late: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.calls + other.calls,
            self.cached + other.cached,
            self.tokens_in + other.tokens_in,
            self.tokens_out + other.tokens_out,
            self.dollars + other.dollars,
            self.late + other.late,
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read out of a shopper's words, and what that took."""

    checklist: Checklist = ()
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True)
class Opinions:
    """One per candidate in their order, None for those that were not judged; `skipped` says why, for people."""

    opinions: Sequence[Opinion | None]
    skipped: tuple[str, ...] = ()
    usage: Usage = field(default_factory=Usage)


class Reranker(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def fit(self) -> Fit | None:
        """How it wants to see photos; None where it looks at none."""

    def rerank(self, case: Case, candidates: Sequence[Candidate], until: float) -> Opinions:
        """Judge each candidate blind to the others, until a time of the monotonic clock. Never raises."""
