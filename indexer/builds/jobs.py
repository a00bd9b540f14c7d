"""Whose turn it is to build: requests, builds that wait for a worker, and the claims of living processes."""

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import Field, ValidationError

from indexer.builds.languages import check_language
from indexer.builds.lease import TTL, Lease, abandoned, owner_name
from indexer.catalog.builds import BuildRepository
from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.engine import Database
from indexer.catalog.records import BuildRecord, CatalogRecord
from indexer.catalog.states import ACTIVE_STATES, BuildState
from indexer.domain import Frozen
from indexer.errors import BuildCancelled, BuildFailed, BuildInProgress, PublishRefused, VitrineError
from indexer.sources import Source, open_source


class BuildRequest(Frozen):
    """What to build; kept in the ledger, so that another process can go on with it."""

    source: str
    mapping: dict[str, str] = Field(default_factory=dict)
    root: str
    encoder: str
    """Its name, as the setting `encoder.name` gives it."""
    skip_gates: bool = False
    hold: bool = False
    """Verify it and ask the gates, and leave publishing to people."""
    by: str = ""
    """Who wants it; '' where nobody said."""

    @classmethod
    def of(
        cls,
        source: Source,
        encoder: str,
        mapping: Mapping[str, str] | None = None,
        skip_gates: bool = False,
        hold: bool = False,
        by: str = "",
    ) -> "BuildRequest":
        return cls(
            source=_absolute(source.path),
            mapping=dict(mapping or {}),
            root=_absolute(source.root),
            encoder=encoder,
            skip_gates=skip_gates,
            hold=hold,
            by=by,
        )

    def open(self) -> Source:
        """Raises SourceError."""
        return open_source(self.source, self.mapping, self.root)


@dataclass(frozen=True)
class Job:
    """A build that this process has claimed."""

    record: BuildRecord
    language: str
    request: BuildRequest

    @property
    def build(self) -> str:
        return self.record.id

    @property
    def catalog(self) -> str:
        return self.record.catalog

    @property
    def generation(self) -> int:
        return self.record.generation

    @property
    def owner(self) -> str:
        """This process, as the lease names it."""
        return self.record.owner or ""


def begin(database: Database, catalog: str, language: str | None, request: BuildRequest, store: str) -> Job:
    """Go on with the build of the catalog that a dead process left, else begin one.

    Raises SettingsError for an unknown language, BuildInProgress while another process builds the catalog or a build
    of it waits for a worker.
    """
    now, owner = datetime.now(UTC), owner_name()
    with database.begin() as session:
        kept = _noted(CatalogRepository(session), catalog, language, request)
        builds = BuildRepository(session)
        unfinished = builds.claim(catalog, owner, now, _patience(builds, catalog))
        if unfinished is not None:
            builds.reuse(unfinished.id, store=store, source=request.source, settings=request.model_dump())
        record = builds.get(unfinished.id) if unfinished else _create(builds, catalog, request, store, owner, now)
    return Job(record, kept.language, request)


def enqueue(database: Database, catalog: str, language: str | None, request: BuildRequest, store: str) -> BuildRecord:
    """A build that waits for a worker. Raises SettingsError, BuildInProgress when the catalog has an unfinished one."""
    now = datetime.now(UTC)
    with database.begin() as session:
        _noted(CatalogRepository(session), catalog, language, request)
        builds = BuildRepository(session)
        running = _running(builds, catalog)
        if running is not None:
            raise BuildInProgress(_busy(running))
        return _create(builds, catalog, request, store, None, now)


