"""A suite from what shoppers did: what they opened is an answer to what they asked, what they did not mean is none."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from eval.errors import EmptySuite
from eval.suites.files import write_suite
from eval.suites.making.cards import feedback_card
from eval.suites.making.sampling import half_of
from eval.suites.making.writing import claim
from eval.suites.suite import Qrels, Suite, SuiteQuery
from indexer.builds.live import published_build
from indexer.catalog.builds import BuildRepository
from indexer.catalog.engine import Database
from indexer.catalog.feedback import FeedbackRepository
from indexer.catalog.products import ProductRepository
from indexer.catalog.records import Feedback
from indexer.catalog.states import FeedbackKind

ASKED: Final = frozenset({"text", "like", "change", "where", "group"})
"""What a suite's query can say; `group` changes what is shown, not what is right."""
AGREED: Final = 3
"""Visits from which a product that they opened, and nobody more refused, has grade 2."""


@dataclass
class _Votes:
    """Of one query: the visits that opened a product, and those that did not mean it."""

    opened: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    refused: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def add(self, one: Feedback) -> None:
        (self.opened if one.kind is FeedbackKind.CLICK else self.refused)[one.product].add(one.session)

    @property
    def products(self) -> set[str]:
        return {*self.opened, *self.refused}

    @property
    def visits(self) -> int:
        return len(set().union(*self.opened.values(), *self.refused.values()))

    def grades(self, known: Iterable[str]) -> dict[str, int]:
        """A visit that opened it and then did not mean it, did not mean it."""
        return {product: self._grade(product) for product in sorted(known)}

    def _grade(self, product: str) -> int:
        refused = self.refused.get(product, set())
        opened = len(self.opened.get(product, set()) - refused)
        if opened <= len(refused):
            return 0
        return 2 if opened >= AGREED else 1


@dataclass(frozen=True)
class Heard:
    """`left_out`: how much of what was said is not in the suite, by why."""

    suite: Suite
    left_out: Mapping[str, int]


def suite_from_feedback(database: Database, catalog: str | None, out: Path, least: int = 1) -> Heard:
    """Of the queries that `least` visits or more said something of. Written to `out`.

    Raises UnknownCatalog, NothingPublished, EmptySuite where nothing was said that can be asked again, SuiteError when
    the place is taken.
    """
    claim(out)
    named, build = published_build(database, catalog)
    with database.session() as session:
        asked, left_out = _gathered(FeedbackRepository(session).of_catalog(named))
        products = {product for votes in asked.values() for product in votes.products}
        generation = BuildRepository(session).get(build).generation
        known = set(ProductRepository(session).get_many(named, sorted(products), generation=generation))
    queries, qrels = list[SuiteQuery](), dict[str, Mapping[str, int]]()
    for said, votes in asked.items():
        query, grades = _query(said), votes.grades(votes.products & known)
        if query is None:
            left_out["that no suite can ask"] += 1
        elif votes.visits < least:
            left_out[f"asked in fewer than {least} visits"] += 1
        elif not any(grades.values()):
            left_out["without a product that was meant"] += 1
        else:
            queries.append(query)
            qrels[query.id] = grades
    return _written(named, queries, qrels, left_out, out, least)


def _written(
    catalog: str, queries: list[SuiteQuery], qrels: Qrels, left_out: Counter[str], out: Path, least: int
) -> Heard:
    if not queries:
        told = "; ".join(f"{count} {reason}" for reason, count in left_out.items()) or "nobody said anything yet"
        raise EmptySuite(f"No suite can be made of the feedback on catalog {catalog}: {told}.")
    source = f"vitrine eval from-feedback --catalog {catalog} --visits {least}"
    suite = Suite(feedback_card(catalog, source), tuple(queries), qrels, out)
    write_suite(suite, out)
    return Heard(suite, left_out)


def _gathered(feedback: Iterable[Feedback]) -> tuple[dict[str, _Votes], Counter[str]]:
    """By what was asked, as JSON; and how much cannot be asked again, and why."""
    asked, left_out = dict[str, _Votes](), Counter[str]()
    for one in feedback:
        if one.query.get("photo"):
            left_out["by a photo, which is not kept"] += 1
        elif not ASKED.issuperset(one.query) or not (one.query.get("text") or one.query.get("like")):
            left_out["in an order or a way of their own"] += 1
        else:
            said = {name: value for name, value in one.query.items() if name != "group"}
            asked.setdefault(json.dumps(said, sort_keys=True), _Votes()).add(one)
    return asked, left_out


def _query(said: str) -> SuiteQuery | None:
    """None for what makes no question; whoever tells of clicks may say anything."""
    name = f"said-{hashlib.sha256(said.encode()).hexdigest()[:12]}"
    asked = json.loads(said)
    like = asked.get("like")
    try:
        return SuiteQuery(id=name, split=half_of(name), tags=("feedback",), exclude=(like,) if like else (), **asked)
    except ValidationError:
        return None
