"""Backups from one home to another, and vaults in which something happens meanwhile."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import sqlalchemy as sa

from indexer.backup.document import BackupDocument
from indexer.backup.keeping import read_document
from indexer.backup.restoring import Restored, restore_backup
from indexer.backup.taking import take_backup
from indexer.backup.vaults import Vault
from indexer.builds.progress import Progress
from indexer.catalog.engine import Database
from indexer.catalog.models import Base
from indexer.places import Held
from tests.indexer.builds.shop import Shop, catalogue


class Recorded:
    """Remembers what was put into the vault behind it, and does something before each `put` or `open`."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self.puts: list[str] = []
        self.before_put: Callable[[int], None] = lambda count: None
        self.before_open: Callable[[int], None] = lambda count: None
        self.opened = 0

    def files(self, folder: str) -> Mapping[str, Held]:
        return self._vault.files(folder)

    def put(self, name: str, path: Path) -> None:
        self.before_put(len(self.puts))
        self._vault.put(name, path)
        self.puts.append(name)

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        self.before_open(self.opened)
        self.opened += 1
        with self._vault.open(name) as file:
            yield file

    def remove(self, name: str) -> None:
        self._vault.remove(name)

    def stored(self) -> list[str]:
        """Objects that were put since the last call."""
        found = [name for name in self.puts if name.startswith("objects/")]
        self.puts.clear()
        return found


def unwatched(progress: Progress) -> None:
    pass


def take(shop: Shop, vault: Vault) -> BackupDocument:
    with catalogue(shop.settings) as database:
        return take_backup(database, shop.settings, vault, unwatched)


def restore(shop: Shop, vault: Vault, backup: str = "latest", *, every_build: bool = False) -> Restored:
    document = read_document(vault, backup)
    with catalogue(shop.settings) as database:
        return restore_backup(database, shop.settings, vault, document, unwatched, by="ann", every_build=every_build)


def rows(database: Database) -> dict[str, list[dict[str, object]]]:
    """By table, in the order of the primary key."""
    with database.session() as session:
        return {
            table.name: [dict(row) for row in session.execute(sa.select(table).order_by(*table.primary_key)).mappings()]
            for table in Base.metadata.sorted_tables
        }


def rows_of(shop: Shop) -> dict[str, list[dict[str, object]]]:
    with catalogue(shop.settings) as database:
        return rows(database)


def files_of(home: Path, *folders: str) -> dict[str, bytes]:
    found = (path for folder in folders for path in (home / folder).rglob("*") if path.is_file())
    return {path.relative_to(home).as_posix(): path.read_bytes() for path in found}
