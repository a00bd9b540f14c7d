"""Catalogue files that come with their photos: a ZIP archive of both, or several files at once."""

import hashlib
import stat
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final
from zipfile import BadZipFile, ZipFile, ZipInfo

from indexer.errors import SourceError
from indexer.sources.folder import IMAGE_SUFFIXES
from indexer.sources.opening import suffix_of

MOST_FILES: Final = 20_000
_LONGEST: Final = 200
"""Bytes of a name in a path."""
_DEEPEST: Final = 8
_PIECE: Final = 1 << 20
_LEFT_ALONE: Final = ("__MACOSX", "Thumbs.db")
"""What systems put into archives on their own."""
_UNREADABLE: Final = (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
"""What `zipfile` says of archives that are damaged, encrypted, or packed in a way it does not know."""


@dataclass(frozen=True)
class Laid:
    """What lies in a folder now: the catalogue file, and a digest of all."""

    feed: Path
    digest: str


def unpack(archive: BinaryIO, folder: Path, most: int) -> Laid:
    """Into the folder, which is empty: the one catalogue file of the archive, and its photos.

    Raises SourceError for an archive that is damaged, has no or several catalogue files, holds anything else, would lie
    outside the folder, or comes to more than `most` bytes.
    """
    try:
        with ZipFile(archive) as opened:
            entries = [one for one in opened.infolist() if not one.is_dir() and not _left_alone(one.filename)]
            _demand_few(len(entries))
            feeds = [one for one in entries if suffix_of(one.filename)]
            if len(feeds) != 1:
                raise SourceError(
                    f"The archive has {len(feeds)} catalogue files; put one in it, beside the photos that it names."
                )
            laying = _Laying(folder, most)
            for one in entries:
                path = _path(one)
                with opened.open(one) as content:
                    laying.add(path, iter(lambda: content.read(_PIECE), b""))
            return Laid(folder / _path(feeds[0]), laying.digest)
    except _UNREADABLE as error:
        raise SourceError(
            "The archive cannot be unpacked: pack it again as a plain ZIP, without a password."
        ) from error


def lay_out(feed: tuple[str, BinaryIO], photos: Sequence[tuple[str, BinaryIO]], folder: Path, most: int) -> Laid:
    """The files beside each other in the folder, which is empty; photos by the last part of their names.

    Raises SourceError as `unpack`.
    """
    _demand_few(len(photos) + 1)
    laying = _Laying(folder, most)
    for name, content in (feed, *photos):
        last = PurePosixPath(name.replace("\\", "/")).name
        if (name, content) != feed:
            _demand_picture(last)
        laying.add(_checked(PurePosixPath(last)), iter(lambda content=content: content.read(_PIECE), b""))  # type: ignore[misc]
    return Laid(folder / feed[0], laying.digest)


class _Laying:
    """Files into a folder, of so many bytes at most."""

    def __init__(self, folder: Path, most: int) -> None:
        self._folder, self._most, self._left = folder, most, most
        self._hashed = hashlib.sha256()

    @property
    def digest(self) -> str:
        return self._hashed.hexdigest()

    def add(self, path: PurePosixPath, content: Iterator[bytes]) -> None:
        place = self._folder / path
        self._hashed.update(f"\0{path}\0".encode())
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("xb") as file:
                for piece in content:
                    self._left -= len(piece)
                    if self._left < 0:
                        raise SourceError(
                            f"The files come to more than {self._most / 1e6:,.0f} MB, which is all the desk takes. Set "
                            "pages.max_feed_bytes, or put them into a folder that pages.sources names."
                        )
                    self._hashed.update(piece)
                    file.write(piece)
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            raise SourceError(f"There are two files called {str(path)[:80]!r}; give each its own name.") from error


def _path(entry: ZipInfo) -> PurePosixPath:
    """Raises SourceError for what may not be unpacked."""
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise SourceError(f"The archive has {entry.filename[:80]!r}, which is a link or a device; pack files only.")
    path = PurePosixPath(entry.filename)
    if not suffix_of(entry.filename):
        _demand_picture(entry.filename)
    return _checked(path)


def _checked(path: PurePosixPath) -> PurePosixPath:
    named = str(path)
    harmless = all(part != ".." and len(part.encode()) <= _LONGEST for part in path.parts)
    if path.is_absolute() or not harmless or not path.parts or len(path.parts) > _DEEPEST or not named.isprintable():
        raise SourceError(f"A file cannot be called {named[:80]!r} here; give it a plain name inside the folder.")
    return path


def _demand_picture(name: str) -> None:
    if PurePosixPath(name.lower()).suffix not in IMAGE_SUFFIXES:
        raise SourceError(
            f"{name[:80]!r} is neither a catalogue file nor a photo; beside the catalogue only photos are taken."
        )


def _demand_few(files: int) -> None:
    if files > MOST_FILES:
        raise SourceError(f"These are {files:,} files; the desk takes {MOST_FILES:,} at once.")


def _left_alone(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return any(part in _LEFT_ALONE or part.startswith("._") or part == ".DS_Store" for part in parts)
