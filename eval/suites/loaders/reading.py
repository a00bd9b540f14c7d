"""Reading downloaded files: what is missing is named with the layout, what is broken with file and line."""

import csv
import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from eval.errors import SuiteError
from indexer.sources.cells import text_of
from indexer.sources.rows import BadValueError, BrokenRow


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a text file, row of a table or entry of a JSON list; `line` counts from 1."""

    path: Path
    line: int
    cells: Mapping[str, object]

    def text(self, *names: str) -> str:
        """The first of the named cells that says something. Raises SuiteError when none does."""
        found = self.words(*names)
        if not found:
            raise self.refused(f"no {' or '.join(names)}")
        return found

    def words(self, *names: str) -> str:
        """As `text`, or '' when none says anything. Raises SuiteError for what is no text."""
        try:
            return next((found for name in names if (found := text_of(self.cells.get(name)))), "")
        except BadValueError as error:
            raise self.refused(f"{' or '.join(names)}: {error}") from None

    def refused(self, why: str) -> SuiteError:
        return SuiteError(f"{self.path}:{self.line}: {why}.")


def find(root: Path, layout: str, *names: str) -> Path:
    """The file or folder that has one of the names, in `root` or up to two folders below it.

    Raises SuiteError with the layout when there is none, naming them when there are several.
    """
    found = lookup(root, *names)
    if found is None:
        raise SuiteError(f"{root}: found no {' or '.join(names)}; expected this layout:\n{layout.rstrip()}")
    return found


def lookup(root: Path, *names: str) -> Path | None:
    """As `find`, but None when there is none."""
    if not root.is_dir():
        raise SuiteError(f"{root} is no folder.")
    for below in ("", "*/", "*/*/"):
        paths = sorted(path for name in names for path in root.glob(below + name))
        if len(paths) > 1:
            raise SuiteError(f"{root} holds {paths[0].name} more than once, give one of the folders: {_shown(paths)}.")
        if paths:
            return paths[0]
    return None


def objects(path: Path) -> Iterator[Row]:
    """JSON Lines, one object per line; compressed when the name ends in .gz."""
    with _opened(path) as stream:
        for line, text in enumerate(stream, start=1):
            if text.strip():
                yield Row(path, line, _object(path, line, text))


def table(path: Path, delimiter: str = ",") -> Iterator[Row]:
    """Rows of a table with a header; compressed when the name ends in .gz."""
    with _opened(path) as stream:
        rows = csv.DictReader(stream, delimiter=delimiter)
        try:
            for cells in rows:
                row = Row(path, rows.line_num, cells)
                if None in cells or None in cells.values():
                    raise row.refused(f"expected {len(rows.fieldnames or ())} cells, got another number")
                yield row
        except csv.Error as error:
            raise Row(path, rows.line_num, {}).refused(str(error)) from None


def parquet(path: Path) -> Iterator[Row]:
    """Rows of a Parquet file, counted from 1. Raises SourceError for what is not Parquet."""
    from indexer.sources.parquet import Parquet

    for row in Parquet(path).rows():
        if isinstance(row, BrokenRow):
            raise SuiteError(f"{path}:{row.line}: {row.reason}.")
        yield Row(path, row.line, row.cells)


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that are not empty, stripped, with their numbers."""
    with _opened(path) as stream:
        for line, text in enumerate(stream, start=1):
            if text.strip():
                yield line, Row(path, line, {"the line": text}).text("the line")


def entries(path: Path) -> list[object]:
    """A file that is one JSON list."""
    with _opened(path) as stream:
        try:
            found = json.load(stream)
        except json.JSONDecodeError as error:
            raise SuiteError(f"{path}:{error.lineno}: not JSON: {error.msg}.") from None
    if not isinstance(found, list):
        raise SuiteError(f"{path} is no JSON list.")
    return found


def _object(path: Path, line: int, text: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise SuiteError(f"{path}:{line}: not a JSON object: {error}.") from None
    if not isinstance(found, dict):
        raise SuiteError(f"{path}:{line}: a JSON {type(found).__name__} where an object is expected.")
    return found


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    """What is not UTF-8 comes through as surrogates, which `Row.text` refuses with its line."""
    try:
        if path.suffix == ".gz":
            with gzip.open(path, "rt", encoding="utf-8", errors="surrogateescape", newline="") as stream:
                yield stream
        else:
            with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
                yield stream
    except (OSError, EOFError, zlib.error) as error:
        raise SuiteError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from error


def _shown(paths: list[Path]) -> str:
    return ", ".join(str(path.parent) for path in paths[:4]) + (" …" if len(paths) > 4 else "")
