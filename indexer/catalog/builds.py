"""The ledger of builds: their states, leases, manifests and what they rejected."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from indexer.catalog.catalogs import listed, lock_catalog
from indexer.catalog.changes_log import ChangeRepository
from indexer.catalog.generations import GenerationRepository
from indexer.catalog.models import BuildRow, PublishedRow
from indexer.catalog.records import BuildRecord
from indexer.catalog.states import ACTIVE_STATES, BuildState
from indexer.domain import BuildManifest
from indexer.errors import BuildInProgress, ConflictError, UnknownBuild

_COLUMNS = (
    BuildRow.id,
    BuildRow.catalog,
    BuildRow.generation,
    BuildRow.state,
    BuildRow.store,
    BuildRow.source,
    BuildRow.settings,
    BuildRow.counts,
    BuildRow.base,
    BuildRow.error,
    BuildRow.owner,
    BuildRow.heartbeat_at,
    BuildRow.created_at,
    BuildRow.updated_at,
    BuildRow.finished_at,
)
T = TypeVar("T")

_GIVEN_UP = (BuildState.FAILED, BuildState.CANCELLED)
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
        lock_catalog(self._session, catalog)
        unfinished = self._unfinished(catalog)
        if unfinished is None:
            return None
        if unfinished.owner != owner and unfinished.heartbeat_at is not None and unfinished.heartbeat_at > now - ttl:
            raise BuildInProgress(
                f"Build {unfinished.id!r} of catalog {catalog!r} is in progress ({unfinished.state}), "
                f"owned by {unfinished.owner}."
            )
        return self._lease(unfinished.id, owner, now)

    def claim_any(self, owner: str, now: datetime, ttl: timedelta, *, store: str | None = None) -> BuildRecord | None:
        """Lease the oldest unfinished build that waits for an owner, or whose owner's last heartbeat is `ttl` old.

        `store` narrows the choice to builds for that kind. None when there is nothing to do; builds that another worker
        is claiming at this moment are passed over.
        """
        alone = sa.or_(BuildRow.owner.is_(None), BuildRow.heartbeat_at.is_(None), BuildRow.heartbeat_at <= now - ttl)
        query = sa.select(BuildRow.id).where(BuildRow.state.in_(ACTIVE_STATES), alone)
        if store is not None:
            query = query.where(BuildRow.store == store)
        oldest = query.order_by(BuildRow.created_at, BuildRow.id).limit(1).with_for_update(skip_locked=True)
        chosen = self._session.scalar(oldest)
        return None if chosen is None else self._lease(chosen, owner, now)

    def create(
        self,
        build_id: str,
        catalog: str,
        *,
        owner: str | None,
        store: str,
        source: str,
        settings: Mapping[str, object],
        now: datetime,
    ) -> BuildRecord:
        """A queued build of the next generation, leased to `owner`, or waiting for a worker when that is None.

        What the build before it had done goes over to it when that one failed or was cancelled. Raises
        BuildInProgress when the catalog has an unfinished build, UnknownCatalog.
        """
        lock_catalog(self._session, catalog)
        unfinished = self._unfinished(catalog)
        if unfinished is not None:
            raise BuildInProgress(f"Build {unfinished.id!r} of catalog {catalog!r} is not finished.")
        before = self._newest(catalog)
        generation = 1 if before is None else before.generation + 1
        sequence = ChangeRepository(self._session).last(catalog)
        self._session.execute(
            sa.insert(BuildRow).values(
                id=build_id,
                catalog=catalog,
                state=BuildState.QUEUED,
                store=store,
                source=source,
                settings=dict(settings),
                counts={},
                generation=generation,
                base=sequence,
                owner=owner,
                heartbeat_at=None if owner is None else now,
                created_at=now,
                updated_at=now,
            )
        )
        if before is not None and before.state in _GIVEN_UP:
            GenerationRepository(self._session).inherit(catalog, before.generation, generation)
        return self.get(build_id)

    def reuse(self, build_id: str, *, store: str, source: str, settings: Mapping[str, object]) -> None:
        """Go on with a build by another request. Raises UnknownBuild."""
        self._change(build_id, store=store, source=source, settings=dict(settings))

    def heartbeat(self, build_id: str, owner: str, now: datetime) -> BuildState:
        """Keep the lease; returns the state, by which an owner learns that its build was cancelled.

        Raises BuildInProgress when another process has taken the build over, UnknownBuild when it is gone.
        """
        mine = sa.update(BuildRow).where(BuildRow.id == build_id, BuildRow.owner == owner)
        self._session.execute(mine.values(heartbeat_at=now))
        build = self.get(build_id)
        if build.owner != owner:
            fate = "was released" if build.owner is None else f"was taken over by {build.owner}"
            raise BuildInProgress(f"Build {build_id!r} {fate}.")
        return build.state

    def release(self, build_id: str, owner: str, now: datetime) -> None:
        """Give the lease up at once, so that another may claim the build; nothing to do when another has it."""
        mine = sa.update(BuildRow).where(BuildRow.id == build_id, BuildRow.owner == owner)
        self._session.execute(mine.values(owner=None, heartbeat_at=None, updated_at=now))

    def cancel(self, build_id: str, now: datetime) -> BuildRecord:
        """End an unfinished build; its owner learns it from its heartbeat. Raises UnknownBuild, ConflictError."""
        build = self.lock(build_id)
        if build.state not in ACTIVE_STATES:
            raise ConflictError(f"Build {build_id!r} is {build.state} already and cannot be cancelled.")
        self.set_state(build_id, BuildState.CANCELLED, now)
        return self.get(build_id)

    def set_state(self, build_id: str, state: BuildState, now: datetime, *, error: str | None = None) -> None:
        """A state outside the active ones ends the build. Raises UnknownBuild."""
        finished = None if state in ACTIVE_STATES else now
        self._update(build_id, now, state=state, error=error, finished_at=finished)

    def save_counts(self, build_id: str, counts: Mapping[str, int], now: datetime) -> None:
        """Replaces the counts. Raises UnknownBuild."""
        self._update(build_id, now, counts=dict(counts))

    def save_manifest(
        self, build_id: str, manifest: BuildManifest, lexicon: bytes, now: datetime, *, words: bytes | None = None
    ) -> None:
        """Raises UnknownBuild."""
        self._update(build_id, now, manifest=manifest.model_dump(mode="json"), lexicon=lexicon, words=words)

    def manifest(self, build_id: str) -> BuildManifest | None:
        """None while the build has not written one. Raises UnknownBuild."""
        stored = self._one(build_id, BuildRow.manifest)
        return None if stored is None else BuildManifest.model_validate(stored)

    def lexicon(self, build_id: str) -> bytes | None:
        """As it was saved beside the manifest. Raises UnknownBuild."""
        return self._one(build_id, BuildRow.lexicon)

    def words(self, build_id: str) -> bytes | None:
        """As they were saved beside the manifest; None for builds of before words were kept. Raises UnknownBuild."""
        return self._one(build_id, BuildRow.words)

    def save_verdicts(self, build_id: str, verdicts: Sequence[Mapping[str, object]], now: datetime) -> None:
        """Replaces them. Raises UnknownBuild."""
        self._update(build_id, now, verdicts=[dict(one) for one in verdicts])

    def verdicts(self, build_id: str) -> Sequence[Mapping[str, object]]:
        """As they were saved; empty before that. Raises UnknownBuild."""
        return self._one(build_id, BuildRow.verdicts) or []

    def get(self, build_id: str) -> BuildRecord:
        """Raises UnknownBuild, naming the newest builds there are."""
        return self._record(build_id, sa.select(*_COLUMNS))

    def lock(self, build_id: str) -> BuildRecord:
        """As `get`; other transactions that lock or change the build wait from here on. Raises UnknownBuild."""
        return self._record(build_id, sa.select(*_COLUMNS).with_for_update())

    def recent(self, catalog: str | None = None, limit: int = 50) -> tuple[BuildRecord, ...]:
        """Newest first, of one catalog or of all."""
        query = sa.select(*_COLUMNS).order_by(BuildRow.created_at.desc(), BuildRow.id.desc()).limit(limit)
        if catalog is not None:
            query = query.where(BuildRow.catalog == catalog)
        return tuple(BuildRecord(**row._asdict()) for row in self._session.execute(query))

    def remove(self, build_id: str) -> None:
        """Forget a build and its rejects, not its generation. Raises UnknownBuild, ConflictError while published."""
        self.get(build_id)
        if self._session.scalar(sa.select(PublishedRow.catalog).where(PublishedRow.build_id == build_id)):
            raise ConflictError(f"Build {build_id!r} is published; publish another one first.")
        self._session.execute(sa.delete(BuildRow).where(BuildRow.id == build_id))

    def _unfinished(self, catalog: str) -> BuildRecord | None:
        """Locked, as `claim_any` does not lock the catalog."""
        query = sa.select(*_COLUMNS).where(BuildRow.catalog == catalog, BuildRow.state.in_(ACTIVE_STATES))
        return _first(self._session, query.order_by(BuildRow.generation.desc()).with_for_update())

    def _newest(self, catalog: str) -> BuildRecord | None:
        query = sa.select(*_COLUMNS).where(BuildRow.catalog == catalog)
        return _first(self._session, query.order_by(BuildRow.generation.desc()))

    def _lease(self, build_id: str, owner: str, now: datetime) -> BuildRecord:
        self._update(build_id, now, owner=owner, heartbeat_at=now)
        return self.get(build_id)

    def _record(self, build_id: str, query: sa.Select[*tuple[Any, ...]]) -> BuildRecord:
        found = _first(self._session, query.where(BuildRow.id == build_id))
        if found is None:
            raise self._unknown(build_id)
        return found

    def _update(self, build_id: str, now: datetime, **changes: object) -> None:
        self._change(build_id, updated_at=now, **changes)

    def _change(self, build_id: str, **changes: object) -> None:
        changed = sa.update(BuildRow).where(BuildRow.id == build_id).values(**changes)
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


def _first(session: Session, query: sa.Select[*tuple[Any, ...]]) -> BuildRecord | None:
    row = session.execute(query.limit(1)).one_or_none()
    return None if row is None else BuildRecord(**row._asdict())
