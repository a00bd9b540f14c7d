"""What a backup says of itself: the last thing that is written of it, and the first that is read and not believed."""

import re
from datetime import datetime
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime, Field, ValidationError
from pydantic_core import from_json

from indexer.domain import Frozen
from indexer.errors import BadBackup

FORMAT: Final = 1
"""Of the document and of what it refers to; a later one is for a later version to read."""
MOST_BYTES: Final = 256 << 20
"""Of a document."""
DATABASE: Final = "vitrine.db"
EMBEDDINGS: Final = "embeddings"
FOLDERS: Final = ("generated", "feeds", "eval/runs", "eval/suites", "suites")
"""Of VITRINE_HOME, beside database and embeddings. What is not here is made anew: stores, thumbnails, mirrors; or is
nobody's to keep: shoppers' photos, work under way."""
_PART: Final = re.compile(r"[^\x00-\x1f\x7f/\\:*?\"<>|\ud800-\udfff]{1,200}")
"""Of a path: what any file system takes, and no other reading of it as a device, stream or drive."""
_MOST_PARTS: Final = 12
_SEGMENT: Final = re.compile(r"embeddings/[0-9a-f]{16}/(images|texts-[\w.-]{1,40})/[\w-]{1,64}\.safetensors", re.ASCII)
_ID: Final = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9]{6}")


def is_storable(path: str) -> bool:
    """Whether a path of VITRINE_HOME, with `/` between, is one that backups have."""
    parts = path.split("/")
    plain = len(parts) <= _MOST_PARTS and all(_PART.fullmatch(part) and part.strip(". ") for part in parts)
    if path.startswith(f"{EMBEDDINGS}/"):
        return _SEGMENT.fullmatch(path) is not None
    return plain and any(path.startswith(f"{folder}/") for folder in FOLDERS)


def _storable(path: str) -> str:
    if not is_storable(path):
        raise ValueError("is no file that backups have")
    return path


Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Size = Annotated[int, Field(ge=0, le=1 << 46)]


class Content(Frozen):
    """An object of the vault, by the SHA-256 of its bytes."""

    sha256: Digest
    size: Size


class StoredFile(Content):
    path: Annotated[str, AfterValidator(_storable)]
    """In VITRINE_HOME; of embeddings, in wherever they are kept."""


class StoreSnapshot(Content):
    """A build's collection as its Qdrant server saved it, with the live changes up to `applied` at least."""

    build: Annotated[str, Field(pattern=r"^[\w.-]{1,64}$")]
    applied: Annotated[int, Field(ge=0)]


class BackupDocument(Frozen):
    format: int
    id: Annotated[str, Field(pattern=f"^{_ID.pattern}$")]
    created: AwareDatetime
    """The moment whose catalogue it is."""
    vitrine: Annotated[str, Field(max_length=64)]
    """The version that took it."""
    revision: Annotated[str, Field(pattern=r"^\w{1,32}$")]
    """Of the database's schema."""
    home: Annotated[str, Field(max_length=4_096)]
    """Where VITRINE_HOME was: what the database names of the files here is found in the new one after a restore."""
    catalogs: dict[str, str | None]
    """Each with its published build."""
    database: Content
    """A SQLite file, whatever the database was."""
    files: tuple[StoredFile, ...]
    snapshots: tuple[StoreSnapshot, ...] = ()

    @property
    def contents(self) -> tuple[Content, ...]:
        """Each object once for every time that it is referred to."""
        return (self.database, *self.files, *self.snapshots)

    @property
    def bytes(self) -> int:
        """Of what it refers to, what several backups share counted for each."""
        return sum({one.sha256: one.size for one in self.contents}.values())


class Backup(Frozen):
    """A backup as it is listed. `fault` says why it cannot be restored."""

    id: str
    created: datetime | None = None
    vitrine: str | None = None
    catalogs: dict[str, str | None] = Field(default_factory=dict)
    bytes: int = 0
    fault: str = ""


def is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def parse(name: str, content: bytes) -> BackupDocument:
    """Raises BadBackup for what is no document of this version or an older one."""
    try:
        raw = from_json(content)
        made = raw.get("format") if isinstance(raw, dict) else None
        if isinstance(made, int) and made > FORMAT:
            raise BadBackup(f"Backup {name} was made by a newer version of Vitrine; restore it with that one.")
        document = BackupDocument.model_validate_json(content)
    except ValueError as error:
        raise BadBackup(f"Backup {name} cannot be used: {_first(error)}.") from error
    paths = [one.path for one in document.files]
    if document.id != name or len(set(paths)) != len(paths):
        raise BadBackup(f"Backup {name} cannot be used: it names itself or one of its files wrongly.")
    return document


def _first(error: Exception) -> str:
    if isinstance(error, ValidationError):
        mistake = error.errors(include_input=False, include_url=False)[0]
        return f"{'.'.join(map(str, mistake['loc'])) or 'it'}: {mistake['msg']}"
    return "its document is damaged"
