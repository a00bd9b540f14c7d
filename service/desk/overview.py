"""What the desk opens with: how each catalog stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from indexer.catalog.builds import BuildRepository
from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.duplicates import DuplicateRepository
from indexer.catalog.engine import Database
from indexer.catalog.images import ImageRepository
from indexer.catalog.products import ProductRepository
from indexer.catalog.publications import PublicationRepository
from indexer.catalog.published import PublishedRepository
from indexer.catalog.records import BuildRecord, CatalogRecord, Publication
from indexer.catalog.rejects import RejectRepository
from indexer.catalog.states import ACTIVE_STATES, BuildState
from indexer.domain import BuildManifest, Product
from indexer.images.reasons import Reason
from service.desk.choosing import shown_name
from service.desk.deciding import taken_off

LISTED: Final = 6
"""Builds of a catalog that are listed."""
SHOWN: Final = 8
APART: Final = 40
"""Of so many products each, one is shown."""
GROUPS: Final = 50
"""Shared photos whose products are listed."""


@dataclass(frozen=True)
class Standing:
    """What is published of a catalog. `rows` and `photos`: what was left out, reason → count."""

    build: str
    source: str
    at: datetime
    by: str
    manifest: BuildManifest
    rows: Mapping[str, int]
    photos: Mapping[str, int]
    duplicates: int
    """Different photos whose very file more than one product has."""
    products: Sequence[Product]
    """A few, far apart in the order of ids."""

    @property
    def reasons(self) -> Mapping[str, int]:
        return {**self.rows, **self.photos}

    @property
    def too_small(self) -> int:
        return self.reasons.get(Reason.TOO_SMALL, 0)


@dataclass(frozen=True)
class Overview:
    catalog: CatalogRecord
    standing: Standing | None
    builds: Sequence[BuildRecord]
    """Newest first."""
    publications: Sequence[Publication] = ()
    """Newest first."""

    @property
    def file(self) -> str:
        """What is published was made from, else what is to be."""
        source = self.standing.source if self.standing is not None else self.catalog.source
        return shown_name(source)

    @property
    def running(self) -> BuildRecord | None:
        return next((one for one in self.builds if one.state in ACTIVE_STATES), None)

    @property
    def held(self) -> BuildRecord | None:
        """The newest build, when it waits for somebody to publish it."""
        return self.builds[0] if self.builds and self.waits(self.builds[0]) else None

    @property
    def off(self) -> Publication | None:
        """What took the newest build off, when it was live once."""
        return taken_off(self.publications, self.builds[0].id) if self.builds else None

    def waits(self, build: BuildRecord) -> bool:
        """Whether it is finished, held for people, and was never live."""
        shown = any(build.id in (one.build, one.replaced) for one in self.publications)
        return build.state is BuildState.READY and bool(build.settings.get("hold")) and not shown


def overviews(database: Database) -> list[Overview]:
    """Of every catalog, by name."""
    with database.session() as session:
        catalogs = CatalogRepository(session)
        records = [catalogs.get(name) for name in catalogs.names()]
        builds = {one.name: BuildRepository(session).recent(one.name, LISTED) for one in records}
        done = {one.name: PublicationRepository(session).of(one.name) for one in records}
    return [Overview(one, _standing(database, one.name), builds[one.name], done[one.name]) for one in records]


def duplicates(database: Database, catalog: str) -> tuple[str, list[tuple[str, ...]]]:
    """The published build, and the products that share each photo. Raises UnknownCatalog, NothingPublished."""
    with database.session() as session:
        published = PublishedRepository(session).get(catalog)
        generation = BuildRepository(session).get(published.build).generation
        return published.build, DuplicateRepository(session).groups(catalog, GROUPS, generation=generation)


def _standing(database: Database, catalog: str) -> Standing | None:
    with database.session() as session:
        published = PublishedRepository(session).find(catalog)
        if published is None:
            return None
        builds = BuildRepository(session)
        made, manifest = builds.get(published.build), builds.manifest(published.build)
        assert manifest is not None, "what is published was finished"
        generation = made.generation
        photos = ImageRepository(session).counts(catalog, generation=generation)
        rows = RejectRepository(session).counts(published.build)
        newest = next(iter(PublicationRepository(session).of(catalog, 1)), None)
        by = newest.by if newest is not None and newest.build == published.build else ""
        return Standing(
            build=published.build,
            source=made.source,
            at=published.published_at,
            by=by,
            manifest=manifest,
            rows=rows,
            photos=photos.reasons,
            duplicates=DuplicateRepository(session).count(catalog, generation=generation),
            products=ProductRepository(session).page(catalog, limit=SHOWN * APART, generation=generation)[::APART],
        )
