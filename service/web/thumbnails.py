"""Thumbnails as WebP files, named by what they show, kept in a folder that stays within its room."""

import os
import time
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Final

from indexer.stores.pointer import write_atomically

_SLACK: Final = 0.05
"""Share of the room that is written before what lies there is added up again; others may write beside."""
_USED_AGAIN: Final = 3600.0
"""Seconds after which a file that is read is marked as used."""


class Thumbnails:
    """Of at most about `limit` bytes: then those used longest ago go. Thread-safe, and safe beside other processes.

    A folder that cannot be read or written is one that holds nothing.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        self._unseen: float = limit
        """Bytes written since the folder was added up; as if full at the start."""
        self._tidying = Lock()

    def get(self, name: str) -> bytes | None:
        """`name` is one's own, of hex digits and dashes."""
        path = self._path(name)
        try:
            content = path.read_bytes()
            if time.time() - path.stat().st_mtime > _USED_AGAIN:
                os.utime(path)
        except OSError:
            return None
        return content or None

    def put(self, name: str, content: bytes) -> None:
        path = self._path(name)
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, content)
            self._tidy(len(content))

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / f"{name}.webp"

    def _tidy(self, written: int) -> None:
        with self._tidying:
            self._unseen += written
            if self._unseen < _SLACK * self._limit:
                return
            self._unseen = 0
            _trim(self._folder, self._limit)


def _trim(folder: Path, limit: int) -> None:
    """Leftovers of processes that were killed while they wrote go too, as they grow old."""
    held = []
    for path in folder.glob("*/*"):
        with suppress(FileNotFoundError):  # another process has just deleted it
            status = path.stat()
            held.append((status.st_mtime, status.st_size, path))
    size = sum(one for _, one, _ in held)
    for _, freed, path in sorted(held):
        if size <= limit:
            return
        path.unlink(missing_ok=True)
        size -= freed
