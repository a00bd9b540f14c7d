"""Where the segments of an embedding cache are kept: the seam, and the one that is a directory."""

import fcntl
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from indexer.builds.segments import LEFTOVER, SUFFIX, unwritable, write_whole
from indexer.errors import StoreMismatch


class Shelf(Protocol):
    """Segments are added whole and never changed; they are removed when another one has all that they held.

    What cannot be written is a StoreUnavailable.
    """

    @property
    def patience(self) -> float:
        """Seconds for which a listing is good enough to say that a key is missing."""

    def alone(self) -> AbstractContextManager[None]:
        """While it lasts, nobody else adds or removes, where that can be had."""

    def names(self) -> set[str]: ...

    def fetch(self, names: Collection[str]) -> Mapping[str, Path]:
        """Files to map. A name that was removed since it was listed is left out."""

    def repaired(self, name: str, damage: StoreMismatch) -> Path:
        """The file once more from where it came; raises `damage` when there is no such place."""

    def add(self, content: bytes) -> str:
        """The name of the new segment; it is durable when the block of `alone` ends."""

    def remove(self, names: Collection[str]) -> None: ...


class DirectoryShelf:
    """Shared by processes: whoever adds, removes or opens holds the directory's lock."""

    patience = 1.0

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @contextmanager
    def alone(self) -> Iterator[None]:
        """The kernel drops the lock with the process, however it dies."""
        with self._writing():
            self._directory.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
            os.fsync(handle)
        finally:
            os.close(handle)

    def names(self) -> set[str]:
        return {name for name in os.listdir(self._directory) if name.endswith(SUFFIX)}

    def fetch(self, names: Collection[str]) -> Mapping[str, Path]:
        return {name: self._directory / name for name in names}

    def repaired(self, name: str, damage: StoreMismatch) -> Path:
        raise damage

    def add(self, content: bytes) -> str:
        numbers = [int(stem) for stem in (Path(name).stem for name in self.names()) if stem.isdecimal()]
        name = f"{max(numbers, default=-1) + 1:08d}{SUFFIX}"
        with self._writing():
            for killed in self._directory.glob(f"*{LEFTOVER}"):
                killed.unlink()
            write_whole(self._directory / name, content)
        return name

    def remove(self, names: Collection[str]) -> None:
        with self._writing():
            for name in names:
                (self._directory / name).unlink(missing_ok=True)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise unwritable(self._directory, error) from error
