"""Finding out what a path holds and opening it as a source of products."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from indexer.domain import Product
from indexer.errors import SourceError
from indexer.sources.columns import ColumnPlan, ColumnReport
from indexer.sources.delimited import Delimited
from indexer.sources.folder import FOLDER_COLUMNS, ImageFolder
from indexer.sources.jsonlines import JsonLines
from indexer.sources.parquet import Parquet
from indexer.sources.products import product_of
from indexer.sources.rows import BadValueError, BrokenRow, RawRow, SourceRow
from indexer.sources.seen import SeenIds

MAX_NAME = 64

NumberedRows = Iterator[tuple[int, SourceRow]]


class Reader(Protocol):
    """One catalogue file of one format."""

    @property
    def columns(self) -> list[str]: ...

    def rows(self) -> Iterator[RawRow | BrokenRow]: ...


READERS: Mapping[str, Callable[[Path], Reader]] = {
    ".csv": Delimited,
    ".tsv": lambda path: Delimited(path, "\t"),
    ".jsonl": JsonLines,
    ".ndjson": JsonLines,
    ".parquet": Parquet,
}
"""By the file name's suffix."""


@dataclass(frozen=True)
class Source:
    """A catalogue that can be read any number of times.

    `name` is a catalog name made of the folder's name, `root` the directory that image paths are relative to,
    `columns` what was recognised when it was opened.
    """

    path: Path
    name: str
    root: Path
    columns: ColumnReport
    _read: Callable[[], NumberedRows]

    def rows(self) -> Iterator[SourceRow]:
        """Products of distinct ids, and the broken rows, in the order of the file; memory is bounded.

        Raises SourceError when the file cannot be read to its end.
        """
        with SeenIds() as seen:
            for line, row in self._read():
                if isinstance(row, Product) and not seen.add(row.id):
                    yield BrokenRow(line, f"duplicate id {row.id!r}: the first row with it is kept")
                else:
                    yield row


def open_source(path: Path, mapping: Mapping[str, str] | None = None, root: Path | None = None) -> Source:
    """Open a catalogue file, a folder with exactly one catalogue file in it, or a folder of images.

    `mapping` names the column of a field where it would not be recognised, or wrongly; `root` is where image
    paths start, by default the file's folder. Raises SourceError, EmptySource and UnmappableColumns.
    """
    if not path.exists():
        raise SourceError(f"{path} does not exist.")
    if root is not None and not root.is_dir():
        raise SourceError(f"The image root {root} is not a folder.")
    catalogues = _catalogues_in(path) if path.is_dir() else [path]
    if len(catalogues) > 1:
        names = ", ".join(catalogue.name for catalogue in catalogues)
        raise SourceError(f"{path} holds several catalogues, name one of them: {names}.")
    if not catalogues:
        return _open_folder(path, mapping, root)
    return _open_file(catalogues[0], mapping or {}, root)


def catalog_name(text: str) -> str:
    """Lower case letters, digits and single hyphens, at most MAX_NAME; `catalog` when none are left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:MAX_NAME].rstrip("-") or "catalog"


def _catalogues_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in READERS and path.is_file())


def _open_file(path: Path, mapping: Mapping[str, str], root: Path | None) -> Source:
    reading = READERS.get(path.suffix.lower())
    if reading is None or not path.is_file():
        raise SourceError(
            f"{path}: {path.suffix or 'a file without a suffix'} is not supported; "
            f"give {', '.join(READERS)} or a folder of images."
        )
    reader = reading(path)
    plan = ColumnPlan(str(path), reader.columns, mapping)

    def read() -> NumberedRows:
        return _products(reader, ColumnPlan(str(path), reader.columns, mapping))

    folder = path.resolve().parent
    return Source(path, catalog_name(folder.name), root or folder, plan.report(), read)


def _open_folder(path: Path, mapping: Mapping[str, str] | None, root: Path | None) -> Source:
    if mapping:
        raise SourceError(f"{path} is a folder of images and has no columns to map.")
    return Source(path, catalog_name(path.resolve().name), root or path, FOLDER_COLUMNS, ImageFolder(path).rows)


def _products(reader: Reader, plan: ColumnPlan) -> NumberedRows:
    for row in reader.rows():
        if isinstance(row, BrokenRow):
            yield row.line, row
            continue
        plan.learn(row.cells)
        try:
            yield row.line, product_of(row.cells, plan)
        except BadValueError as error:
            yield row.line, BrokenRow(row.line, str(error))
