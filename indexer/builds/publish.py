"""A finished build is read back before it is published; publishing, and going back, is one row of the ledger."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np

from indexer.builds.embeddings import Embeddings
from indexer.builds.jobs import Job, hold
from indexer.builds.live import LiveIndex
from indexer.builds.pages import pages
from indexer.builds.write import points_of
from indexer.catalog.audit import AuditEntry, AuditRepository
from indexer.catalog.builds import BuildRepository
from indexer.catalog.catalogs import lock_catalog
from indexer.catalog.changes_log import ChangeRepository
from indexer.catalog.engine import Database
from indexer.catalog.products import ProductRepository
from indexer.catalog.published import PublishedRepository
from indexer.catalog.states import BuildState
from indexer.domain import BuildManifest
from indexer.errors import BuildFailed, UnavailableError, VectorsMissing
from indexer.stores.keeping import Stores

READ_BACK = 200
"""Products whose vectors are compared with the cache."""
TOLERANCE = 1e-3
LOG = logging.getLogger(__name__)
PATIENCE = 20
"""Looks at a catalogue that keeps changing before a difference counts as a fault."""


def verify(index: LiveIndex, database: Database, embeddings: Embeddings) -> int:
    """The newest live change that was there when all was well.

    Raises BuildFailed when the store does not hold exactly what the ledger says, live changes included, and
    VectorsMissing when the cache has lost what would be compared.
    """
    for _ in range(PATIENCE):
        index.catch_up()
        before = _newest(database, index.manifest.catalog)
        fault = _fault(index, database, embeddings)
        if fault is None:
            return before
        if _newest(database, index.manifest.catalog) == before:
            break
    raise BuildFailed(f"Build {index.manifest.build}: {fault}")


def _satisfied() -> None:
    """There is nothing to look at."""


def publish(
    database: Database,
    stores: Stores,
    manifest: BuildManifest,
    job: Job | None = None,
    last_look: Callable[[], None] = _satisfied,
    by: str = "",
    action: str = "builds.publish",
) -> None:
    """The ledger's row is the truth; the store's own pointer follows it. `by`: who publishes, for the record, which
    names it by `action`.

    `job`: the claim under which the build was made. Raises BuildCancelled, BuildInProgress when that is lost, and
    without one BuildFailed when the build is not, or no longer, finished.
    `last_look` is called when no live change can come in between; if it raises, nothing is published.
    A pointer that cannot be written is only told: the build is published, and a service that starts writes it again.
    """
    now = datetime.now(UTC)
    with database.begin() as session:
        lock_catalog(session, manifest.catalog)
        builds = BuildRepository(session)
        if job is not None:
            hold(builds, job)
        last_look()
        if job is not None or builds.lock(manifest.build).state is BuildState.READY:
            builds.set_state(manifest.build, BuildState.READY, now)  # why it was refused once is over
        published = PublishedRepository(session)
        former = published.find(manifest.catalog)
        published.set(manifest.catalog, manifest.build, now, by=by)
        if former is None or former.build != manifest.build:
            before = None if former is None else {"published": former.build}
            after = {"published": manifest.build}
            done = AuditEntry(now, by, action, manifest.catalog, manifest.build, before, after)
            AuditRepository(session).add(done)
    _point(stores, manifest.catalog, manifest.build)


def withhold(database: Database, build: str, reason: str | None, job: Job | None = None, by: str = "") -> None:
    """The build is finished and can be published later. The ledger keeps why it was not, when a gate refused it.
    `by`: who wanted it, for the record.

    One that somebody published or gave up meanwhile stays so. Raises BuildCancelled, BuildInProgress like `publish`.
    """
    with database.begin() as session:
        builds = BuildRepository(session)
        if job is not None:
            hold(builds, job)
        record, now = builds.lock(build), datetime.now(UTC)
        if job is not None or record.state is BuildState.READY:
            builds.set_state(build, BuildState.READY, now, error=reason)
            action, told = ("builds.hold", None) if reason is None else ("builds.refuse", {"reason": reason})
            done = AuditEntry(now, by, action, record.catalog, build, None, told)
            AuditRepository(session).add(done)


def repair_pointers(database: Database, stores: Stores) -> None:
    """A process that died between the ledger's row and the store's pointer left the pointer behind."""
    with database.session() as session:
        published = PublishedRepository(session)
        builds = {name: published.get(name).build for name in published.names()}
    for catalog, build in builds.items():
        if stores.holds(build):
            _point(stores, catalog, build)


def _point(stores: Stores, catalog: str, build: str) -> None:
    try:
        stores.publish(catalog, build)
    except (OSError, UnavailableError) as error:
        LOG.warning("Build %s is published, and the store does not say so. %s", build, error)


def _newest(database: Database, catalog: str) -> int:
    with database.session() as session:
        return ChangeRepository(session).last(catalog)


def _fault(index: LiveIndex, database: Database, embeddings: Embeddings) -> str | None:
    """What is wrong with the store, unless a live change came between two looks."""
    catalog, generation = index.manifest.catalog, index.manifest.generation
    with database.session() as session:
        expected = ProductRepository(session).points(catalog, generation=generation)
    held = index.store.count()
    if held != expected:
        return f"the store holds {held} points, the ledger {expected}."
    first = next(pages(database, catalog, generation), [])
    try:
        written = points_of(first[:READ_BACK], catalog, {}, embeddings)
    except KeyError as error:
        raise VectorsMissing(
            f"Embeddings of build {index.manifest.build} are gone; build catalog {catalog} again."
        ) from error
    stored = index.store.fetch([point.id for point in written])
    for point in written:
        found = stored.get(point.id, {})
        for channel, vector in point.vectors.items():
            if channel not in found or np.abs(found[channel] - vector).max() > TOLERANCE:
                return f"product {point.product_id} does not read back as it was written."
    return None
