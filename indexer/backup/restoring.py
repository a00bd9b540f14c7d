"""Restoring into an empty VITRINE_HOME and an empty database. Nothing is believed of a backup before it is checked."""

import hashlib
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from indexer.backup.collections import KIND, restore_collection
from indexer.backup.document import EMBEDDINGS, FOLDERS, BackupDocument, Content, StoredFile
from indexer.backup.keeping import object_name
from indexer.backup.sources import embeddings_place
from indexer.backup.vaults import Vault
from indexer.builds.life import copy_build
from indexer.builds.progress import Progress, Watch
from indexer.builds.segments import SUFFIX
from indexer.catalog.audit import AuditEntry, AuditRepository
from indexer.catalog.builds import BuildRepository
from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.engine import Database
from indexer.catalog.published import PublishedRepository
from indexer.catalog.saving import demand_no_rows, load_database
from indexer.catalog.states import PUBLISHABLE_STATES
from indexer.domain import Frozen
from indexer.errors import BadBackup, ConflictError, StoreUnavailable
from indexer.places import Place, Remote, why
from indexer.settings import Settings
from indexer.stores.keeping import Stores
from indexer.stores.opening import open_stores

CHUNK: Final = 1 << 20
NAME_DIGITS: Final = 32
"""Of the SHA-256 of a segment, which names it wherever it goes: as object storage does, and no name clashes."""
FETCHED: Final = "restoring"
"""Folder of VITRINE_HOME with what was fetched of a backup; a restore that was interrupted goes on with it."""
RESTORE: Final = "backups.restore"
"""Of the record that comes into the database with its rows, and says that it has them."""
SPARE: Final = 64 << 20
"""Bytes that stay free on the disk."""


class Restored(Frozen):
    """`stores` are the builds that can be searched now, `others` those that are in no store yet."""

    backup: str
    created: datetime
    catalogs: dict[str, str | None]
    files: int
    stores: tuple[str, ...]
    others: tuple[str, ...]


def restore_backup(
    database: Database,
    settings: Settings,
    vault: Vault,
    document: BackupDocument,
    watch: Watch,
    *,
    by: str = "",
    every_build: bool = False,
    replace: bool = False,
) -> Restored:
    """Make VITRINE_HOME, database and the stores of the published builds (of all finished ones: `every_build`) what
    they were. Nothing is encoded. `by`: who does it, for the record.

    `replace` writes builds anew that the store holds already. Raises ConflictError where something is there already,
    BadBackup for files that are not what the document says, StoreUnavailable, and what writing a store raises.
    """
    fetched = settings.home / FETCHED / document.id
    stores = open_stores(settings)
    goes_on = fetched.is_dir() and _is_loaded(database, document.id)
    if not goes_on:
        _demand_empty(database, settings.home, fetched)
        _demand_free(stores, [one for one in document.catalogs.values() if one is not None], replace)
    _fetch_all(vault, document, settings, fetched, watch)
    if not goes_on:
        _load(database, settings, document, fetched, watch, by)
    builds, others = _finished(database, every_build)
    if not goes_on:
        _demand_free(stores, builds, replace)
    for build in builds:
        if replace and stores.keeps:
            stores.remove(build)
        _put_into_store(database, settings, build, document, fetched, watch)
    shutil.rmtree(settings.home / FETCHED, ignore_errors=True)
    return Restored(
        backup=document.id,
        created=document.created,
        catalogs=document.catalogs,
        files=len(document.files),
        stores=tuple(builds),
        others=tuple(others),
    )


def _is_loaded(database: Database, backup: str) -> bool:
    """Whether a restore of this backup was interrupted when its rows were in this database."""
    with database.session() as session:
        return any(one.target == backup for one in AuditRepository(session).page(action=RESTORE, limit=1))


def _demand_empty(database: Database, home: Path, fetched: Path) -> None:
    demand_no_rows(database)
    if fetched.is_dir():
        return
    there = [name for name in (EMBEDDINGS, "stores", *FOLDERS) if (home / name).exists()]
    if there:
        raise ConflictError(f"{home} is not empty: it has {there[0]} already. Restore into another --into HOME.")


def _demand_free(stores: Stores, builds: Collection[str], replace: bool) -> None:
    """What a server holds under a build's name may be what another system is searching."""
    held = [build for build in builds if stores.keeps and not replace and stores.holds(build)]
    if held:
        raise ConflictError(
            f"The {stores.kind} store holds build {held[0]} already, and another system may be searching it. Name "
            "another store, or write it anew with --replace."
        )


