"""A suite: queries over a catalogue, and what a right answer to each is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from indexer.domain import Frozen, QueryKind

Grade = Annotated[int, Field(ge=0)]
Qrels = Mapping[str, Mapping[str, int]]
"""Query id → product id → grade; 0 is judged and not relevant."""


class Split(StrEnum):
    """Settings are chosen on one half and reported on the other."""

    TUNE = "tune"
    REPORT = "report"


class SuiteQuery(Frozen):
    """One question as a shopper puts it; the parts mean what they mean in a search request."""

    id: Annotated[str, Field(min_length=1, pattern=r"^\S+$")]
    text: str = ""
    like: str | None = None
    photo: str | None = None
    """Path relative to the suite's directory, with forward slashes."""
    change: str = ""
    where: tuple[str, ...] = ()
    split: Split = Split.REPORT
    tags: tuple[str, ...] = ()
    """Strata that measures are also reported by: `colour`, `misspelt`, a category …"""
    paraphrases: str | None = None
    """Name shared by queries that ask the same in other words."""
    exclude: tuple[str, ...] = ()
    """Products taken out of every answer before it is measured: the reference, its exact duplicates."""
    hard_negatives: tuple[str, ...] = ()
    """Products that are wrong in just one thing."""
    absent: bool = False
    """The catalogue holds no answer; such a query has no judgements."""

    @model_validator(mode="after")
    def _asks_something(self) -> "SuiteQuery":
        if not (self.text or self.like or self.photo):
            raise ValueError("needs text, like or photo")
        if self.like and (self.text or self.photo):
            raise ValueError("like goes alone or with a change")
        if self.photo and self.text:
            raise ValueError("words beside a photo are its change")
        if self.change and not (self.like or self.photo):
            raise ValueError("a change needs like or photo")
        return self

    @property
    def kind(self) -> QueryKind:
        if self.text:
            return QueryKind.TEXT
        if self.change:
            return QueryKind.EDIT
        return QueryKind.PHOTO if self.photo else QueryKind.SIMILAR

    @property
    def words(self) -> str:
        """What the shopper typed, if anything."""
        return self.text or self.change


class SuiteCard(Frozen):
    """What one must know to quote a figure of the suite."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
    description: str
    licence: str
    protocol: str
    """What counts as gallery, what is left out of answers, which measure the field reports."""
    catalog: str
    """Name of the catalog whose product ids the judgements use."""
    catalogue: str | None = None
    """Catalogue file to build it from, relative to the suite's directory."""
    vectors: str | None = None
    """Vectors that ship with the data set instead of pictures, relative to the suite's directory."""
    measures: tuple[str, ...] = ("nDCG@10", "RR@10", "Success@1", "Success@10", "R@100")
    """The first is the headline."""
    gains: dict[Grade, Grade] | None = None
    """Grade → gain of nDCG where the gain is not the grade itself; only ratios matter."""
    source: str = ""
    """How the suite came to be: the command or the data set's version."""


@dataclass(frozen=True)
class Suite:
    """`qrels` has a row for every query but the absent ones. `directory` is where photos are."""

    card: SuiteCard
    queries: tuple[SuiteQuery, ...]
    qrels: Qrels
    directory: Path = Path()

    @property
    def judged(self) -> Sequence[SuiteQuery]:
        """The queries that measures are about."""
        return [query for query in self.queries if not query.absent]

    def part(self, split: Split) -> "Suite":
        """The half with its judgements; may be empty."""
        return self.only([query for query in self.queries if query.split is split])

    def only(self, queries: Sequence[SuiteQuery]) -> "Suite":
        names = {query.id for query in queries}
        qrels = {query: grades for query, grades in self.qrels.items() if query in names}
        return replace(self, queries=tuple(queries), qrels=qrels)

    @property
    def digest(self) -> str:
        """SHA-256 over card, queries and judgements: runs of different suites are not compared."""
        spelled = [self.card.model_dump_json(), *(query.model_dump_json() for query in self.queries)]
        spelled += [f"{query} {product} {grade}" for query, row in self.qrels.items() for product, grade in row.items()]
        return sha256("\n".join(spelled).encode()).hexdigest()
