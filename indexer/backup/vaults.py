"""Where backups are kept: a directory, or object storage as fsspec names it."""

import os
import secrets
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from indexer.errors import SettingsError, StoreUnavailable
from indexer.places import Held, Remote, place_of, why
from indexer.settings import Settings

LEFTOVER: Final = ".tmp"
"""Ends the name of what is being written, or was when its writer died."""


class Vault(Protocol):
    """Files by names such as `objects/0a1b`, each there whole or not at all. Raises StoreUnavailable."""

    def files(self, folder: str) -> Mapping[str, Held]:
        """What the folder holds, by its name in it, leftovers of killed writers too; nothing where there is none."""

    def put(self, name: str, path: Path) -> None:
        """The file of that name, in place of a former one, is what `path` holds; durable when it returns."""

    def open(self, name: str) -> AbstractContextManager[BinaryIO]:
        """Its bytes; FileNotFoundError for what is not there."""

    def remove(self, name: str) -> None:
        """What is not there is fine."""


def open_vault(place: str) -> Vault:
    """Nothing is opened yet. Raises SettingsError for what cannot be written to, SourceError for what is no address."""
    found = place_of(place)
    if isinstance(found, Path):
        return DirectoryVault(found)
    if found.scheme == "https":
        raise SettingsError(
            f"Backups cannot be kept at {found}: give a directory, or storage such as s3://BUCKET/NAME."
        )
    return RemoteVault(found)


def vault_place(settings: Settings) -> str:
    """As the settings name it."""
    return settings.backup.url or str(settings.home / "backups")


class DirectoryVault:
    """Readable by its owner only: a backup holds all that the database does."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def __str__(self) -> str:
        return str(self._directory)

    def files(self, folder: str) -> Mapping[str, Held]:
        with self._translated():
            try:
                names = os.listdir(self._directory / folder)
            except FileNotFoundError:
                return {}
            found = (_held(self._directory / folder / name) for name in names)
            return {one.name: one for one in found if one is not None}

    def put(self, name: str, path: Path) -> None:
        target = self._directory / name
        temporary = target.with_name(f"{target.name}.{secrets.token_hex(4)}{LEFTOVER}")
        with self._translated():
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                with path.open("rb") as source, _private(temporary) as file:
                    shutil.copyfileobj(source, file, 1 << 20)
                    file.flush()
                    os.fsync(file.fileno())
                temporary.replace(target)
            finally:
                temporary.unlink(missing_ok=True)
            _sync(target.parent)

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        with self._translated(), (self._directory / name).open("rb") as file:
            yield file

    def remove(self, name: str) -> None:
        with self._translated():
            (self._directory / name).unlink(missing_ok=True)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise
        except OSError as error:
            raise StoreUnavailable(
                f"Backups cannot be kept in or read from {self._directory}: {why(error)}."
            ) from error


class RemoteVault:
    """Credentials come from the environment, as the storage's driver reads them."""

    def __init__(self, place: Remote) -> None:
        self._place = place

    def __str__(self) -> str:
        return str(self._place)

    def files(self, folder: str) -> Mapping[str, Held]:
        with self._translated():
            return {one.name: one for one in (self._place / folder).files()}

    def put(self, name: str, path: Path) -> None:
        with self._translated():
            (self._place / name).upload(path)

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        with self._translated(), (self._place / name).open() as file:
            yield file

    def remove(self, name: str) -> None:
        with self._translated(), suppress(FileNotFoundError):
            (self._place / name).remove()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise
        except OSError as error:
            raise StoreUnavailable(f"Backups cannot be kept at or read from {self._place}: {why(error)}.") from error


def _held(path: Path) -> Held | None:
    """None for what is no file, or went since it was listed."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    return Held(path.name, status.st_size, status.st_mtime) if stat.S_ISREG(status.st_mode) else None


@contextmanager
def _private(path: Path) -> Iterator[BinaryIO]:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        yield file


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
