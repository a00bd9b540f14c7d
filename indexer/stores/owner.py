"""One process owns an embedded store's directory: a lock the kernel drops with the process, however it dies."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from indexer.errors import StoreOwned, StoreUnavailable


class Ownership:
    """Held from construction until `release`.

    Raises StoreOwned at once when another process, or another store of this one, holds the directory;
    StoreUnavailable when the directory cannot be written.
    """

    def __init__(self, directory: Path) -> None:
        try:
            self._file = os.open(directory / "owner.lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise StoreUnavailable(f"The store in {directory} cannot be locked: {error.strerror}.") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = os.pread(self._file, 20, 0).decode(errors="replace") or "unknown"
            os.close(self._file)
            raise StoreOwned(
                f"The store in {directory} is owned by process {owner}: ask the running service, or stop it first."
            ) from error
        with suppress(OSError):  # only whoever is refused reads it; a full disk shall keep nobody from owning
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        os.close(self._file)
