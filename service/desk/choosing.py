"""What somebody wants to build, as it stands in an address, and how its columns are read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlencode

from pydantic import Field, StringConstraints

from indexer.builds.languages import check_language
from indexer.domain import Frozen, Product
from indexer.errors import EmptySource, InputError, SourceError, UnmappableColumns
from indexer.places import place_of, why
from indexer.sources import Source, open_source
from indexer.sources.columns import REQUIRED
from indexer.sources.columns import Field as ProductField
from indexer.sources.opening import READERS, catalog_name, suffix_of
from indexer.sources.rows import RawRow

SAMPLE: Final = 3
"""Products that are shown as they would be read."""
_WIDE: Final = 60
"""Characters of a cell that are shown."""
_LOOKED_AT: Final = 50
"""Rows that are read for that."""

Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000)]


class Choice(Frozen):
    """`source` is a path; the root of relative image paths is the file's folder where it is not given."""

    source: Text
    catalog: Text
    root: Text | None = None
    language: Text | None = None
    """Of the texts; absent: as the catalog has it."""
    mapping: dict[str, str] = Field(default_factory=dict)

    @property
    def file(self) -> str:
        """The name of the file, without what the desk puts before it."""
        return shown_name(self.source)

    def query(self) -> str:
        """As an address has it."""
        named = {"source": self.source, "catalog": self.catalog, "root": self.root, "language": self.language}
        pairs = [(name, value) for name, value in named.items() if value]
        return urlencode([*pairs, *(("map", f"{field}:{column}") for field, column in self.mapping.items())])

    def told(self, error: Exception) -> str:
        """With the file's name in place of where it lies."""
        return str(error).replace(self.source, self.file)

    def open(self) -> Source:
        """Raises SourceError, UnmappableColumns, InputError for a name or language that cannot be."""
        if catalog_name(self.catalog) != self.catalog:
            raise InputError(
                f"A catalog cannot be called {self.catalog[:80]!r}: use lower case letters, digits and single hyphens, "
                f"such as {catalog_name(self.catalog)!r}."
            )
        check_language(self.language)
        try:
            return open_source(self.source, self.mapping, self.root)
        except UnmappableColumns:
            raise
        except SourceError as error:
            raise SourceError(self.told(error)) from error
        except OSError as error:
            raise SourceError(f"{self.file} cannot be read: {why(error)}.") from error


@dataclass(frozen=True)
class FieldColumns:
    """A field of products and the columns it is read from; `chosen` is the one that somebody named."""

    field: str
    columns: tuple[str, ...]
    chosen: str | None
    required: bool

    @property
    def missing(self) -> bool:
        return self.required and not self.columns


@dataclass(frozen=True)
class Reading:
    """How a file would be read. `found` are all its columns; nothing is there to map of a folder of photos."""

    fields: tuple[FieldColumns, ...]
    attributes: Mapping[str, str]
    found: tuple[str, ...]
    sample: tuple[Product, ...]
    rows: tuple[Mapping[str, str], ...] = ()
    """The first rows as the file has them: column → text."""
    trouble: str | None = None
    """What keeps it from being built, told without a command line."""

    @property
    def usable(self) -> bool:
        return self.trouble is None


def read_columns(choice: Choice) -> Reading:
    """What was recognised, and the first products. Raises SourceError for a file that cannot be read at all."""
    try:
        source = choice.open()
    except UnmappableColumns as error:
        trouble = f"No column was recognised for {', '.join(error.missing)}: choose one."
        return Reading(_fields({}, choice.mapping), {}, error.found, (), _first_rows(choice), trouble)
    report = source.columns
    try:
        products = [row for row in islice(source.rows(), _LOOKED_AT) if isinstance(row, Product)][:SAMPLE]
    except SourceError as error:
        raise SourceError(choice.told(error)) from error
    if not products:
        raise EmptySource(f"The first {_LOOKED_AT} rows of {choice.file} hold no product that can be read.")
    found = tuple(dict.fromkeys([*(one for names in report.fields.values() for one in names), *report.attributes]))
    return Reading(
        _fields(report.fields, choice.mapping), report.attributes, found, tuple(products), _first_rows(choice)
    )


def _first_rows(choice: Choice) -> tuple[Mapping[str, str], ...]:
    """None of a folder of photos, and of an address whose name does not tell the format."""
    place = place_of(choice.source)
    reader = READERS.get(suffix_of(place.name))
    if reader is None:
        return ()
    rows = islice(reader(place, choice.mapping.values()).rows(), SAMPLE)
    return tuple({name: _short(cell) for name, cell in row.cells.items()} for row in rows if isinstance(row, RawRow))


def _short(cell: object) -> str:
    text = "" if cell is None else str(cell)
    return text if len(text) <= _WIDE else f"{text[:_WIDE]}…"


def mapping_of(pairs: Sequence[str]) -> dict[str, str]:
    """From `field:column` pairs; one without a column is not meant."""
    split = (pair.partition(":") for pair in pairs)
    return {field: column for field, _, column in split if field in set(ProductField) and column}


def shown_name(source: str) -> str:
    """A file's own name; the desk puts 12 hex digits before those that it keeps."""
    name = source.rstrip("/").rpartition("/")[2]
    kept = Path(source).parent.name == "feeds" and name[12:13] == "-"
    return name[13:] if kept else name


def _fields(read: Mapping[str, Sequence[str]], mapping: Mapping[str, str]) -> tuple[FieldColumns, ...]:
    return tuple(
        FieldColumns(field, tuple(read.get(field, ())), mapping.get(field), field in REQUIRED) for field in ProductField
    )
