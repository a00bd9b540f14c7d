"""A disk that can be full, or to be read only. Both need root."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

FILLER = "filler"


@contextmanager
def small_disk(path: Path, megabytes: int) -> Iterator[Path]:
    """Skips the test where none can be mounted."""
    path.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0 or _mount("-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", path):
        pytest.skip("only root may mount a small disk")
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", path], check=True)


@contextmanager
def read_only(path: Path) -> Iterator[None]:
    """What is open already can be written; nothing else under the path can. Skips where that cannot be arranged."""
    if os.geteuid() != 0 or _mount("--bind", path, path):
        pytest.skip("only root may make a directory that root cannot write")
    try:
        assert _mount("-o", "remount,bind,ro", path) == 0
        yield
    finally:
        subprocess.run(["umount", "--lazy", path], check=True)


def fill(disk: Path) -> None:
    """Nothing more goes onto the disk until `clear`."""
    with (disk / FILLER).open("xb") as file:
        space = os.statvfs(disk)
        os.posix_fallocate(file.fileno(), 0, space.f_bavail * space.f_frsize)


def clear(disk: Path) -> None:
    (disk / FILLER).unlink()


def _mount(*arguments: str | Path) -> int:
    return subprocess.run(["mount", *arguments], check=False, capture_output=True).returncode
