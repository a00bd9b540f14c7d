"""The suites and runs that a home holds, by names that addresses of pages carry. Nothing else can be asked for."""

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ValidationError

from eval.errors import RunError, SuiteError, UnknownRun, UnknownSuite
from eval.runs.document import RunDocument, SuiteReference, read_run
from eval.suites.files import CARD, QRELS, QUERIES, read_suite
from eval.suites.suite import Suite
from indexer.settings import Settings

MOST: Final = 500
"""Suites, and runs, that are listed."""
MOST_BYTES: Final = 200_000_000
"""Of a file that is read whole."""
HEAD_BYTES: Final = 4_000_000
"""Within which a run's answers begin."""
SUFFIXES: Final = (".json", ".json.gz")
_ANSWERS: Final = b'\n "answers":'

Stamp = tuple[tuple[int, int], ...]
"""(time of the last change in ns, bytes) of files: who has the same stamp has the same content."""


@dataclass(frozen=True)
class FoundSuite:
    """`suite` is None where its files cannot be read; `fault` says why."""

    key: str
    place: str
    """Folder and name, for people: two suites may carry one name."""
    directory: Path
    suite: Suite | None
    fault: str = ""


class RunHead(BaseModel):
    """What a run's file says before its answers."""

    name: str
    created: datetime
    suite: SuiteReference
    build: "RunBuild | None"
    depth: int


class RunBuild(BaseModel):
    build: str
    catalog: str


@dataclass(frozen=True)
class FoundRun:
    """`head` is None where the file is no run; `fault` says why."""

    key: str
    path: Path
    changed: datetime
    head: RunHead | None
    fault: str = ""

    def of(self, digest: str) -> bool:
        """Whether it answered the suite of that digest."""
        return self.head is not None and self.head.suite.digest == digest


def runs_folder(settings: Settings) -> Path:
    return settings.home / "eval" / "runs"


def suites_folder(settings: Settings) -> Path:
    """Where the bench puts those it makes."""
    return settings.home / "eval" / "suites"


def suites_of(settings: Settings) -> list[FoundSuite]:
    """Of the home, and those that the gate asks; by key."""
    found: dict[Path, _Place] = {}
    for one in _places(settings):
        found.setdefault(one.directory.resolve(), one)
    return sorted(map(_found_suite, found.values()), key=lambda one: one.key)


def suite_named(settings: Settings, key: str) -> Suite:
    """Raises UnknownSuite; SuiteError where its files cannot be read."""
    found = next((one for one in _places(settings) if one.key == key), None)
    if found is None:
        raise UnknownSuite(f"There is no suite {key}; it may have been moved or removed.")
    return _read_suite(found.directory, _stamp_of_suite(found.directory))


def key_of_suite(settings: Settings, directory: Path) -> str | None:
    """Of the suite in the directory; None where the bench does not list it."""
    wanted = directory.resolve()
    return next((one.key for one in _places(settings) if one.directory.resolve() == wanted), None)


def runs_of(settings: Settings) -> list[FoundRun]:
    """The newest first."""
    found = [_found_run(path) for path in _run_files(settings)]
    return sorted(found, key=lambda one: one.head.created if one.head else one.changed, reverse=True)


def run_named(settings: Settings, key: str) -> RunDocument:
    """Raises UnknownRun; RunError where the file cannot be read."""
    path = run_path(settings, key)
    if path.stat().st_size > MOST_BYTES:
        raise RunError(f"{path.name} has more than {MOST_BYTES:,} bytes; look at it with vitrine eval show.")
    return _read_run(path, stamp_of(path))


def run_path(settings: Settings, key: str) -> Path:
    """Raises UnknownRun."""
    path = next((path for path in _run_files(settings) if run_key(path) == key), None)
    if path is None:
        raise UnknownRun(f"There is no run {key}; it may have been moved or removed.")
    return path


