"""The ledger of builds: their states, leases, manifests and what they rejected."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from indexer.catalog.catalogs import listed, unknown_catalog
from indexer.catalog.models import BuildRow, CatalogRow, PublishedRow
from indexer.catalog.records import BuildRecord
from indexer.catalog.states import ACTIVE_STATES, BuildState
from indexer.domain import BuildManifest
from indexer.errors import BuildInProgress, ConflictError, UnknownBuild

_COLUMNS = (
    BuildRow.id,
    BuildRow.catalog,
    BuildRow.state,
    BuildRow.store,
    BuildRow.source,
    BuildRow.settings,
    BuildRow.counts,
    BuildRow.error,
    BuildRow.owner,
    BuildRow.heartbeat_at,
    BuildRow.created_at,
    BuildRow.updated_at,
    BuildRow.finished_at,
)
T = TypeVar("T")

_NAMED = 5
"""Builds that an UnknownBuild error names."""


class BuildRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def claim(self, catalog: str, owner: str, now: datetime, ttl: timedelta) -> BuildRecord | None:
        """Take the right to build the catalog until the transaction ends.

        Returns the unfinished build to go on with, now leased to `owner`, or None: then `create` one in the same
        transaction. Raises BuildInProgress, naming the build, when another owner's heartbeat is younger than
        `ttl`; UnknownCatalog.
        """
        self._lock(catalog)
        unfinished = self._unfinished(catalog)
        if unfinished is None:
            return None
        if unfinished.owner != owner and unfinished.heartbeat_at is not None and unfinished.heartbeat_at > now - ttl:
            raise BuildInProgress(
                f"Build {unfinished.id!r} of catalog {catalog!r} is in progress ({unfinished.state}), "
                f"owned by {unfinished.owner}."
            )
        self._update(unfinished.id, now, owner=owner, heartbeat_at=now)
        return self.get(unfinished.id)

    def create(
        self,
        build_id: str,
        catalog: str,
        *,
        owner: str,
        store: str,
        source: str,
        settings: Mapping[str, object],
        now: datetime,
    ) -> BuildRecord:
        """A queued build leased to `owner`. Raises BuildInProgress when the catalog has an unfinished build."""
        self._lock(catalog)
        unfinished = self._unfinished(catalog)
        if unfinished is not None:
            raise BuildInProgress(f"Build {unfinished.id!r} of catalog {catalog!r} is not finished.")
        self._session.execute(
            sa.insert(BuildRow).values(
                id=build_id,
                catalog=catalog,
                state=BuildState.QUEUED,
                store=store,
                source=source,
                settings=dict(settings),
                counts={},
                owner=owner,
                heartbeat_at=now,
                created_at=now,
                updated_at=now,
            )
        )
        return self.get(build_id)

    def heartbeat(self, build_id: str, owner: str, now: datetime) -> BuildState:
        """Keep the lease; returns the state, by which an owner learns that its build was cancelled.

        Raises BuildInProgress when another process has taken the build over, UnknownBuild when it is gone.
        """
        mine = sa.update(BuildRow).where(BuildRow.id == build_id, BuildRow.owner == owner)
        self._session.execute(mine.values(heartbeat_at=now))
        build = self.get(build_id)
        if build.owner != owner:
            raise BuildInProgress(f"Build {build_id!r} was taken over by {build.owner}.")
        return build.state

    def set_state(self, build_id: str, state: BuildState, now: datetime, *, error: str | None = None) -> None:
        """A state outside the active ones ends the build. Raises UnknownBuild."""
        finished = None if state in ACTIVE_STATES else now
        self._update(build_id, now, state=state, error=error, finished_at=finished)

    def save_counts(self, build_id: str, counts: Mapping[str, int], now: datetime) -> None:
        """Replaces the counts. Raises UnknownBuild."""
        self._update(build_id, now, counts=dict(counts))

    def save_manifest(self, build_id: str, manifest: BuildManifest, lexicon: bytes, now: datetime) -> None:
        """Raises UnknownBuild."""
        self._update(build_id, now, manifest=manifest.model_dump(mode="json"), lexicon=lexicon)

    def manifest(self, build_id: str) -> BuildManifest | None:
        """None while the build has not written one. Raises UnknownBuild."""
        stored = self._one(build_id, BuildRow.manifest)
        return None if stored is None else BuildManifest.model_validate(stored)

    def lexicon(self, build_id: str) -> bytes | None:
        """As it was saved beside the manifest. Raises UnknownBuild."""
        return self._one(build_id, BuildRow.lexicon)

    def get(self, build_id: str) -> BuildRecord:
        """Raises UnknownBuild, naming the newest builds there are."""
        row = self._session.execute(sa.select(*_COLUMNS).where(BuildRow.id == build_id)).one_or_none()
        if row is None:
            raise self._unknown(build_id)
        return BuildRecord(**row._asdict())

    def recent(self, catalog: str | None = None, limit: int = 50) -> tuple[BuildRecord, ...]:
        """Newest first, of one catalog or of all."""
        query = sa.select(*_COLUMNS).order_by(BuildRow.created_at.desc(), BuildRow.id.desc()).limit(limit)
        if catalog is not None:
            query = query.where(BuildRow.catalog == catalog)
        return tuple(BuildRecord(**row._asdict()) for row in self._session.execute(query))

    def remove(self, build_id: str) -> None:
        """Forget a build and its rejects. Raises UnknownBuild, ConflictError while it is published."""
        self.get(build_id)
        if self._session.scalar(sa.select(PublishedRow.catalog).where(PublishedRow.build_id == build_id)):
            raise ConflictError(f"Build {build_id!r} is published; publish another one first.")
        self._session.execute(sa.delete(BuildRow).where(BuildRow.id == build_id))

    def _lock(self, catalog: str) -> None:
        """Other transactions that build the catalog wait from here on; on SQLite they already do."""
        locked = sa.select(CatalogRow.name).where(CatalogRow.name == catalog).with_for_update()
        if self._session.scalar(locked) is None:
            raise unknown_catalog(self._session, catalog)

    def _unfinished(self, catalog: str) -> BuildRecord | None:
        query = sa.select(*_COLUMNS).where(BuildRow.catalog == catalog, BuildRow.state.in_(ACTIVE_STATES))
        newest = query.order_by(BuildRow.created_at.desc()).limit(1)
        row = self._session.execute(newest).one_or_none()
        return None if row is None else BuildRecord(**row._asdict())

    def _update(self, build_id: str, now: datetime, **changes: object) -> None:
        changed = sa.update(BuildRow).where(BuildRow.id == build_id).values(updated_at=now, **changes)
        if self._session.connection().execute(changed).rowcount == 0:
            raise self._unknown(build_id)

    def _one(self, build_id: str, column: InstrumentedAttribute[T]) -> T:
        row = self._session.execute(sa.select(column).where(BuildRow.id == build_id)).one_or_none()
        if row is None:
            raise self._unknown(build_id)
        return row[0]

    def _unknown(self, build_id: str) -> UnknownBuild:
        newest = sa.select(BuildRow.id).order_by(BuildRow.created_at.desc()).limit(_NAMED)
        names = tuple(self._session.scalars(newest))
        return UnknownBuild(f"There is no build {build_id!r}; newest builds: {listed(names)}.")
