"""Taking a backup while everything else goes on.

The order makes it consistent: what a store's snapshot lacks is in the log of changes of the database, which is saved
after it; every vector that the database names was in the embedding cache before it named it, and that is saved last.
"""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO, Final

from indexer.backup.collections import save_collections
from indexer.backup.document import FORMAT, BackupDocument, Content, StoredFile, StoreSnapshot
from indexer.backup.keeping import OBJECTS, clear_away, document_name, object_name, running
from indexer.backup.sources import home_files, segments
from indexer.backup.vaults import Vault
from indexer.builds.progress import Progress, Watch
from indexer.catalog.engine import Database
from indexer.catalog.saving import describe_saved, save_database
from indexer.errors import StoreUnavailable
from indexer.places import Place, why
from indexer.settings import Settings

CHUNK: Final = 1 << 20
LISTINGS: Final = 10
"""Looks at an embedding cache whose segments are merged meanwhile."""
STAGING: Final = "backing-up-"


def take_backup(
    database: Database, settings: Settings, vault: Vault, watch: Watch, with_stores: bool = False
) -> BackupDocument:
    """Write a backup, and after it delete what is beyond the setting `backup.keep`.

    Until its last file is written there is no backup; what a killed one wrote is used by the next. `with_stores`
    saves collections of a Qdrant server too, which would else be written anew from the embedding cache.
    Raises StoreUnavailable, CatalogueUnavailable, StoreMismatch for a collection that cannot be saved.
    """
    now = datetime.now(UTC)
    name = f"{now:%Y%m%d-%H%M%S-%f}"
    with _staging(settings.home) as staging, running(vault, name, staging):
        taking = _Taking(vault, staging, watch, {one: held.size for one, held in vault.files(OBJECTS).items()})
        snapshots = tuple(_save_stores(taking, database, settings)) if with_stores else ()
        created = datetime.now(UTC)
        saved, revision, catalogs = _save_catalogue(taking, database)
        files = (*_save_embeddings(taking, settings), *_save_home(taking, settings.home))
        document = BackupDocument(
            format=FORMAT,
            id=name,
            created=created,
            vitrine=version("vitrine"),
            revision=revision,
            home=str(settings.home.absolute()),
            catalogs=catalogs,
            database=saved,
            files=files,
            snapshots=snapshots,
        )
        _finish(vault, staging, document)
        clear_away(vault, settings.backup.keep, name)
    return document


@dataclass
class _Taking:
    """What is stored already is not stored again."""

    vault: Vault
    staging: Path
    watch: Watch
    held: dict[str, int]
    done: int = field(default=0)

    def keep(self, path: Path) -> Content:
        """Of a file that nobody changes."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return self._keep(digest, path)

    def keep_copy(self, stream: BinaryIO) -> Content:
        """Of what may change, or is elsewhere: the bytes that are hashed are those that are stored."""
        copy, digest = self.staging / "copy", hashlib.sha256()
        with copy.open("wb") as file:
            while chunk := stream.read(CHUNK):
                digest.update(chunk)
                file.write(chunk)
        return self._keep(digest.hexdigest(), copy)

    def _keep(self, digest: str, path: Path) -> Content:
        size = path.stat().st_size
        if self.held.get(digest) != size:
            self.vault.put(object_name(digest), path)
            self.held[digest] = size
        self.done += 1
        self.watch(Progress("saving", self.done, None, 0, "files"))
        return Content(sha256=digest, size=size)


def _save_catalogue(taking: _Taking, database: Database) -> tuple[Content, str, dict[str, str | None]]:
    path = taking.staging / "catalogue.db"
    save_database(database, path, lambda table, done, total: taking.watch(Progress("copying", done, total, 0, table)))
    return (taking.keep(path), *describe_saved(path))


def _save_embeddings(taking: _Taking, settings: Settings) -> tuple[StoredFile, ...]:
    """Those of one listing that were all there, as segments are merged into others while they are read."""
    kept: dict[str, Content] = {}
    for _ in range(LISTINGS):
        listed = segments(settings)
        for name, place in listed.items():
            with suppress(FileNotFoundError):
                if name not in kept:
                    kept[name] = _kept(taking, place)
        if kept.keys() >= listed.keys():
            return tuple(StoredFile(path=name, sha256=kept[name].sha256, size=kept[name].size) for name in listed)
    raise StoreUnavailable("The embedding cache changes faster than it can be read; take the backup again.")


def _kept(taking: _Taking, place: Place) -> Content:
    if isinstance(place, Path):
        return taking.keep(place)
    with place.open() as stream:
        return taking.keep_copy(stream)


def _save_home(taking: _Taking, home: Path) -> Iterator[StoredFile]:
    for name, path in home_files(home):
        with suppress(FileNotFoundError), path.open("rb") as stream:
            content = taking.keep_copy(stream)
            yield StoredFile(path=name, sha256=content.sha256, size=content.size)


def _save_stores(taking: _Taking, database: Database, settings: Settings) -> Iterator[StoreSnapshot]:
    for build, applied, path in save_collections(database, settings, taking.staging):
        content = taking.keep(path)
        yield StoreSnapshot(build=build, applied=applied, sha256=content.sha256, size=content.size)


def _finish(vault: Vault, staging: Path, document: BackupDocument) -> None:
    """What was there when the backup began may have been cleared away by another one since."""
    held = vault.files(OBJECTS)
    if any(one.sha256 not in held or held[one.sha256].size != one.size for one in document.contents):
        raise StoreUnavailable(f"Files of the backup went from {vault} while it was taken; take it again.")
    path = staging / "document"
    path.write_text(document.model_dump_json(), "utf-8")
    vault.put(document_name(document.id), path)


@contextmanager
def _staging(home: Path) -> Iterator[Path]:
    """A directory of this backup alone; those of dead ones go."""
    for left in home.glob(f"{STAGING}*"):
        with suppress(OSError), _claimed(left):
            shutil.rmtree(left)
    try:
        staging = Path(tempfile.mkdtemp(prefix=STAGING, dir=home))
    except OSError as error:
        raise StoreUnavailable(f"A backup needs room in {home}: {why(error)}.") from error
    try:
        with _claimed(staging):
            yield staging
    except OSError as error:
        raise StoreUnavailable(f"The backup stopped: {why(error)}. Nothing is lost; take it again.") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def _claimed(staging: Path) -> Iterator[None]:
    """By a lock that dies with its process: ids of processes mean little where each container counts its own from 1.

    Raises OSError for a directory that somebody else has."""
    handle = os.open(staging, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)
