"""Old builds make room."""

import logging
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

from indexer.catalog.audit import AuditEntry, AuditRepository
from indexer.catalog.builds import BuildRepository
from indexer.catalog.catalogs import CatalogRepository, lock_catalog
from indexer.catalog.changes_log import ChangeRepository
from indexer.catalog.engine import Database
from indexer.catalog.generations import GenerationRepository
from indexer.catalog.publications import PublicationRepository
from indexer.catalog.published import PublishedRepository
from indexer.catalog.records import BuildRecord, Published
from indexer.catalog.states import ACTIVE_STATES, PUBLISHABLE_STATES, BuildState
from indexer.errors import StoreOwned, UnavailableError
from indexer.settings import Settings
from indexer.stores.keeping import Stores
from indexer.stores.opening import open_stores

KEEP_REFUSED = 1
"""Builds that a gate refused which stay, to be looked at or published after all."""
KEEP_HELD = 2
"""Builds that are held for people to publish, and never were published, which stay."""
KEEP_ENDED = 20
"""Failed and cancelled builds that stay in the ledger with their reasons; they have no store."""
GIVEN_UP = "forgotten"
"""Reason in the ledger while a build's store is being removed."""
STILL_SEARCHED = timedelta(minutes=1)
"""A service goes over to what is published within a second, and requests end on the build they began with."""
LOG = logging.getLogger(__name__)


def prune_all(database: Database, settings: Settings, catalog: str | None, keep: int, by: str = "") -> list[str]:
    """`prune` for one catalog or for all. Raises UnknownCatalog."""
    with database.session() as session:
        catalogs = CatalogRepository(session)
        names = catalogs.names() if catalog is None else (catalogs.get(catalog).name,)
    stores = open_stores(settings)
    return [build for name in names for build in prune(database, stores, name, keep, by)]


def prune(database: Database, stores: Stores, catalog: str, keep: int, by: str = "") -> list[str]:
    """Forget all but the newest `keep` finished builds, never the published one; returns the builds that went.
    `by`: who does it, or published what others make room for, for the record.

    Builds that were refused, or that wait to be published, do not take the places of those one can go back to. Rows of
    the ledger that no remaining build is made of, and live changes that all of them have, go too. What is still
    searched stays until the next time.
    """
    superfluous = _give_up(database, catalog, keep)
    gone = [one for one in superfluous if _removed(stores, one.id)]
    with database.begin() as session:
        lock_catalog(session, catalog)
        builds = BuildRepository(session)
        there = {one.id for one in builds.recent(catalog, limit=1_000)}  # others may clear away at the same time
        for one in [one for one in superfluous if one.id in there]:
            if one in gone:
                builds.remove(one.id)
            else:
                error = None if one.error == GIVEN_UP else one.error
                builds.set_state(one.id, BuildState.READY, one.finished_at or one.updated_at, error=error)
        left = builds.recent(catalog, limit=1_000)
        ended = [one for one in left if one.state in (BuildState.FAILED, BuildState.CANCELLED)]
        for one in ended[KEEP_ENDED:]:
            builds.remove(one.id)
        if gone:
            before = {"builds": [one.id for one in gone]}
            now = datetime.now(UTC)
            AuditRepository(session).add(AuditEntry(now, by, "builds.prune", catalog, catalog, before, None))
        generations = GenerationRepository(session)
        _abandon(generations, catalog, gone, left)
        _forget(generations, ChangeRepository(session), catalog, left)
    for one in ended:
        _removed(stores, one.id)
    return [one.id for one in gone]


def _give_up(database: Database, catalog: str, keep: int) -> list[BuildRecord]:
    """The builds to forget, those that a killed process gave up among them. From here on nobody can publish them."""
    now = datetime.now(UTC)
    with database.begin() as session:
        lock_catalog(session, catalog)
        builds = BuildRepository(session)
        recent = builds.recent(catalog, limit=1_000)
        spared = _searched(PublishedRepository(session).find(catalog), now)
        shown = {one.build for one in PublicationRepository(session).of(catalog, limit=1_000)}
        given_up = [one for one in recent if one.state is BuildState.CANCELLED and one.error == GIVEN_UP]
        superfluous = [one for one in _beyond(recent, shown, keep) if one.id not in spared]
        for one in superfluous:
            builds.set_state(one.id, BuildState.CANCELLED, now, error=GIVEN_UP)
    return [*superfluous, *given_up]


def _searched(published: Published | None, now: datetime) -> set[str | None]:
    if published is None:
        return set()
    lately = now - published.published_at < STILL_SEARCHED
    return {published.build, published.previous if lately else None}


def _beyond(recent: Sequence[BuildRecord], shown: Collection[str], keep: int) -> list[BuildRecord]:
    """What there is too much of, each kind counted by itself. `recent`: newest first; `shown`: ever published."""
    ready = [one for one in recent if one.state is BuildState.READY]
    held = [one for one in ready if one.settings.get("hold") and one.id not in shown]
    others = [one for one in ready if one not in held]
    accepted = [one for one in others if one.error is None]
    refused = [one for one in others if one.error is not None]
    return [*accepted[max(keep - 1, 0) :], *held[KEEP_HELD:], *refused[KEEP_REFUSED:]]


def _removed(stores: Stores, build: str) -> bool:
    """A store that is open, or cannot be reached, is removed another time."""
    try:
        stores.remove(build)
    except (StoreOwned, UnavailableError) as error:
        LOG.warning("The store of build %s stays for now. %s", build, error)
        return False
    return True


def _abandon(
    generations: GenerationRepository, catalog: str, gone: Sequence[BuildRecord], left: Sequence[BuildRecord]
) -> None:
    """The next build takes the number behind the highest that is left: what is above it must not be there."""
    highest = max((one.generation for one in left), default=0)
    for generation in sorted((one.generation for one in gone if one.generation > highest), reverse=True):
        generations.abandon(catalog, generation)


def _forget(
    generations: GenerationRepository, changes: ChangeRepository, catalog: str, builds: Sequence[BuildRecord]
) -> None:
    kept = [one for one in builds if one.state in (*PUBLISHABLE_STATES, *ACTIVE_STATES)]
    if kept:
        generations.forget(catalog, min(one.generation for one in kept))
        changes.forget(catalog, min(one.base for one in kept))
