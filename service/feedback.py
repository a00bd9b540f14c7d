"""What shoppers do with results, kept as labels for evaluations: never who they are."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from indexer.catalog.builds import BuildRepository
from indexer.catalog.engine import Database
from indexer.catalog.feedback import FeedbackRepository
from indexer.catalog.products import ProductRepository
from indexer.catalog.records import Feedback
from indexer.catalog.states import FeedbackKind
from indexer.errors import CatalogueUnavailable, UnknownBuild
from indexer.settings import PageSettings
from service.request import SearchRequest

MOST: Final = 100_000
"""Rows of all catalogs; the oldest go first."""
MOST_OF_A_VISIT: Final = 300
"""What one visit says beyond that is not recorded: it is no shopper."""
MOST_OF_A_QUERY: Final = 4_000
"""Characters of what is kept of a request; with more it is not recorded: no page asks so much."""
PATIENCE: Final = 0.5
"""Seconds that a click waits for whoever else writes; then it is not recorded."""
VISIT_HOURS: Final = 4
"""How long one is taken for the same visitor."""
LOWEST: Final = 10_000
"""Rank that a result is believed to have had."""
ASKED: Final = frozenset({"text", "like", "change", "where", "without", "ignore", "sort", "group", "box", "strict"})
"""What is kept of a request: what was asked, not how much of the answer was wanted."""


@dataclass(frozen=True)
class Given:
    """A result that was opened, or is said not to be meant, and the answer that it was in."""

    kind: FeedbackKind
    catalog: str
    build: str
    product: str
    rank: int
    query: SearchRequest
    photo: bool = False
    """Whether there was a photo beside it, which is not kept."""


class FeedbackBook:
    """Thread-safe."""

    def __init__(self, database: Database, settings: PageSettings) -> None:
        self._database = database
        self._kept = timedelta(days=settings.feedback_days)
        self._wanted = settings.feedback

    def record(self, given: Given, visit: str) -> bool:
        """Whether it was. `visit` is up to 32 characters that say nothing of who it is.

        Raises UnknownBuild and UnknownProduct for what is in no ledger.
        """
        query = _asked(given)
        if not self._wanted or len(json.dumps(query)) > MOST_OF_A_QUERY:
            return False
        try:
            return self._record(given, query, visit)
        except CatalogueUnavailable:
            return False

    def forget(self) -> None:
        """What has been kept as long as it may be; nothing while others write, until the next time."""
        with suppress(CatalogueUnavailable), self._database.begin(PATIENCE) as session:
            FeedbackRepository(session).forget(datetime.now(UTC) - self._kept)

    def _record(self, given: Given, query: Mapping[str, object], visit: str) -> bool:
        now = datetime.now(UTC)
        with self._database.begin(PATIENCE) as session:
            build = BuildRepository(session).get(given.build)
            if build.catalog != given.catalog:
                raise UnknownBuild(f"Build {given.build!r} is none of catalog {given.catalog!r}.")
            product = ProductRepository(session).get(given.catalog, given.product, generation=build.generation)
            book = FeedbackRepository(session)
            if book.said(given.catalog, visit, now - timedelta(hours=VISIT_HOURS)) >= MOST_OF_A_VISIT:
                return False
            book.add(Feedback(given.catalog, build.id, visit, given.kind, query, product.id, given.rank, now))
            book.limit(MOST)
        return True


def _asked(given: Given) -> Mapping[str, object]:
    said = given.query.model_dump(mode="json", include=set(ASKED), exclude_defaults=True)
    return {**said, "photo": True} if given.photo else said
