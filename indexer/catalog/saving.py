"""The catalogue database as one file of a backup, and what of such a file a restored system goes on with."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from indexer.catalog.audit import AuditEntry, AuditRepository
from indexer.catalog.copying import Watch, copy_database, refuse_rows
from indexer.catalog.engine import Database, open_database
from indexer.catalog.models import BuildRow, CatalogRow, DrawingJobRow, DrawingPhotoRow, PageSessionRow
from indexer.catalog.states import ACTIVE_STATES, UNENDED_STATES, BuildState, DrawingState
from indexer.errors import BadBackup, CatalogueUnavailable

INTERRUPTED: Final = "It was under way when the backup was taken; ask for it again."
NOT_KEPT: Final = (DrawingPhotoRow.__tablename__, PageSessionRow.__tablename__)
"""Tables that no backup has: photos of shoppers, and sessions."""
_FOREIGN: Final = sa.text("SELECT name FROM sqlite_master WHERE type NOT IN ('table', 'index') LIMIT 1")


def save_database(database: Database, path: Path, watch: Watch) -> None:
    """Write all rows, as of one moment and while others write, to a new SQLite file: all but shoppers' photos and
    sessions, of which not a byte stays in it.

    Raises CatalogueUnavailable, ConflictError for a row that the file cannot hold.
    """
    if database.engine.dialect.name == "sqlite":
        _save_sqlite(database, path)
    else:
        target = open_database(f"sqlite:///{path}")
        try:
            copy_database(database, target, watch)
        finally:
            target.dispose()
    _as_one_file(path)


def load_database(path: Path, target: Database, moved: Mapping[str, str], done: AuditEntry, watch: Watch) -> None:
    """Copy the rows of such a file into an empty database, in one transaction with the record of it.

    `moved`: where folders with sources of catalogs were → where they are. The file is brought to the newest schema,
    and what was under way is ended in it. Raises BadBackup for a file that is no catalogue of this or an older
    version, and what `copy_database` raises.
    """
    source = open_database(f"sqlite:///{path}")
    try:
        _demand_catalogue(source)
        with source.begin() as session:
            _settle(session)
            _move(session, moved)
            AuditRepository(session).add(done)
        copy_database(source, target, watch)
    finally:
        source.dispose()


def describe_saved(path: Path) -> tuple[str, dict[str, str | None]]:
    """Of a file that `save_database` wrote: the schema's revision, and every catalog with its published build."""
    with closing(sqlite3.connect(path)) as connection:
        revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]
        published = connection.execute(
            "SELECT name, build_id FROM catalogs LEFT JOIN published ON published.catalog = name ORDER BY name"
        )
        return str(revision), dict(published.fetchall())


def demand_no_rows(database: Database) -> None:
    """Raises ConflictError for a database that has any."""
    with database.session() as session:
        refuse_rows(session.connection(), database)


def _save_sqlite(database: Database, path: Path) -> None:
    """In one step, so that it is of one moment; writers go on beside it, in the log. Pages that are free, and hold what
    was deleted, are not copied."""
    try:
        with closing(database.engine.raw_connection()) as pooled:
            source = pooled.driver_connection
            assert isinstance(source, sqlite3.Connection)
            source.execute("VACUUM INTO ?", (str(path),))
    except (sqlite3.Error, sa.exc.DBAPIError) as error:
        raise CatalogueUnavailable(f"The catalogue {database.url} cannot be saved: {error}.") from error


def _as_one_file(path: Path) -> None:
    """Without a log beside it, and without what nobody is to keep: what is deleted is overwritten."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("PRAGMA secure_delete = ON")
            with connection:
                for table in NOT_KEPT:
                    connection.execute(f"DELETE FROM {table}")
    except sqlite3.Error as error:
        raise CatalogueUnavailable(f"The copy of the catalogue cannot be finished: {error}.") from error


def _demand_catalogue(source: Database) -> None:
    """Tables and indexes that are whole, which a catalogue of before is made of: nothing in it does anything."""
    try:
        with source.session() as session:
            foreign = session.scalar(_FOREIGN)
            sound = session.scalar(sa.text("PRAGMA quick_check(1)"))
        if foreign is not None or sound != "ok":
            raise BadBackup("The backup's database is damaged, or not one of Vitrine.")
        source.upgrade()
    except CatalogueUnavailable as error:
        raise BadBackup(
            f"The backup's database cannot be used: it is damaged, or of a newer version of Vitrine ({error})"
        ) from error


def _settle(session: Session) -> None:
    """Whoever was at work, or signed in, was so elsewhere; work that costs money is not done twice."""
    now = datetime.now(UTC)
    builds = sa.update(BuildRow).where(BuildRow.state.in_(ACTIVE_STATES))
    ended = {"state": BuildState.CANCELLED, "error": INTERRUPTED, "owner": None, "finished_at": now, "updated_at": now}
    session.execute(builds.values(ended))
    jobs = sa.update(DrawingJobRow).where(DrawingJobRow.state.in_(UNENDED_STATES))
    session.execute(jobs.values(state=DrawingState.CANCELLED, error=INTERRUPTED, owner=None, updated_at=now))
    session.execute(sa.delete(DrawingPhotoRow))
    session.execute(sa.delete(PageSessionRow))


def _move(session: Session, moved: Mapping[str, str]) -> None:
    for catalog in session.scalars(sa.select(CatalogRow)):
        catalog.root, catalog.source = _moved(catalog.root, moved), _moved(catalog.source, moved)
    for build in session.scalars(sa.select(BuildRow)):
        build.source = _moved(build.source, moved)
        build.settings = {
            name: _moved(value, moved) if isinstance(value, str) and name in ("source", "root") else value
            for name, value in build.settings.items()
        }
    session.flush()


def _moved(path: str, moved: Mapping[str, str]) -> str:
    inside = PurePath(path)
    found = ((old, new) for old, new in moved.items() if inside.is_relative_to(old))
    return next((str(PurePath(new) / inside.relative_to(old)) for old, new in found), path)
