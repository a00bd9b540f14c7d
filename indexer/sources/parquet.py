"""Parquet, streamed by batches; a row is numbered from 1."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from indexer.errors import EmptySource, SourceError
from indexer.places import Place, Remote, why
from indexer.sources.rows import BrokenRow, RawRow

_BATCH = 256
"""Rows in memory at a time."""
_BUFFER = 1 << 16
"""Bytes read of a column at a time, rather than all that a row group has of it."""
_REMOTE_BUFFER = 1 << 22
_PANDAS_INDEX = "__index_level_"


class Parquet:
    def __init__(self, path: Place) -> None:
        """Raises EmptySource without rows, SourceError for what is not Parquet."""
        self._path = path
        with self._open() as file:
            self.columns = [name for name in file.schema_arrow.names if not name.startswith(_PANDAS_INDEX)]
            if file.metadata.num_rows == 0:
                raise EmptySource(f"{path} has no rows.")

    def rows(self) -> Iterator[RawRow | BrokenRow]:
        with self._open() as file:
            number = 1
            for batch in file.iter_batches(_BATCH, columns=self.columns, use_threads=False):
                yield from _rows(batch, number)
                number += batch.num_rows

    @contextmanager
    def _open(self) -> Iterator[pq.ParquetFile]:
        try:
            if isinstance(self._path, Remote):
                with self._path.open(jumping=True) as stream, _streamed(stream, _REMOTE_BUFFER) as file:
                    yield file
            else:
                with _streamed(self._path, _BUFFER) as file:
                    yield file
        except (pa.ArrowException, OSError, ValueError) as error:
            raise SourceError(f"{self._path} cannot be read as Parquet: {why(error)}.") from error


def _streamed(source: Path | BinaryIO, buffer: int) -> pq.ParquetFile:
    return pq.ParquetFile(source, buffer_size=buffer, pre_buffer=False)


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
