"""CSV and TSV in UTF-8, row by row; a stray quote or a bad byte costs its own row and no other."""

import csv
import io
import re
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from indexer.errors import EmptySource, SourceError
from indexer.places import Place
from indexer.sources.rows import ROW_LIMIT, BrokenRow, RawRow
from indexer.sources.streams import opened

_DELIMITERS = ",;\t|"
_QUOTED = re.compile(r'"[^"]*"')


class Delimited:
    """`delimiter` None: the one of `,` `;` tab `|` that the header has most of outside quotes."""

    def __init__(self, path: Place, delimiter: str | None = None) -> None:
        """Raises EmptySource without a row under the header, SourceError for what is not UTF-8 text."""
        self._path = path
        with self._open() as stream:
            header = _first_line(stream, path)
            self._delimiter = delimiter or max(_DELIMITERS, key=_QUOTED.sub("", header).count)
        records = self._records()
        _, names = next(records)
        if isinstance(names, str):
            raise SourceError(f"{path}: the header cannot be read: {names}.")
        self.columns = [name.strip() for name in names]
        if next(records, None) is None:
            raise EmptySource(f"{path} has a header and no rows.")

    def rows(self) -> Iterator[RawRow | BrokenRow]:
        records = self._records()
        next(records)
        for line, record in records:
            if isinstance(record, str):
                yield BrokenRow(line, record)
            elif len(record) != len(self.columns):
                yield BrokenRow(line, f"{len(record)} fields where the header has {len(self.columns)}")
            else:
                yield RawRow(line, self._cells(record))

    def _cells(self, record: list[str]) -> dict[str, object]:
        """A column that the header names more than once is a list."""
        cells: dict[str, object] = {}
        for column, value in zip(self.columns, record, strict=True):
            before = cells.get(column)
            if before is None:
                cells[column] = value
            else:
                cells[column] = [*before, value] if isinstance(before, list) else [before, value]
        return cells

    def _records(self) -> Iterator[tuple[int, list[str] | str]]:
        """(line, fields) of each record that is not blank, or (line, what is wrong with it)."""
        with self._open() as stream:
            lines = _Lines(stream)
            reader = csv.reader(lines, delimiter=self._delimiter, strict=True, skipinitialspace=True)
            while True:
                line = lines.start_record()
                try:
                    fields = next(reader)
                except StopIteration:
                    return
                except (csv.Error, _TooLongError) as error:
                    lines.keep_only_first()
                    yield line, _reason(error)
                else:
                    if fields:
                        yield line, fields

    @contextmanager
    def _open(self) -> Iterator[TextIO]:
        """Bad bytes become lone surrogates, which no cell may contain."""
        with opened(self._path) as content:
            yield io.TextIOWrapper(content, encoding="utf-8-sig", errors="surrogateescape", newline="")


class _TooLongError(Exception):
    pass


class _Lines:
    """Feeds physical lines to a CSV reader, counts them, and can take back those that a bad record swallowed."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._again: deque[str] = deque()
        self._record: list[str] = []
        self._size = 0
        self._number = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._stream.readline(ROW_LIMIT)
        if not line:
            raise StopIteration
        self._number += 1
        self._record.append(line)
        self._size += len(line)
        if self._size >= ROW_LIMIT:
            raise _TooLongError
        return line

    def start_record(self) -> int:
        """The number of the line that the next record starts on."""
        self._record = []
        self._size = 0
        return self._number + 1

    def keep_only_first(self) -> None:
        """The record ends with its first line; the following ones are read again, as records of their own."""
        first, *rest = self._record
        self._again.extendleft(reversed(rest))
        self._number -= len(rest)
        while not rest and first and not first.endswith(("\n", "\r")):
            first = self._stream.readline(ROW_LIMIT)


def _first_line(stream: TextIO, path: Place) -> str:
    line = stream.readline(ROW_LIMIT)
    while line and not line.strip():
        line = stream.readline(ROW_LIMIT)
    if not line:
        raise EmptySource(f"{path} is empty.")
    if "\x00" in line or any("\udc80" <= character <= "\udcff" for character in line):
        raise SourceError(f"{path} is not UTF-8 text; save it as CSV in UTF-8.")
    return line


def _reason(error: csv.Error | _TooLongError) -> str:
    if isinstance(error, _TooLongError):
        return f"a row of more than {ROW_LIMIT:,} characters, or a quote that is never closed"
    message = str(error)
    if "unexpected end of data" in message:
        return "a quote that is never closed"
    if "field larger" in message:
        return f"a field of more than {csv.field_size_limit():,} characters"
    return f"malformed quotes ({message})"
