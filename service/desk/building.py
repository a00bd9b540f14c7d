"""Builds that the desk asks for, and how they get on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from indexer.builds.jobs import BuildRequest, enqueue
from indexer.builds.listing import counts_of
from indexer.catalog.builds import BuildRepository
from indexer.catalog.engine import Database
from indexer.catalog.images import ImageRepository
from indexer.catalog.published import PublishedRepository
from indexer.catalog.records import BuildRecord
from indexer.catalog.rejects import RejectRepository
from indexer.catalog.states import ACTIVE_STATES, BuildState
from indexer.domain import BuildManifest
from indexer.settings import Settings
from service.desk.choosing import Choice, shown_name

UNITS: Final[Mapping[BuildState, str]] = {BuildState.READING: "rows", BuildState.VERIFYING: "queries"}
"""What the counts of a stage count, where that is one thing."""


@dataclass(frozen=True)
class BuildView:
    """A build as its page shows it."""

    record: BuildRecord
    published: bool
    manifest: BuildManifest | None
    """Once it was surveyed."""
    done: int
    total: int | None
    per_second: float | None
    seconds_left: int | None
    rows: Mapping[str, int]
    """Rows of the source that were left out so far: reason → count."""
    photos: Mapping[str, int]
    """Photos likewise."""

    @property
    def reasons(self) -> Mapping[str, int]:
        return {**self.rows, **self.photos}

    @property
    def active(self) -> bool:
        return self.record.state in ACTIVE_STATES

    @property
    def waiting(self) -> bool:
        return self.record.state is BuildState.QUEUED and self.record.owner is None

    @property
    def held(self) -> bool:
        """Finished and not published, because people are to look first."""
        return self.record.state is BuildState.READY and bool(self.record.settings.get("hold"))

    @property
    def stages(self) -> list[tuple[str, str]]:
        """Of a build that is under way each stage, and whether it is over, the one that runs, or to come."""
        place = ACTIVE_STATES.index(self.record.state) if self.active else len(ACTIVE_STATES)
        return [
            (one.value, "done" if at < place else "now" if at == place else "ahead")
            for at, one in enumerate(ACTIVE_STATES)
        ]

    @property
    def file(self) -> str:
        return shown_name(self.record.source)

    @property
    def by(self) -> str:
        return str(self.record.settings.get("by") or "")


def ask_for(database: Database, settings: Settings, choice: Choice, by: str, hold: bool) -> str:
    """The id of a build that waits for a worker. Raises SourceError, BuildInProgress."""
    source = choice.open()
    request = BuildRequest.of(source, settings.encoder.name, choice.mapping, hold=hold, by=by)
    return enqueue(database, choice.catalog, choice.language, request, settings.store.kind).id


def view_of(database: Database, build: str) -> BuildView:
    """Raises UnknownBuild."""
    with database.session() as session:
        builds = BuildRepository(session)
        record = builds.get(build)
        manifest = builds.manifest(build)
        published = PublishedRepository(session).find(record.catalog)
        photos = ImageRepository(session).counts(record.catalog, generation=record.generation)
        rows = RejectRepository(session).counts(build)
    counts = counts_of(record, datetime.now(UTC))
    total, left = counts.get("total"), counts.get("seconds_left")
    return BuildView(
        record=record,
        published=published is not None and published.build == build,
        manifest=manifest,
        done=int(counts.get("done", 0)),
        total=None if total is None else int(total),
        per_second=counts.get("per_second"),
        seconds_left=None if left is None else int(left),
        rows=rows,
        photos=photos.reasons,
    )
