"""The catalogs there are, by name."""

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from indexer.catalog.models import CatalogRow, PublishedRow
from indexer.catalog.records import CatalogRecord
from indexer.catalog.upserting import insert_into
from indexer.errors import UnknownCatalog

DEFAULT_LANGUAGE = "en"


class CatalogRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def ensure(self, name: str, *, root: str, source: str, language: str | None = None) -> CatalogRecord:
        """Create the catalog, or note where its rows now come from. An absent language keeps the present one."""
        now = datetime.now(UTC)
        changes = {"root": root, "source": source, "updated_at": now}
        first = {"name": name, "language": language or DEFAULT_LANGUAGE, "created_at": now, **changes}
        if language is not None:
            changes["language"] = language
        fresh = insert_into(CatalogRow, self._session).values(first)
        self._session.execute(fresh.on_conflict_do_update(index_elements=["name"], set_=changes))
        return self.get(name)

    def get(self, name: str) -> CatalogRecord:
        """Raises UnknownCatalog."""
        row = self._session.execute(
            sa.select(
                CatalogRow.name,
                CatalogRow.language,
                CatalogRow.root,
                CatalogRow.source,
                CatalogRow.created_at,
                CatalogRow.updated_at,
            ).where(CatalogRow.name == name)
        ).one_or_none()
        if row is None:
            raise unknown_catalog(self._session, name)
        return CatalogRecord(*row)

    def names(self) -> tuple[str, ...]:
        """All catalogs, published or not, in order."""
        return tuple(self._session.scalars(sa.select(CatalogRow.name).order_by(CatalogRow.name)))


def lock_catalog(session: Session, catalog: str) -> None:
    """Other transactions that write to the catalog wait from here on; on SQLite they already do.

    Raises UnknownCatalog.
    """
    named = sa.select(CatalogRow.name).where(CatalogRow.name == catalog)
    if session.scalar(named.with_for_update(key_share=True)) is None:
        raise unknown_catalog(session, catalog)


def published_names(session: Session) -> tuple[str, ...]:
    """The catalogs with a published build, in order."""
    return tuple(session.scalars(sa.select(PublishedRow.catalog).order_by(PublishedRow.catalog)))


def unknown_catalog(session: Session, name: str) -> UnknownCatalog:
    """The error to raise, listing what could have been meant."""
    return UnknownCatalog(f"There is no catalog {name!r}; published catalogs: {listed(published_names(session))}.")


def listed(names: tuple[str, ...]) -> str:
    """Names for a sentence."""
    return ", ".join(names) or "none"
