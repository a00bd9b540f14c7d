"""Finding out what a path holds and opening it as a source of products."""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from indexer.domain import Product
from indexer.errors import SourceError
from indexer.places import Place, Remote, place_of, why
from indexer.sources.columns import ColumnPlan, ColumnReport
from indexer.sources.delimited import Delimited
from indexer.sources.feed import Feed
from indexer.sources.folder import FOLDER_COLUMNS, ImageFolder
from indexer.sources.google import FeedTable, is_feed
from indexer.sources.jsonlines import JsonLines
from indexer.sources.products import product_of
from indexer.sources.rows import BadValueError, BrokenRow, RawRow, SourceRow
from indexer.sources.seen import SeenIds
from indexer.sources.shopify import ShopifyExport, is_export
from indexer.sources.streams import opened

MAX_NAME = 64

NumberedRows = Iterator[tuple[int, SourceRow]]


class Reader(Protocol):
    """One catalogue file of one format."""

    @property
    def columns(self) -> list[str]: ...

    def rows(self) -> Iterator[RawRow | BrokenRow]: ...


def _table(place: Place, keep: Collection[str], delimiter: str | None = None) -> Reader:
    """By its columns a feed, an export, or a table of the shop's own making."""
    table = Delimited(place, delimiter)
    if is_feed(table.columns):
        return FeedTable(table, keep)
    return ShopifyExport(table, keep) if is_export(table.columns) else table


def _tabbed(place: Place, keep: Collection[str]) -> Reader:
    return _table(place, keep, "\t")


def _parquet(place: Place, keep: Collection[str]) -> Reader:
    from indexer.sources.parquet import Parquet

    return Parquet(place)


READERS: Mapping[str, Callable[[Place, Collection[str]], Reader]] = {
    ".csv": _table,
    ".tsv": _tabbed,
    ".jsonl": lambda place, _: JsonLines(place),
    ".ndjson": lambda place, _: JsonLines(place),
    ".parquet": _parquet,
    ".xml": Feed,
}
"""By the file name's suffix, in front of a `.gz`; each with the columns that `--map` names."""
_GZIPPED = frozenset(READERS) - {".parquet"}
_BEGINNINGS = ((b"PAR1", ".parquet"), (b"<", ".xml"), (b"{", ".jsonl"))
_GOOGLE = b"base.google.com/ns/1.0"


@dataclass(frozen=True)
class Source:
    """A catalogue that can be read any number of times.

    `name` is a catalog name made of the folder's name, `root` the folder that image paths are relative to, `columns`
    what was recognised when it was opened. `str` of `path` and `root` is what `place_of` takes; neither holds secrets.
    """

    path: Place
    name: str
    root: Place
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


def open_source(
    place: Place | str, mapping: Mapping[str, str] | None = None, root: Place | str | None = None
) -> Source:
    """Open a catalogue file, a folder with exactly one catalogue file in it, or a folder of images.

    Either may be an address such as `s3://bucket/products.parquet`, which is read as it is streamed. `mapping` names
    the column of a field where it would not be recognised, or wrongly; `root` is where image paths start, by default
    the file's folder. Raises SourceError, EmptySource, UnmappableColumns, and SettingsError without the driver.
    """
    path = place_of(place) if isinstance(place, str) else place
    start = place_of(root) if isinstance(root, str) else root
    if isinstance(path, Path) and not path.exists():
        raise SourceError(f"{path} does not exist.")
    if isinstance(start, Path) and not start.is_dir():
        raise SourceError(f"The image root {start} is not a folder.")
    catalogues = _catalogues_in(path)
    if len(catalogues) > 1:
        names = ", ".join(catalogue.name for catalogue in catalogues)
        raise SourceError(f"{path} holds several catalogues, name one of them: {names}.")
    if not catalogues:
        return _open_folder(path, mapping, start)
    return _open_file(catalogues[0], mapping or {}, start)


def catalog_name(text: str) -> str:
    """Lower case letters, digits and single hyphens, at most MAX_NAME; `catalog` when none are left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:MAX_NAME].rstrip("-") or "catalog"


def suffix_of(name: str) -> str:
    """A key of READERS, or '' for a name that does not tell the format."""
    plain = Path(name.lower())
    suffix = Path(plain.stem).suffix if plain.suffix == ".gz" else plain.suffix
    return suffix if suffix in (_GZIPPED if plain.suffix == ".gz" else READERS) else ""


def format_of(head: bytes) -> str:
    """A key of READERS, by what a file begins with whose name does not tell."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return next((kind for beginning, kind in _BEGINNINGS if start.startswith(beginning)), ".csv")


def _catalogues_in(place: Place) -> list[Place]:
    """The place itself when it is no folder. Of a folder's XML files only those that speak of Google's attributes."""
    try:
        if isinstance(place, Remote):
            folder = place.is_folder()
            names = [entry.name for entry in place.entries() if not entry.is_folder] if folder else []
        else:
            folder = place.is_dir()
            names = sorted(path.name for path in place.iterdir() if path.is_file()) if folder else []
    except OSError as error:
        raise SourceError(f"{place} cannot be read: {why(error)}.") from error
    if not folder:
        return [place]
    return [place / name for name in names if (kind := suffix_of(name)) and (kind != ".xml" or _is_feed(place / name))]


def _is_feed(place: Place) -> bool:
    return _GOOGLE in _head(place)


def _head(place: Place) -> bytes:
    with opened(place) as stream:
        return stream.read(4096)


def _format(place: Place) -> str:
    """By the name; an address need not end in one that tells, such as `…/export?format=google`."""
    suffix = suffix_of(place.name)
    if not suffix and isinstance(place, Remote) and not place.suffix:
        return format_of(_head(place))
    return suffix


def _open_file(place: Place, mapping: Mapping[str, str], root: Place | None) -> Source:
    suffix = _format(place)
    if not suffix or (isinstance(place, Path) and not place.is_file()):
        raise SourceError(
            f"{place}: {place.suffix or 'a file without a suffix'} is not supported; "
            f"give {', '.join(READERS)}, gzip or not, or a folder of images."
        )
    reader = READERS[suffix](place, mapping.values())
    plan = ColumnPlan(str(place), reader.columns, mapping)

    def read() -> NumberedRows:
        return _products(reader, ColumnPlan(str(place), reader.columns, mapping))

    folder = place.parent if isinstance(place, Remote) else place.resolve().parent
    return Source(place, catalog_name(folder.name), root or folder, plan.report(), read)


def _open_folder(place: Place, mapping: Mapping[str, str] | None, root: Place | None) -> Source:
    if mapping:
        raise SourceError(f"{place} is a folder of images and has no columns to map.")
    name = place.name if isinstance(place, Remote) else place.resolve().name
    return Source(place, catalog_name(name), root or place, FOLDER_COLUMNS, ImageFolder(place).rows)


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