def take_over(database: Database, store: str) -> Job | None:
    """The oldest build for this kind of store that waits or whose owner is dead, now claimed; None without one.

    One that an older version began, which did not keep what was asked for, has failed.
    """
    now, owner = datetime.now(UTC), owner_name()
    with database.begin() as session:
        builds = BuildRepository(session)
        for one in builds.recent():
            if one.owner is not None and one.state in ACTIVE_STATES and abandoned(one.owner):
                builds.release(one.id, one.owner, now)
        record = builds.claim_any(owner, now, TTL, store=store)
        if record is None:
            return None
        language = CatalogRepository(session).get(record.catalog).language
        try:
            return Job(record, language, BuildRequest.model_validate(record.settings))
        except ValidationError:
            reason = f"An older version began it and did not keep what it was to build; build {record.catalog} again."
            builds.set_state(record.id, BuildState.FAILED, now, error=reason)
            return None


def hold(builds: BuildRepository, job: Job) -> None:
    """Renew the claim in the transaction that writes: a process that lost its build changes nothing any more.

    Raises BuildCancelled, BuildInProgress when another process has the build now, BuildFailed when it has ended.
    """
    lease = Lease(job.build)
    state = builds.heartbeat(job.build, job.owner, datetime.now(UTC))
    lease.learn(state)
    lease.check()
    if state not in ACTIVE_STATES:
        raise BuildFailed(f"Build {job.build} of catalog {job.catalog!r} is {state} already.")


def end(database: Database, job: Job, state: BuildState, reason: str) -> None:
    """End the build without anything to publish, unless it is no longer this process's to end."""
    with database.begin() as session:
        builds = BuildRepository(session)
        with suppress(BuildCancelled, BuildInProgress, BuildFailed):
            hold(builds, job)
            builds.set_state(job.build, state, datetime.now(UTC), error=reason)


@contextmanager
def recording_failure(database: Database, job: Job) -> Iterator[None]:
    """An error ends the build as failed, an interruption as cancelled; a killed one stays open."""
    try:
        yield
    except OSError as error:
        end(database, job, BuildState.FAILED, str(error))
        raise BuildFailed(f"Build {job.build} stopped: {error}. Nothing was published.") from error
    except (BuildInProgress, BuildCancelled, PublishRefused):
        raise
    except Exception as error:
        reason = str(error) if isinstance(error, VitrineError) else f"{type(error).__name__}: {error}"
        end(database, job, BuildState.FAILED, reason)
        raise
    except KeyboardInterrupt:
        end(database, job, BuildState.CANCELLED, "interrupted")
        raise


def _noted(catalogs: CatalogRepository, catalog: str, language: str | None, request: BuildRequest) -> CatalogRecord:
    check_language(language)
    return catalogs.ensure(catalog, root=request.root, source=request.source, language=language)


def _patience(builds: BuildRepository, catalog: str) -> timedelta:
    """A build whose process is seen to be dead is gone on with at once."""
    running = _running(builds, catalog)
    if running is not None and _waits(running):
        raise BuildInProgress(_busy(running))
    return timedelta(0) if running is not None and abandoned(running.owner) else TTL


def _running(builds: BuildRepository, catalog: str) -> BuildRecord | None:
    return next((one for one in builds.recent(catalog) if one.state in ACTIVE_STATES), None)


def _waits(build: BuildRecord) -> bool:
    return build.state is BuildState.QUEUED and build.owner is None


def _busy(build: BuildRecord) -> str:
    drop = f"vitrine builds cancel {build.id}"
    if _waits(build):
        return (
            f"Build {build.id} of catalog {build.catalog!r} waits for a worker. Start one: vitrine worker. "
            f"Or drop it: {drop}"
        )
    return (
        f"Build {build.id} of catalog {build.catalog!r} is in progress ({build.state}). Wait for its end: "
        f"vitrine builds show {build.id}. Or stop it: {drop}"
    )


def _create(
    builds: BuildRepository, catalog: str, request: BuildRequest, store: str, owner: str | None, now: datetime
) -> BuildRecord:
    name = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    source, settings = request.source, request.model_dump()
    return builds.create(name, catalog, owner=owner, store=store, source=source, settings=settings, now=now)


def _absolute(place: object) -> str:
    """Paths as any process finds them; addresses as they are."""
    text = str(place)
    return text if "://" in text else os.path.abspath(text)
