"""The backups that a vault has: listed, opened, and the old ones cleared away.

`objects/` has files by the SHA-256 of their bytes, shared by all backups; `backups/` a document for each, written when
all that it refers to is there; `running/` who takes one at the moment.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from indexer.backup.document import MOST_BYTES, Backup, BackupDocument, is_id, parse
from indexer.backup.vaults import Vault
from indexer.builds.lease import abandoned, owner_name
from indexer.errors import BadBackup
from indexer.places import Held

LOG = logging.getLogger(__name__)
OBJECTS: Final = "objects"
DOCUMENTS: Final = "backups"
RUNNING: Final = "running"
NEWEST: Final = "latest"
_SUFFIX: Final = ".json"
STALE: Final = timedelta(days=1)
"""After that long, whoever took a backup from another machine counts as dead."""


def object_name(digest: str) -> str:
    return f"{OBJECTS}/{digest}"


def document_name(backup: str) -> str:
    return f"{DOCUMENTS}/{backup}{_SUFFIX}"


def list_backups(vault: Vault) -> list[Backup]:
    """Newest first. One that cannot be restored says why. Raises StoreUnavailable."""
    held = vault.files(OBJECTS)
    return [_listed(vault, name, held) for name in _names(vault)]


def read_document(vault: Vault, backup: str) -> BackupDocument:
    """Of the backup of that id, or of the newest that can be restored. Raises BadBackup, StoreUnavailable."""
    name = backup
    if backup == NEWEST:
        name = next((one.id for one in list_backups(vault) if not one.fault), "")
    if not is_id(name) or name not in _names(vault):
        raise BadBackup(f"There is no complete backup {backup!r} in {vault}; see: vitrine backups.")
    document = _read(vault, name)
    missing = _missing(document, vault.files(OBJECTS))
    if missing:
        raise BadBackup(f"Backup {name} is incomplete: {missing}.")
    return document


def clear_away(vault: Vault, keep: int, own: str) -> None:
    """Delete all but the newest `keep` backups, and what no backup refers to, unless another one is being taken.

    `own`: the backup that was just taken, which stays, even where a clock that was set back dates it before others.
    """
    others = [one.id for one in list_backups(vault) if not one.fault and one.id != own]
    for old in others[keep - 1 :]:
        vault.remove(document_name(old))
    if any(name != own and _is_taken(vault, name) for name in vault.files(RUNNING)):
        return
    try:
        wanted = {one.sha256 for name in _names(vault) for one in _read(vault, name).contents}
    except BadBackup as error:
        LOG.warning("No object of %s is deleted, as a backup that cannot be read may need it. %s", vault, error)
        return
    for name in vault.files(OBJECTS):
        if name not in wanted:
            vault.remove(object_name(name))


@contextmanager
def running(vault: Vault, backup: str, staging: Path) -> Iterator[None]:
    """While it lasts, nobody clears away what no backup refers to yet."""
    marker, path = f"{RUNNING}/{backup}", staging / "running"
    path.write_text(json.dumps({"owner": owner_name()}))
    vault.put(marker, path)
    try:
        yield
    finally:
        vault.remove(marker)


def _is_taken(vault: Vault, backup: str) -> bool:
    """Whether somebody still takes it; the mark of one who is dead goes."""
    marker = f"{RUNNING}/{backup}"
    try:
        with vault.open(marker) as file:
            told = json.loads(file.read(1_000))
        owner = str(told["owner"])
    except FileNotFoundError:
        return False
    except (ValueError, KeyError, TypeError):
        owner = ""
    changed = vault.files(RUNNING).get(backup)
    late = changed is not None and datetime.now(UTC).timestamp() - changed.changed > STALE.total_seconds()
    if abandoned(owner) or late:
        vault.remove(marker)
        return False
    return True


def _names(vault: Vault) -> list[str]:
    """Newest first."""
    found = (name.removesuffix(_SUFFIX) for name in vault.files(DOCUMENTS) if name.endswith(_SUFFIX))
    return sorted((name for name in found if is_id(name)), reverse=True)


def _read(vault: Vault, name: str) -> BackupDocument:
    try:
        with vault.open(document_name(name)) as file:
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise BadBackup(f"Backup {name} was deleted meanwhile.") from None
    if len(content) > MOST_BYTES:
        raise BadBackup(f"Backup {name} cannot be used: its document has more than {MOST_BYTES:,} bytes.")
    return parse(name, content)


def _listed(vault: Vault, name: str, held: Mapping[str, Held]) -> Backup:
    try:
        found = _read(vault, name)
    except BadBackup as error:
        return Backup(id=name, fault=str(error))
    return Backup(
        id=name,
        created=found.created,
        vitrine=found.vitrine,
        catalogs=found.catalogs,
        bytes=found.bytes,
        fault=_missing(found, held),
    )


def _missing(document: BackupDocument, held: Mapping[str, Held]) -> str:
    """What is not there, or not whole, in words."""
    lost = {one.sha256 for one in document.contents if one.sha256 not in held or held[one.sha256].size != one.size}
    return f"{len(lost):,} of its files are gone or damaged" if lost else ""
