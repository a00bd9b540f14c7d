"""Which build of each catalog is served. The row here is the truth; stores' own pointers follow it."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from indexer.catalog.catalogs import CatalogRepository, listed, lock_catalog, published_names
from indexer.catalog.models import BuildRow, CatalogRow, PublishedRow
from indexer.catalog.publications import PublicationRepository
from indexer.catalog.records import Publication, Published
from indexer.catalog.states import PUBLISHABLE_STATES, BuildState
from indexer.errors import BuildFailed, NothingPublished, UnknownBuild


class PublishedRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, catalog: str) -> Published:
        """Raises UnknownCatalog, or NothingPublished when the catalog exists without a published build."""
        published = self.find(catalog)
        if published is None:
            CatalogRepository(self._session).get(catalog)
            raise NothingPublished(
                f"Nothing is published for catalog {catalog!r}; published catalogs: {listed(self.names())}."
            )
        return published

    def generation(self, catalog: str) -> int:
        """Of the published build. Raises as `get`."""
        build = sa.select(BuildRow.generation).where(BuildRow.id == self.get(catalog).build)
        return self._session.execute(build).scalar_one()

    def find(self, catalog: str) -> Published | None:
        row = self._session.execute(
            sa.select(
                PublishedRow.catalog, PublishedRow.build_id, PublishedRow.previous_build_id, PublishedRow.published_at
            ).where(PublishedRow.catalog == catalog)
        ).one_or_none()
        return None if row is None else Published(*row)

    def names(self) -> tuple[str, ...]:
        """The catalogs with a published build, in order."""
        return published_names(self._session)

    def eldest_first(self) -> tuple[str, ...]:
        """The catalogs with a published build, by the age of the catalog."""
        rows = sa.select(CatalogRow.name).join(PublishedRow, PublishedRow.catalog == CatalogRow.name)
        return tuple(self._session.scalars(rows.order_by(CatalogRow.created_at, CatalogRow.name)))

    def set(self, catalog: str, build_id: str, now: datetime, *, by: str = "") -> Published:
        """Publish a ready build and remember the one it replaces, which is ready again. `by` is who did it.

        Publishing the published build changes nothing; publishing the previous one goes back. Raises UnknownCatalog,
        UnknownBuild when the catalog has no such build, BuildFailed when it is not ready.
        """
        lock_catalog(self._session, catalog)
        self._check(catalog, build_id)
        present = self.find(catalog)
        if present is None:
            published = Published(catalog, build_id, None, now)
            self._session.execute(sa.insert(PublishedRow).values(_columns(published)))
        elif present.build == build_id:
            return present
        else:
            published = Published(catalog, build_id, present.build, now)
            self._session.execute(
                sa.update(PublishedRow).where(PublishedRow.catalog == catalog).values(_columns(published))
            )
            self._mark(present.build, BuildState.READY, now)
        self._mark(build_id, BuildState.PUBLISHED, now)
        PublicationRepository(self._session).note(Publication(catalog, build_id, published.previous, by, now))
        return published

    def _check(self, catalog: str, build_id: str) -> None:
        state = self._session.scalar(
            sa.select(BuildRow.state).where(BuildRow.id == build_id, BuildRow.catalog == catalog).with_for_update()
        )
        if state is None:
            raise UnknownBuild(f"Catalog {catalog!r} has no build {build_id!r}.")
        if state not in PUBLISHABLE_STATES:
            raise BuildFailed(f"Build {build_id!r} is {state} and cannot be published.")

    def _mark(self, build_id: str, state: BuildState, now: datetime) -> None:
        self._session.execute(sa.update(BuildRow).where(BuildRow.id == build_id).values(state=state, updated_at=now))


def _columns(published: Published) -> dict[str, object]:
    return {
        "catalog": published.catalog,
        "build_id": published.build,
        "previous_build_id": published.previous,
        "published_at": published.published_at,
    }
