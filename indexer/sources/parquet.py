"""Parquet, streamed by batches; a row is numbered from 1."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from indexer.errors import EmptySource, SourceError
from indexer.sources.rows import BrokenRow, RawRow

_BATCH = 256
"""Rows in memory at a time."""
_PANDAS_INDEX = "__index_level_"


class Parquet:
    def __init__(self, path: Path) -> None:
        """Raises EmptySource without rows, SourceError for what is not Parquet."""
        self._path = path
        with self._open() as file:
            self.columns = [name for name in file.schema_arrow.names if not name.startswith(_PANDAS_INDEX)]
            if file.metadata.num_rows == 0:
                raise EmptySource(f"{path} has no rows.")

    def rows(self) -> Iterator[RawRow | BrokenRow]:
        with self._open() as file:
            number = 1
            for batch in file.iter_batches(_BATCH, columns=self.columns):
                yield from _rows(batch, number)
                number += batch.num_rows

    @contextmanager
    def _open(self) -> Iterator[pq.ParquetFile]:
        try:
            with pq.ParquetFile(self._path) as file:
                yield file
        except (pa.ArrowException, OSError) as error:
            reason = str(error).splitlines()[0].rstrip(".")
            raise SourceError(f"{self._path} cannot be read as Parquet: {reason}.") from error


def _rows(batch: pa.RecordBatch, start: int) -> Iterator[RawRow | BrokenRow]:
    """Row by row only where a text of the batch is not UTF-8."""
    try:
        cells = batch.to_pylist()
    except UnicodeDecodeError:
        if batch.num_rows == 1:
            yield BrokenRow(start, "bytes that are not UTF-8")
            return
        for offset in range(batch.num_rows):
            yield from _rows(batch.slice(offset, 1), start + offset)
        return
    for number, row in enumerate(cells, start):
        yield RawRow(number, row)