def new_run_path(settings: Settings, name: str, now: datetime) -> Path:
    """A name that says what it is and when it was, and that no file has."""
    stem = f"{slug(name)}-{now:%Y%m%d-%H%M%S}"
    return runs_folder(settings) / f"{stem}.json.gz"


def slug(name: str) -> str:
    """Of small letters, digits and dashes, 60 at most."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "unnamed"


@dataclass(frozen=True)
class _Place:
    directory: Path
    parts: tuple[str, ...]
    """What people call it."""

    @property
    def key(self) -> str:
        """What people call it, and a little of the hash of where it is."""
        return f"{slug('-'.join(self.parts))}-{sha256(str(self.directory.resolve()).encode()).hexdigest()[:4]}"


def _places(settings: Settings) -> Iterator[_Place]:
    for folder in (settings.home / "suites", suites_folder(settings)):
        cards = (card for depth in ("*", "*/*", "*/*/*") for card in sorted(folder.glob(f"{depth}/{CARD}")))
        for card in islice(cards, MOST):
            yield _Place(card.parent, card.parent.relative_to(folder).parts)
    canaries = () if settings.gate.canaries is None else (settings.gate.canaries,)
    for directory in (*settings.gate.suites, *canaries):
        yield _Place(directory, directory.parts[-1:])


def _found_suite(place: _Place) -> FoundSuite:
    directory, named = place.directory, "/".join(place.parts)
    try:
        return FoundSuite(place.key, named, directory, _read_suite(directory, _stamp_of_suite(directory)))
    except SuiteError as error:
        return FoundSuite(place.key, named, directory, None, str(error))


def _stamp_of_suite(directory: Path) -> Stamp:
    return stamp_of(*(directory / name for name in (CARD, QUERIES, QRELS)))


def stamp_of(*paths: Path) -> Stamp:
    """Of files; one that is not there has zeros."""
    states = (path.stat() if path.is_file() else None for path in paths)
    return tuple((state.st_mtime_ns, state.st_size) if state else (0, 0) for state in states)


@lru_cache(maxsize=64)
def _read_suite(directory: Path, stamp: Stamp) -> Suite:
    if any(size > MOST_BYTES for _, size in stamp):
        raise SuiteError(f"{directory}: a file has more than {MOST_BYTES:,} bytes; ask it with vitrine eval run.")
    return read_suite(directory)


@lru_cache(maxsize=4)
def _read_run(path: Path, stamp: Stamp) -> RunDocument:
    return read_run(path)


def _run_files(settings: Settings) -> list[Path]:
    folder = runs_folder(settings)
    files = [path for path in folder.iterdir() if path.name.endswith(SUFFIXES)] if folder.is_dir() else []
    newest = sorted((path for path in files if path.is_file()), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    return newest[:MOST]


def run_key(path: Path) -> str:
    """What addresses of pages call it."""
    return next(path.name.removesuffix(suffix) for suffix in reversed(SUFFIXES) if path.name.endswith(suffix))


def _found_run(path: Path) -> FoundRun:
    key, changed = run_key(path), datetime.fromtimestamp(path.stat().st_mtime, UTC)
    try:
        return FoundRun(key, path, changed, _read_head(path, stamp_of(path)))
    except ValidationError as error:
        return FoundRun(key, path, changed, None, f"{path.name} is no run: {error.errors()[0]['msg']}.")
    except (OSError, EOFError) as error:
        return FoundRun(key, path, changed, None, f"{path.name} cannot be read: {error}.")


@lru_cache(maxsize=MOST)
def _read_head(path: Path, stamp: Stamp) -> RunHead:
    """Of a file as `write_run` writes it: its answers, which are nearly all of it, come after what is wanted."""
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        begin = file.read(HEAD_BYTES)
    head, answers, _ = begin.partition(_ANSWERS)
    return RunHead.model_validate_json(head.rstrip(b", \n") + b"}" if answers else begin)
