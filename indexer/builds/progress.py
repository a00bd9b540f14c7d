"""What a build tells whoever watches it."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from indexer.builds.verdict import GateVerdict
from indexer.catalog.builds import BuildRepository
from indexer.catalog.engine import Database
from indexer.domain import Frozen
from indexer.errors import CatalogueUnavailable


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` (None: not known yet) items of a stage; `rejected` so far in the whole build."""

    stage: str
    done: int
    total: int | None
    rejected: int
    unit: str


Watch = Callable[[Progress], None]

NOTED_EVERY = 1.0
"""Seconds."""


class Ledgered:
    """Keeps a build's progress in the ledger, at most once a second and at each stage's first word.

    The counts are `done`, `total` (absent: not known yet), `rejected` and `began`, when the stage's first item of this
    unit was done, in Unix seconds: rate and remaining time follow from them. A note that the database does not take is
    left out: it is not worth a stage's work, and the next one says more.
    """

    def __init__(self, database: Database, build: str) -> None:
        self._database = database
        self._build = build
        self._counted: tuple[str, str] | None = None
        self._began = 0.0
        self._noted = 0.0

    def __call__(self, progress: Progress) -> None:
        now = time.time()
        first = self._counted != (progress.stage, progress.unit)
        if first:
            self._counted, self._began = (progress.stage, progress.unit), now
        elif now - self._noted < NOTED_EVERY and progress.done != progress.total:
            return
        counts = {"done": progress.done, "rejected": progress.rejected, "began": int(self._began)}
        if progress.total is not None:
            counts["total"] = progress.total
        with suppress(CatalogueUnavailable), self._database.begin() as session:
            BuildRepository(session).save_counts(self._build, counts, datetime.now(UTC))
        self._noted = time.time()


class BuildReport(Frozen):
    """How a build ended. `state` is `published`, `held` when that is left to people, or `unchanged` when the published
    build is still the catalogue."""

    catalog: str
    build: str
    state: str
    products: int
    added: int
    changed: int
    removed: int
    images: int
    rejected_images: dict[str, int]
    """Reason → count."""
    rejected_rows: int
    points: int
    store: str
    """How the points are found, and why so, as a sentence."""
    encoded_images: int
    encoded_texts: int
    seconds: float
    verdicts: tuple[GateVerdict, ...] = ()
    """Of the gates; those that refuse are among them only where the build is held."""
    gates_skipped: bool = False
    """Published without asking any gate, because whoever built it said so."""
