"""JSON Lines: one object per line, in UTF-8."""

import json
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice

from indexer.errors import EmptySource, SourceError
from indexer.places import Place
from indexer.sources.rows import ROW_LIMIT, BrokenRow, RawRow
from indexer.sources.streams import opened

_SAMPLE = 1000
"""Rows whose keys make the columns that the report names."""
_BOM = b"\xef\xbb\xbf"


class JsonLines:
    def __init__(self, path: Place) -> None:
        """Raises EmptySource for a file without rows, SourceError when no row of the first 1,000 is an object."""
        self._path = path
        self.columns: list[str] = []
        reason = ""
        objects = 0
        for row in islice(self.rows(), _SAMPLE):
            if isinstance(row, BrokenRow):
                reason = reason or row.reason
            else:
                objects += 1
                self.columns.extend(column for column in row.cells if column not in self.columns)
        if reason and not objects:
            raise SourceError(f"{path} is not JSON Lines, one object per line: {reason}.")
        if not objects:
            raise EmptySource(f"{path} is empty.")

    def rows(self) -> Iterator[RawRow | BrokenRow]:
        with opened(self._path) as stream:
            number = 0
            while line := stream.readline(ROW_LIMIT):
                number += 1
                if len(line) >= ROW_LIMIT:
                    while line and not line.endswith(b"\n"):
                        line = stream.readline(ROW_LIMIT)
                    yield BrokenRow(number, f"a row of more than {ROW_LIMIT:,} bytes")
                elif line.strip():
                    yield _row(number, line.removeprefix(_BOM) if number == 1 else line)


def _row(number: int, line: bytes) -> RawRow | BrokenRow:
    try:
        value = json.loads(line.decode(), parse_float=Decimal, parse_constant=_refused)
    except UnicodeDecodeError:
        return BrokenRow(number, "bytes that are not UTF-8")
    except json.JSONDecodeError as error:
        return BrokenRow(number, f"invalid JSON: {error.msg} at character {error.pos + 1}")
    except (ValueError, RecursionError) as error:
        return BrokenRow(number, f"invalid JSON: {error}")
    if not isinstance(value, dict):
        return BrokenRow(number, f"a JSON {type(value).__name__} where an object is expected")
    return RawRow(number, value)


def _refused(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON")
