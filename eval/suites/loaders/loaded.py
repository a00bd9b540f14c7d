"""What a loader gives: a suite, its catalogue as a stream, and where photos and vectors are."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path

from pydantic import ValidationError

from eval.errors import EmptySuite, SuiteError
from eval.suites.loaders.reading import Row
from eval.suites.suite import Qrels, Split, Suite, SuiteCard, SuiteQuery
from indexer.domain import Product, Vector

ProductVectors = tuple[str, Vector | None, Vector | None]
"""Product id, vector of its photo and of its text, each (dim,) of any length above 0, or None where it lacks one."""


@dataclass(frozen=True)
class Choice:
    """What of a data set is wanted: names of its own splits, and one variant of every group it has."""

    splits: tuple[str, ...]
    variants: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class ShippedVectors:
    """Vectors that the data set brings; `products` is a stream in any order, `queries` maps text → (dim,)."""

    encoder: str
    dim: int
    products: Iterator[ProductVectors]
    queries: Mapping[str, Vector]


@dataclass(frozen=True, eq=False)
class Loaded:
    """`products` can be read once. `left_out` says what was dropped and how often; it is complete after that.

    `root` is where the catalogue's image paths start, None when it has URLs or no photos; `photos` maps the name that
    a query's photo has in the suite to the file it was downloaded as.
    """

    suite: Suite
    products: Iterator[Product]
    root: Path | None = None
    photos: Mapping[str, Path] = field(default_factory=dict)
    vectors: ShippedVectors | None = None
    language: str = "en"
    left_out: Counter[str] = field(default_factory=Counter)


class Judgements:
    """Collects qrels row by row; a pair that is judged again keeps its first grade, and is counted."""

    def __init__(self, left_out: Counter[str]) -> None:
        self.qrels: dict[str, dict[str, int]] = {}
        self._left_out = left_out

    def add(self, query: str, product: str, grade: int) -> None:
        before = self.qrels.setdefault(query, {}).setdefault(product, grade)
        if before != grade:
            self._left_out["pairs judged again with another grade (the first counts)"] += 1

    @property
    def products(self) -> set[str]:
        return {product for grades in self.qrels.values() for product in grades}


def suite_of(card: SuiteCard, queries: Sequence[SuiteQuery], qrels: Qrels, left_out: Counter[str]) -> Suite:
    """The queries that can be measured: one without a relevant product is left out, and counted.

    Raises SuiteError for a query that comes twice, EmptySuite when none is left.
    """
    name, times = Counter(query.id for query in queries).most_common(1)[0] if queries else ("", 0)
    if times > 1:
        raise SuiteError(f"{card.name}: query {name} comes {times} times.")
    kept = [query for query in queries if any(qrels.get(query.id, {}).values())]
    if len(kept) < len(queries):
        left_out["queries without a relevant product"] += len(queries) - len(kept)
    if not kept:
        raise EmptySuite(f"{card.name}: none of the {len(queries)} queries has a relevant product.")
    return replace(Suite(card, tuple(kept), qrels), qrels={query.id: qrels[query.id] for query in kept})


def query_of(row: Row, **fields: object) -> SuiteQuery:
    """Raises SuiteError naming the row for an id with white space or a query that asks nothing."""
    try:
        return SuiteQuery.model_validate(fields)
    except ValidationError as error:
        one = error.errors(include_input=False)[0]
        raise row.refused(f"query {fields.get('id')!r}: {one['msg']}") from None


def half(key: str) -> Split:
    """Where a data set has no half to tune on: the same half for the same key on every machine."""
    return Split.TUNE if draw(key) % 2 else Split.REPORT


def draw(key: str) -> int:
    """A pseudo-random number of 64 bits that depends on the key alone; samples take the smallest."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8, key=b"vitrine").digest())
