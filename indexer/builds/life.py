"""What becomes of builds: finished ones are published, gone back to, copied; unfinished ones are cancelled."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import partial

from indexer.builds.asked import keep_verdicts
from indexer.builds.embeddings import Embeddings
from indexer.builds.following import demand_readable
from indexer.builds.gates import Candidate, Gate, ask, refusal
from indexer.builds.live import LiveIndex, open_live, published_build, read_layout
from indexer.builds.progress import Progress, Watch
from indexer.builds.prune import prune
from indexer.builds.publish import publish, verify, withhold
from indexer.builds.verdict import GateVerdict
from indexer.builds.write import write_build
from indexer.catalog.audit import AuditEntry, AuditRepository
from indexer.catalog.builds import BuildRepository
from indexer.catalog.changes_log import ChangeRepository
from indexer.catalog.engine import Database
from indexer.catalog.placements import PlacementRepository
from indexer.catalog.publications import PublicationRepository
from indexer.catalog.published import PublishedRepository
from indexer.catalog.records import BuildRecord
from indexer.catalog.states import PUBLISHABLE_STATES, BuildState
from indexer.domain import BuildManifest, Frozen
from indexer.encoders import Encoder
from indexer.errors import BuildFailed, ConflictError, NothingPublished, PublishRefused, StoreMismatch, StoreOwned
from indexer.settings import Settings
from indexer.stores.keeping import Stores
from indexer.stores.opening import open_stores

OpenEncoder = Callable[[BuildManifest], Encoder]


class Publication(Frozen):
    """`build` is published now, in place of `replaced`."""

    catalog: str
    build: str
    replaced: str | None
    verdicts: tuple[GateVerdict, ...] = ()


def publish_build(
    database: Database,
    settings: Settings,
    build: str,
    open_encoder: OpenEncoder,
    gates: Mapping[str, Gate],
    watch: Watch,
    by: str = "",
    opened: LiveIndex | None = None,
) -> Publication:
    """Publish a finished build, verified and asked of the gates like any other. `by`: who does it, for the record.

    `opened`: the build, where this process has it open already; it stays open.

    Raises UnknownBuild, BuildFailed when it is not finished or does not verify, StoreMismatch when its store or the
    embeddings to verify it by are gone, PublishRefused.
    """
    stores = open_stores(settings)
    record, replaced = _finished(database, build)
    if replaced == build:
        stores.publish(record.catalog, build)
        return Publication(catalog=record.catalog, build=build, replaced=None)
    with _held(database, settings, build, stores, opened) as index:
        embeddings = Embeddings(settings.home, index.manifest.encoder, settings.embeddings.url)
        verified = verify(index, database, embeddings)
        verdicts: tuple[GateVerdict, ...] = ()
        if gates:

            def asked(done: int, total: int) -> None:
                watch(Progress(BuildState.VERIFYING, done, total, index.manifest.rejected, "queries"))

            candidate = Candidate(database, settings, index, open_encoder(index.manifest), replaced, asked)
            verdicts = ask(gates, candidate)
            keep_verdicts(database, build, verdicts)
            refused = refusal(candidate, verdicts)
            if refused is not None:
                withhold(database, build, refused, by=by)
                raise PublishRefused(refused)
    readable = partial(demand_readable, database, index.manifest, embeddings, verified)
    publish(database, stores, index.manifest, last_look=readable, by=by)
    prune(database, stores, record.catalog, settings.builds.keep, by)
    return Publication(catalog=record.catalog, build=build, replaced=replaced, verdicts=verdicts)


def rollback(
    database: Database, settings: Settings, catalog: str | None, to: str | None = None, by: str = ""
) -> Publication:
    """Publish the newest build before the published one that no gate refused, or the one named; no gate is asked.
    `by`: who does it, for the record.

    Raises ConflictError when there is none, StoreMismatch when its store is gone or damaged or its encoder never read a
    product that was put live since, BuildFailed for a build that is not finished, UnknownBuild.
    """
    stores = open_stores(settings)
    name, current = published_build(database, catalog)
    target = to or build_before(database, stores, current)
    if target is None:
        raise ConflictError(f"There is no build of catalog {name!r} before {current} to go back to.")
    record, _ = _finished(database, target)
    if record.catalog != name:
        raise ConflictError(f"Build {target} is of catalog {record.catalog!r}, not {name!r}.")
    with database.session() as session:
        newest = ChangeRepository(session).last(name)
    manifest = _openable(database, settings, target, stores)
    embeddings = Embeddings(settings.home, manifest.encoder, settings.embeddings.url)
    readable = partial(demand_readable, database, manifest, embeddings, newest)
    publish(database, stores, manifest, last_look=readable, by=by, action="builds.rollback")
    return Publication(catalog=name, build=target, replaced=None if target == current else current)


def build_before(database: Database, stores: Stores, published: str) -> str | None:
    """What one goes back to from the published build: the newest before it that no gate refused, that was published if
    it was held for people, and whose store is there.

    Raises UnknownBuild.
    """
    with database.session() as session:
        builds = BuildRepository(session)
        current = builds.get(published)
        older = [one for one in builds.recent(current.catalog, limit=1_000) if one.generation < current.generation]
        shown = {one.build for one in PublicationRepository(session).of(current.catalog, limit=1_000)}
    passed = [one for one in older if one.state in PUBLISHABLE_STATES and one.error is None]
    candidates = [one.id for one in passed if one.id in shown or not one.settings.get("hold")]
    return next((one for one in candidates if stores.holds(one)), None)


def copy_build(database: Database, settings: Settings, build: str, kind: str, watch: Watch) -> BuildManifest:
    """Write the build into another kind of store, from the ledger and the embedding cache; no encoder is called.

    A build that is there already is verified only. Raises UnknownBuild, BuildFailed, StoreMismatch when embeddings are
    gone, and what the store raises.
    """
    there = settings.model_copy(update={"store": settings.store.model_copy(update={"kind": kind})})
    stores = open_stores(there)
    _finished(database, build)
    manifest, layout = read_layout(database, build)
    embeddings = Embeddings(settings.home, manifest.encoder, settings.embeddings.url)
    if not stores.holds(build):
        try:
            write_build(database, stores, manifest, layout, embeddings, watch)
        except KeyError as error:
            raise StoreMismatch(
                f"Embeddings of build {build} are gone; build catalog {manifest.catalog} again."
            ) from error
    with closing(open_live(database, there, build, stores)) as index:
        verify(index, database, embeddings)
    with database.session() as session:
        published = PublishedRepository(session).find(manifest.catalog)
    if published is not None and published.build == build:
        stores.publish(manifest.catalog, build)
    return manifest


def published_builds(database: Database) -> list[str]:
    """Of every catalog the published build. Raises NothingPublished when there is none."""
    with database.session() as session:
        published = PublishedRepository(session)
        builds = [published.get(name).build for name in published.names()]
    if not builds:
        raise NothingPublished("Nothing is published yet; build a catalogue first: vitrine build CATALOGUE.")
    return builds


def cancel(database: Database, build: str, by: str = "") -> BuildRecord:
    """Stop an unfinished build; its process notices within seconds. `by`: who does it, for the record.

    Raises UnknownBuild, ConflictError.
    """
    now = datetime.now(UTC)
    with database.begin() as session:
        builds = BuildRepository(session)
        was = builds.get(build).state
        stopped = builds.cancel(build, now)
        before, after = {"state": was.value}, {"state": stopped.state.value}
        done = AuditEntry(now, by, "builds.cancel", stopped.catalog, build, before, after)
        AuditRepository(session).add(done)
    return stopped


def _finished(database: Database, build: str) -> tuple[BuildRecord, str | None]:
    """The build and the one that is published in its place."""
    with database.session() as session:
        record = BuildRepository(session).get(build)
        published = PublishedRepository(session).find(record.catalog)
    if record.state not in PUBLISHABLE_STATES:
        raise BuildFailed(f"Build {build} is {record.state}; only finished builds can be published or copied.")
    return record, None if published is None else published.build


@contextmanager
def _held(
    database: Database, settings: Settings, build: str, stores: Stores, opened: LiveIndex | None
) -> Iterator[LiveIndex]:
    if opened is not None:
        yield opened
        return
    with closing(open_live(database, settings, build, stores)) as index:
        yield index


def _openable(database: Database, settings: Settings, build: str, stores: Stores) -> BuildManifest:
    """A store that another process has open can be opened: the service still answers from it."""
    try:
        index = open_live(database, settings, build, stores)
    except StoreOwned:
        manifest, _ = read_layout(database, build)
        with database.session() as session:
            applied = PlacementRepository(session).applied(build, stores.kind)
        embeddings = Embeddings(settings.home, manifest.encoder, settings.embeddings.url)
        demand_readable(database, manifest, embeddings, applied)
        return manifest
    index.close()
    return index.manifest
