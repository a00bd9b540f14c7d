"""What somebody sees before they publish a build, or go back to the one before."""

from collections.abc import Sequence
from dataclasses import dataclass

from indexer.builds.asked import kept_verdicts
from indexer.builds.difference import BuildDifference, difference
from indexer.builds.life import build_before
from indexer.builds.verdict import GateVerdict
from indexer.catalog.builds import BuildRepository
from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.engine import Database
from indexer.catalog.publications import PublicationRepository
from indexer.catalog.published import PublishedRepository
from indexer.catalog.records import BuildRecord, Publication
from indexer.catalog.states import PUBLISHABLE_STATES
from indexer.domain import BuildManifest
from indexer.settings import Settings
from indexer.stores.keeping import Stores
from indexer.stores.opening import open_stores
from service.desk.publishing import reasons_of


@dataclass(frozen=True)
class Decision:
    """About a finished build."""

    record: BuildRecord
    manifest: BuildManifest | None
    """None: it has not come so far."""
    live: str | None
    """The published build of its catalog."""
    back: str | None
    """Of the published build: the one that a rollback puts in its place."""
    forward: str | None
    """Of the published build: the one that was taken off for it, where that is not `back`."""
    off: Publication | None
    """What took this build off, where that was its end."""
    verdicts: Sequence[GateVerdict]
    """Of the newest asking of the gates."""
    difference: BuildDifference | None
    """Against the published build."""

    @property
    def is_live(self) -> bool:
        return self.live == self.record.id

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why a gate refused it."""
        return reasons_of(self.record.error or "")

    @property
    def untold(self) -> tuple[str, ...]:
        """Reasons that no verdict tells: a build of before verdicts were kept."""
        return self.reasons if all(one.passed for one in self.verdicts) else ()


@dataclass(frozen=True)
class History:
    """Of one catalog; `back` and `forward` as a Decision has them."""

    catalog: str
    live: str | None
    back: str | None
    forward: str | None
    publications: Sequence[Publication]
    """Newest first."""


def decision_of(database: Database, settings: Settings, build: str) -> Decision:
    """Raises UnknownBuild, ConflictError for a build that failed or was cancelled."""
    with database.session() as session:
        builds = BuildRepository(session)
        record, manifest = builds.get(build), builds.manifest(build)
        published = PublishedRepository(session).find(record.catalog)
        publications = PublicationRepository(session).of(record.catalog)
    live = None if published is None else published.build
    compared = live is not None and live != build
    back, forward = _ways(database, open_stores(settings), build, publications) if live == build else (None, None)
    return Decision(
        record=record,
        manifest=manifest,
        live=live,
        back=back,
        forward=forward,
        off=taken_off(publications, build),
        verdicts=kept_verdicts(database, build),
        difference=difference(database, build, live) if compared else None,
    )


def histories(database: Database, settings: Settings) -> list[History]:
    """Of every catalog, in the order of names."""
    stores = open_stores(settings)
    with database.session() as session:
        publications, published = PublicationRepository(session), PublishedRepository(session)
        found = [(name, published.find(name), publications.of(name)) for name in CatalogRepository(session).names()]
    told = []
    for name, one, done in found:
        back, forward = (None, None) if one is None else _ways(database, stores, one.build, done)
        told.append(History(name, None if one is None else one.build, back, forward, done))
    return told


def taken_off(publications: Sequence[Publication], build: str) -> Publication | None:
    """What put another build in the place of this one, of a catalog's publications, newest first; None where it is
    live or never was.
    """
    last = next((one for one in publications if build in (one.build, one.replaced)), None)
    return last if last is not None and last.replaced == build else None


def _ways(
    database: Database, stores: Stores, live: str, publications: Sequence[Publication]
) -> tuple[str | None, str | None]:
    """From the published build: back, and forward again to what was taken off for it."""
    back = build_before(database, stores, live)
    newest = next(iter(publications), None)
    left = newest.replaced if newest is not None and newest.build == live else None
    if left is None or left == back or not stores.holds(left):
        return back, None
    with database.session() as session:
        state = BuildRepository(session).get(left).state
    return back, left if state in PUBLISHABLE_STATES else None
