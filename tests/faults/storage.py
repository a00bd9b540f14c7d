"""Object storage as its driver shows it: files in memory, and every way in which it fails."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import fsspec
from fsspec.implementations.memory import MemoryFileSystem

HANGING: float = 120.0
"""Seconds, or until it is mended."""


class FaultyFiles(MemoryFileSystem):  # type: ignore[misc]  # fsspec has no types
    """`faulty://bucket/…`; as another driver would, it says `s3`-like that objects appear whole."""

    protocol = ("faulty", "memory")
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    cachable = False
    fault: ClassVar[str | None] = None
    mended: ClassVar[threading.Event] = threading.Event()

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        return super()._strip_protocol(path.replace("faulty://", "memory://") if isinstance(path, str) else path)

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **options: Any) -> bytes:
        self._fail()
        content: bytes = super().cat_file(path, start, end, **options)
        return content[::-1] if self.fault == "garbage" else content

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **options: Any) -> None:
        self._fail()
        self._demand_sense()
        super().pipe_file(path, value, mode, **options)

    def get_file(self, rpath: str, lpath: Any, *given: Any, **options: Any) -> None:
        with open(lpath, "wb") as file:
            file.write(self.cat_file(rpath))

    def ls(self, path: str, detail: bool = True, **options: Any) -> Any:
        self._fail()
        self._demand_sense()
        return super().ls(path, detail, **options)

    def rm_file(self, path: str) -> None:
        self._fail()
        super().rm_file(path)

    def _demand_sense(self) -> None:
        """A driver takes an answer in pieces, but for the files themselves."""
        if self.fault == "garbage":
            raise OSError("the answer is not one of object storage")

    def _fail(self) -> None:
        if self.fault == "refused":
            raise ConnectionRefusedError("Connection refused")
        if self.fault == "reset":
            raise ConnectionResetError("Connection reset by peer")
        if self.fault == "slow":
            self.mended.wait(HANGING)
            raise TimeoutError("the connection of before is gone")


def go(fault: str) -> None:
    FaultyFiles.mended.clear()
    FaultyFiles.fault = fault


def mend() -> None:
    FaultyFiles.fault = None
    FaultyFiles.mended.set()


@contextmanager
def storage() -> Iterator[str]:
    """The address of an empty bucket."""
    fsspec.register_implementation("faulty", FaultyFiles, clobber=True)
    FaultyFiles.store.clear()
    try:
        yield "faulty://bucket"
    finally:
        mend()
        FaultyFiles.store.clear()