def _demand_room(home: Path, document: BackupDocument, fetched: Path, embeddings: Place) -> None:
    """For what is not there yet. The database is fetched, brought to the newest schema and copied."""
    targets: list[tuple[Content, Place]] = [(one, _target(one, home, embeddings)) for one in document.files]
    targets += [(one, fetched / one.sha256) for one in document.snapshots]
    lacking = sum(one.size for one, target in targets if isinstance(target, Remote) or _size(target) != one.size)
    needed = lacking + 3 * document.database.size + SPARE
    free = shutil.disk_usage(home).free
    if free < needed:
        raise StoreUnavailable(f"The backup needs {needed:,} bytes in {home}, which has {free:,} left; make room.")


def _fetch_all(vault: Vault, document: BackupDocument, settings: Settings, fetched: Path, watch: Watch) -> None:
    with _writing(settings.home):
        fetched.mkdir(mode=0o700, parents=True, exist_ok=True)
        embeddings = embeddings_place(settings)
        _demand_room(settings.home, document, fetched, embeddings)
        total = len(document.contents)
        for done, one in enumerate((document.database, *document.snapshots), start=1):
            if _size(fetched / one.sha256) != one.size:
                _fetch(vault, one, fetched / one.sha256)
            watch(Progress("fetching", done, total, 0, "files"))
        for done, file in enumerate(document.files, start=total - len(document.files) + 1):
            _put_file(vault, file, _target(file, settings.home, embeddings), fetched / "file")
            watch(Progress("fetching", done, total, 0, "files"))


def _target(file: StoredFile, home: Path, embeddings: Place) -> Place:
    inside = file.path.removeprefix(f"{EMBEDDINGS}/")
    if inside == file.path:
        return home / file.path
    return embeddings / f"{inside.rpartition('/')[0]}/{file.sha256[:NAME_DIGITS]}{SUFFIX}"


def _put_file(vault: Vault, file: StoredFile, target: Place, part: Path) -> None:
    """One that an interrupted restore has put there is as large as it should be, as it is moved when it is whole."""
    if isinstance(target, Path):
        if _size(target) != file.size:
            _fetch(vault, file, part)
            target.parent.mkdir(parents=True, exist_ok=True)
            part.replace(target)
    else:
        _fetch(vault, file, part)
        target.upload(part)


def _fetch(vault: Vault, content: Content, path: Path) -> None:
    """Not a byte more than the document says, and nothing but what it says."""
    digest, left = hashlib.sha256(), content.size
    temporary = path.with_name(f"{path.name}.part")
    try:
        with vault.open(object_name(content.sha256)) as source, temporary.open("wb") as file:
            while chunk := source.read(min(CHUNK, left + 1)):
                left -= len(chunk)
                if left < 0:
                    break
                digest.update(chunk)
                file.write(chunk)
    except FileNotFoundError:
        raise BadBackup(f"The backup lacks its file {content.sha256[:12]}…; restore another one.") from None
    if left or digest.hexdigest() != content.sha256:
        raise BadBackup(f"The backup's file {content.sha256[:12]}… is damaged; restore another one.")
    temporary.replace(path)


def _load(
    database: Database, settings: Settings, document: BackupDocument, fetched: Path, watch: Watch, by: str
) -> None:
    """The file itself stays as it was fetched, for another try."""
    working = fetched / "working.db"
    for left in fetched.glob("working.db*"):
        left.unlink()
    with _writing(settings.home):
        shutil.copyfile(fetched / document.database.sha256, working)
    after = {"taken": document.created.isoformat(timespec="seconds"), "catalogs": document.catalogs}
    done = AuditEntry(datetime.now(UTC), by, RESTORE, "", document.id, None, after)
    moved = {f"{document.home}/{name}": str(settings.home.absolute() / name) for name in FOLDERS}

    def copying(table: str, count: int, total: int) -> None:
        watch(Progress("copying", count, total, 0, table))

    load_database(working, database, moved, done, copying)


def _finished(database: Database, every_build: bool) -> tuple[list[str], list[str]]:
    """The builds to put into the store, the published first, and those that are left out."""
    with database.session() as session:
        names = CatalogRepository(session).names()
        found = [PublishedRepository(session).find(name) for name in names]
        builds = [one for name in names for one in BuildRepository(session).recent(name, limit=1_000)]
    published = [one.build for one in found if one is not None]
    others = [one.id for one in builds if one.state in PUBLISHABLE_STATES and one.id not in published]
    return ([*published, *others], []) if every_build else (published, others)


def _put_into_store(
    database: Database, settings: Settings, build: str, document: BackupDocument, fetched: Path, watch: Watch
) -> None:
    """From its snapshot where there is one, else from the embedding cache; verified in either case."""
    saved = next((one for one in document.snapshots if one.build == build), None)
    if saved is not None and settings.store.kind == KIND:
        restore_collection(database, settings, build, saved.applied, fetched / saved.sha256)
    copy_build(database, settings, build, settings.store.kind, watch)


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


@contextmanager
def _writing(home: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(f"The backup cannot be written to {home}: {why(error)}. Run it again.") from error
