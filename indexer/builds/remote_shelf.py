"""Segments in object storage, or whatever else fsspec opens, mirrored into a local directory to be mapped."""

import errno
import hashlib
import re
import secrets
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import wait
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from indexer.builds.segments import LEFTOVER, SUFFIX, unwritable, write_whole
from indexer.daemons import Daemons
from indexer.errors import SettingsError, StoreMismatch, StoreUnavailable
from indexer.places import WHOLE_PUTS, driver_errors

Answer = TypeVar("Answer")

PAUSES = (0.2, 0.5, 1.0)
"""Seconds between tries of storage that does not answer; drivers try again by themselves too."""
DOWNLOADS = 4
"""At the same time."""
NAME_DIGITS = 32
HOUR = 3600.0
ANSWER_SECONDS = 5.0
DOWNLOAD_SECONDS = 60.0
"""That a hurried shelf waits for one request, and for a segment, whatever the patience of the storage's driver."""
FINAL = (errno.EACCES, errno.EDQUOT, errno.ENOSPC, errno.EPERM, errno.EROFS)
"""Another try would end the same way."""


class RemoteShelf:
    """A segment is named by the hash of its content, so that writers need no lock: equal names are equal content.

    The mirror is filled when segments are asked for, and holds nothing that the storage does not.
    """

    patience = 5.0

    def __init__(self, url: str, mirror: Path, hurried: bool = False) -> None:
        """Connects on first use. `hurried`: somebody waits, so that each request has one try and little time.

        Raises SettingsError for a URL without a driver.
        """
        import fsspec  # reads the environment when it is imported

        self._shown = re.sub(r"//[^/@]*@", "//***@", url)
        try:
            self._files, self._root = fsspec.url_to_fs(url)
        except ImportError as error:
            raise SettingsError(
                f"No driver for {self._shown} is installed ({error}): pip install 'vitrine[remote]'."
            ) from error
        except ValueError as error:
            raise SettingsError(f"{self._shown} is no place for embeddings: {error}.") from error
        protocols = {self._files.protocol} if isinstance(self._files.protocol, str) else set(self._files.protocol)
        self._whole_puts = not protocols.isdisjoint(WHOLE_PUTS)
        self._mirror = mirror
        self._waiting = Daemons(DOWNLOADS, "storage") if hurried else None

    def alone(self) -> AbstractContextManager[None]:
        return nullcontext()

    def names(self) -> set[str]:
        """What was mirrored and is gone from the storage leaves the mirror too."""
        for leftover in self._mirror.glob(f"*{LEFTOVER}"):
            with suppress(FileNotFoundError):  # another process has just finished with it
                if time.time() - leftover.stat().st_mtime > HOUR:
                    leftover.unlink()
        mirrored = {path.name for path in self._mirror.glob(f"*{SUFFIX}")}
        try:
            listed = self._asked(self._listed)
        except FileNotFoundError:
            listed = set()
        for name in mirrored - listed:
            (self._mirror / name).unlink(missing_ok=True)
        return listed

    def fetch(self, names: Collection[str]) -> Mapping[str, Path]:
        downloads = Daemons(DOWNLOADS, "download")
        fetched = {name: downloads.submit(partial(self._fetched, name)) for name in names}
        wait(fetched.values())
        return {name: path for name, one in fetched.items() if (path := one.result()) is not None}

    def repaired(self, name: str, damage: StoreMismatch) -> Path:
        (self._mirror / name).unlink(missing_ok=True)
        path = self._fetched(name)
        if path is None:
            raise damage
        return path

    def add(self, content: bytes) -> str:
        name = hashlib.sha256(content).hexdigest()[:NAME_DIGITS] + SUFFIX
        try:
            self._asked(lambda: self._put(name, content))
        except FileNotFoundError as error:
            raise StoreUnavailable(f"The embedding cache {self._shown} does not exist: create it first.") from error
        with self._writing():
            write_whole(self._mirror / name, content)
        return name

    def remove(self, names: Collection[str]) -> None:
        for name in names:
            with suppress(FileNotFoundError):
                self._asked(partial(self._files.rm_file, f"{self._root}/{name}"))
            (self._mirror / name).unlink(missing_ok=True)

    def _listed(self) -> set[str]:
        self._files.invalidate_cache(self._root)
        names = {path.rpartition("/")[2] for path in self._files.ls(self._root, detail=False)}
        return {name for name in names if name.endswith(SUFFIX)}

    def _put(self, name: str, content: bytes) -> None:
        path = f"{self._root}/{name}"
        if self._whole_puts:
            self._files.pipe_file(path, content)
            return
        self._files.makedirs(self._root, exist_ok=True)
        temporary = f"{path}.{secrets.token_hex(4)}{LEFTOVER}"
        self._files.pipe_file(temporary, content)
        self._files.mv(temporary, path)

    def _fetched(self, name: str) -> Path | None:
        path = self._mirror / name
        if path.exists():
            return path
        try:
            whole = self._download(path) or self._download(path)
        except FileNotFoundError:
            return None
        if not whole:
            raise StoreMismatch(
                f"The embedding cache segment {self._shown}/{name} is damaged; delete it, "
                "the next build encodes its items again."
            )
        return path

    def _download(self, path: Path) -> bool:
        """Whether what arrived is what its name says; only then it is kept.

        A segment that was copied here from a directory has a number for a name, and its own checksums only.
        """
        temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}{LEFTOVER}")
        with self._writing():
            temporary.touch()
        try:
            self._asked(lambda: self._files.get_file(f"{self._root}/{path.name}", str(temporary)), DOWNLOAD_SECONDS)
            with temporary.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()[:NAME_DIGITS]
            whole = len(path.stem) != NAME_DIGITS or found == path.stem
            if whole:
                temporary.rename(path)
            return whole
        finally:
            temporary.unlink(missing_ok=True)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            self._mirror.mkdir(parents=True, exist_ok=True)
            yield
        except OSError as error:
            raise unwritable(self._mirror, error) from error

    def _asked(self, request: Callable[[], Answer], seconds: float = ANSWER_SECONDS) -> Answer:
        """The answer, after some tries. Raises StoreUnavailable, and FileNotFoundError for what is not there."""
        if self._waiting is not None:
            return self._hurried(self._waiting, request, seconds)
        for pause in (*PAUSES, None):
            try:
                return request()
            except FileNotFoundError:
                raise
            except _faults() as error:
                if pause is None or getattr(error, "errno", None) in FINAL:
                    raise self._unavailable(_cause(error)) from error
                time.sleep(pause)
        raise AssertionError("the last try returns or raises")

    def _hurried(self, waiting: Daemons, request: Callable[[], Answer], seconds: float) -> Answer:
        try:
            return waiting.within(seconds, request)
        except FileNotFoundError:
            raise
        except TimeoutError as error:
            raise self._unavailable(f"it did not answer within {seconds:g} s") from error
        except _faults() as error:
            raise self._unavailable(_cause(error)) from error

    def _unavailable(self, cause: str) -> StoreUnavailable:
        return StoreUnavailable(
            f"The embedding cache {self._shown}, mirrored in {self._mirror}, is unavailable: {cause}. "
            "Nothing that it holds is lost; try again when it is back."
        )


def _faults() -> tuple[type[Exception], ...]:
    return OSError, *driver_errors()


def _cause(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
