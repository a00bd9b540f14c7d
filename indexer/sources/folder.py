"""A bare folder of images: every file is a product."""

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from indexer.domain import ImageRef, Product
from indexer.errors import EmptySource
from indexer.places import Place, Remote, why
from indexer.sources.cells import text_of
from indexer.sources.columns import ColumnReport, Field
from indexer.sources.products import limited
from indexer.sources.rows import MAX_ID, MAX_LINE, BadValueError, BrokenRow, SourceRow
from indexer.sources.text import clean_line

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"})

FOLDER_COLUMNS = ColumnReport(
    {
        Field.ID.value: ("path",),
        Field.TITLE.value: ("file name",),
        Field.CATEGORY.value: ("folders",),
        Field.IMAGES.value: ("path",),
    },
    {},
)

_COUNTER = re.compile(r"(?:(?:[\s._-]+\d{1,3})|(?:[\s._-]*\(\d{1,3}\)))+$")


class ImageFolder:
    """Files in the order of their names, those of a folder before its subfolders; hidden ones are left out."""

    def __init__(self, path: Place) -> None:
        """Raises EmptySource when there is no image file."""
        self._path = path
        if next(self.rows(), None) is None:
            raise EmptySource(f"{path} holds no catalogue and no images ({', '.join(sorted(IMAGE_SUFFIXES))}).")

    def rows(self) -> Iterator[tuple[int, SourceRow]]:
        """Numbered from 1."""
        for number, found in enumerate(self._found(), 1):
            if isinstance(found, str):
                yield number, BrokenRow(number, found)
                continue
            try:
                yield number, _product(found)
            except BadValueError as error:
                yield number, BrokenRow(number, f"file name: {error}")

    def _found(self) -> "Iterator[PurePosixPath | str]":
        """Relative to the folder."""
        if isinstance(self._path, Remote):
            yield from _walk_remote(self._path, PurePosixPath())
            return
        for found in _walk(self._path):
            yield found if isinstance(found, str) else PurePosixPath(found.relative_to(self._path))


def title_of(stem: str) -> str:
    """`red_rain-coat (2)` is `red rain coat`; a name that is only a counter stays."""
    return _spaced(_COUNTER.sub("", stem)) or _spaced(stem) or stem


def _product(relative: PurePosixPath) -> Product:
    uri = text_of(str(relative))
    return Product(
        id=limited("path", clean_line(uri), MAX_ID),
        title=limited("title", title_of(relative.stem), MAX_LINE),
        category=tuple(_spaced(folder) for folder in relative.parent.parts),
        images=(ImageRef(uri),),
    )


def _spaced(name: str) -> str:
    return clean_line(re.sub(r"[-_]+", " ", name))


def _walk_remote(folder: Remote, inside: PurePosixPath) -> Iterator[PurePosixPath | str]:
    """As `_walk`, relative to where it began."""
    try:
        entries = [entry for entry in folder.entries() if not entry.name.startswith(".")]
    except OSError as error:
        yield f"folder {folder.name!r} cannot be read: {why(error)}"
        return
    for entry in entries:
        if not entry.is_folder and PurePosixPath(entry.name).suffix.lower() in IMAGE_SUFFIXES:
            yield inside / entry.name
    for entry in entries:
        if entry.is_folder:
            yield from _walk_remote(folder / entry.name, inside / entry.name)


def _walk(folder: Path) -> Iterator[Path | str]:
    """Image files, or what is wrong with a folder. Links to folders are not followed: they may lead in circles."""
    try:
        with os.scandir(folder) as listed:
            entries = sorted(
                (entry for entry in listed if not entry.name.startswith(".")), key=lambda entry: entry.name
            )
    except OSError as error:
        yield f"folder {folder.name!r} cannot be read: {error.strerror}"
        return
    for entry in entries:
        if Path(entry.name).suffix.lower() in IMAGE_SUFFIXES and entry.is_file():
            yield Path(entry.path)
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path))
