"""Style sheets, scripts and icons under addresses that change whenever a file does, to be kept for ever."""

import gzip
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
LENGTH: Final = 12
"""Hex digits of a folder's digest in its files' addresses."""


@dataclass(frozen=True)
class Asset:
    content: bytes
    packed: bytes
    """The same, gzipped."""
    media_type: str


class Assets:
    """The `static` folders of packages, read once; the files of one share a digest, as they name each other."""

    def __init__(self, packages: Sequence[str]) -> None:
        self._found: dict[str, Asset] = {}
        self._urls: dict[str, str] = {}
        for package in packages:
            folder = files(package) / "static"
            if folder.is_dir():
                self._read(folder)

    def url(self, name: str) -> str:
        """Of `site.css` and its like. Raises KeyError."""
        return self._urls[name]

    def find(self, path: str) -> Asset | None:
        """By what follows `/assets/`."""
        return self._found.get(path)

    def _read(self, folder: Traversable) -> None:
        contents = {one.name: one.read_bytes() for one in sorted(folder.iterdir(), key=lambda one: one.name)}
        whole = hashlib.sha256(b"".join(name.encode() + content for name, content in contents.items()))
        digest = whole.hexdigest()[:LENGTH]
        for name, content in contents.items():
            media_type = MEDIA_TYPES["." + name.rpartition(".")[2]]
            self._found[f"{digest}/{name}"] = Asset(content, gzip.compress(content, mtime=0), media_type)
            self._urls[name] = f"/assets/{digest}/{name}"
