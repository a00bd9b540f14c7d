"""Putting made suites on disk, where an older one of theirs may lie."""

from collections.abc import Iterable
from pathlib import Path

from eval.errors import SuiteError
from eval.suites.files import CARD
from eval.suites.making.photo import PHOTOS, PhotoQuery
from eval.suites.suite import SuiteQuery
from indexer.stores.pointer import write_atomically


def claim(directory: Path) -> None:
    """Raises SuiteError when the folder holds something that is no suite: it would be mixed up with one."""
    try:
        occupied = directory.exists() and any(directory.iterdir())
    except OSError as error:
        raise SuiteError(f"{directory} cannot be a suite's directory: {error.strerror}.") from None
    if occupied and not (directory / CARD).is_file():
        raise SuiteError(f"{directory} is not empty and holds no suite; name another folder with --out.")


def write_photos(
    made: Iterable[PhotoQuery], directory: Path
) -> tuple[tuple[SuiteQuery, ...], dict[str, dict[str, int]]]:
    """Every view as it comes; JPEG files of an older suite that are no longer used are removed."""
    folder = directory / PHOTOS
    folder.mkdir(parents=True, exist_ok=True)
    queries, qrels = list[SuiteQuery](), dict[str, dict[str, int]]()
    for one in made:
        write_atomically(directory / str(one.query.photo), one.view)
        queries.append(one.query)
        qrels[one.query.id] = one.grades
    used = {directory / str(query.photo) for query in queries}
    for stale in folder.glob("*.jpg"):
        if stale not in used:
            stale.unlink()
    return tuple(queries), qrels
