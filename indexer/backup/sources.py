"""What is backed up beside the database: the files of the embedding cache, and those of VITRINE_HOME."""

import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from indexer.backup.document import EMBEDDINGS, FOLDERS, is_storable
from indexer.backup.vaults import LEFTOVER
from indexer.builds.segments import SUFFIX
from indexer.builds.shelves import DirectoryShelf
from indexer.errors import StoreUnavailable
from indexer.places import Entry, Place, Remote, place_of, why
from indexer.settings import Settings

LOG = logging.getLogger(__name__)


def embeddings_place(settings: Settings) -> Place:
    """Where the segments of the cache are, in a folder per encoder and in that one per kind."""
    url = settings.embeddings.url
    return settings.home / EMBEDDINGS if url is None else place_of(url)


def segments(settings: Settings) -> Mapping[str, Place]:
    """By path in a backup, as of one moment per folder where that can be had. Raises StoreUnavailable."""
    root = embeddings_place(settings)
    try:
        found = dict(_of_storage(root) if isinstance(root, Remote) else _of_directory(root))
    except OSError as error:
        raise StoreUnavailable(f"The embedding cache {root} cannot be listed: {why(error)}.") from error
    return {name: place for name, place in found.items() if is_storable(name)}


def home_files(home: Path) -> Iterator[tuple[str, Path]]:
    """By path in a backup. Links are not followed, and what is being written is left out."""
    for folder in FOLDERS:
        for directory, _, names in os.walk(home / folder):
            for path in (Path(directory, name) for name in sorted(names) if not name.endswith((LEFTOVER, ".new"))):
                name = path.relative_to(home).as_posix()
                if path.is_symlink() or not path.is_file():
                    continue
                if is_storable(name):
                    yield name, path
                else:
                    LOG.warning("%r is not in the backup: another system could not take a file of that name.", name)


def _of_directory(root: Path) -> Iterator[tuple[str, Place]]:
    """While a folder is listed, nobody merges its segments."""
    for directory in sorted(path for path in root.glob("*/*") if path.is_dir()):
        shelf = DirectoryShelf(directory)
        with shelf.alone():
            names = sorted(shelf.names())
        for name in names:
            yield f"{EMBEDDINGS}/{directory.parent.name}/{directory.name}/{name}", directory / name


def _of_storage(root: Remote) -> Iterator[tuple[str, Place]]:
    for encoder in (one.name for one in _entries(root) if one.is_folder):
        for kind in (one.name for one in _entries(root / encoder) if one.is_folder):
            folder = root / f"{encoder}/{kind}"
            for name in sorted(one.name for one in folder.files() if one.name.endswith(SUFFIX)):
                yield f"{EMBEDDINGS}/{encoder}/{kind}/{name}", folder / name


def _entries(folder: Remote) -> list[Entry]:
    try:
        return folder.entries()
    except FileNotFoundError:
        return []
