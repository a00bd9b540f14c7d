"""What a FAISS build knows of its points beside their vectors, as one Parquet file."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final
from uuid import UUID

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from indexer.domain import FieldType, PayloadValue
from indexer.stores.columns import Columns
from indexer.stores.exact import Order, RowNumbers
from indexer.stores.rows import Rows

GROUP: Final = 65_536
"""Rows of one row group: what a writer holds in memory."""
TYPES: Final = {FieldType.KEYWORD: pa.list_(pa.string()), FieldType.NUMBER: pa.float64(), FieldType.FLAG: pa.bool_()}


class SidecarWriter:
    """`with SidecarWriter(path, fields) as sidecar: sidecar.add(rows) …`: constant memory, whole when left."""

    def __init__(self, path: Path, fields: Mapping[str, FieldType]) -> None:
        self._fields = sorted(fields)
        self._schema = _schema(fields)
        self._file = parquet.ParquetWriter(path, self._schema, compression="zstd")
        self._waiting: list[pa.RecordBatch] = []

    def add(self, rows: Rows) -> None:
        columns: list[Sequence[object]] = [
            [id.bytes for id in rows.ids],
            [product for product, _ in rows.names],
            [image for _, image in rows.names],
            rows.lacks.tolist(),
            *([payload.get(name) for payload in rows.payload] for name in self._fields),
        ]
        arrays = [pa.array(column, field.type) for column, field in zip(columns, self._schema, strict=True)]
        self._waiting.append(pa.record_batch(arrays, schema=self._schema))
        if sum(batch.num_rows for batch in self._waiting) >= GROUP:
            self._write()

    def __enter__(self) -> "SidecarWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._write()
        self._file.close()

    def _write(self) -> None:
        if self._waiting:
            self._file.write_table(pa.Table.from_batches(self._waiting).combine_chunks(), row_group_size=GROUP)
            self._waiting.clear()


class WordLists:
    """The words of each row in one keyword field, in their order."""

    def __init__(self) -> None:
        self._ends = array("I", [0])
        """Where each row's codes end, behind the start of the first."""
        self._codes = array("I")
        self._code_of: dict[str, int] = {}
        self._words: list[str] = []

    def write(self, lengths: RowNumbers, words: Sequence[str], codes: RowNumbers) -> None:
        """The next rows: how many words each has, and which of `words` they are."""
        for word in words:
            if self._code_of.setdefault(word, len(self._words)) == len(self._words):
                self._words.append(word)
        own = np.array([self._code_of[word] for word in words], dtype=np.uint32)
        self._ends.frombytes((self._ends[-1] + np.cumsum(lengths)).astype(np.uint32).tobytes())
        self._codes.frombytes(own[codes].tobytes())

    def of(self, rows: RowNumbers) -> list[list[str]]:
        ends, codes = np.frombuffer(self._ends, np.uint32), np.frombuffer(self._codes, np.uint32)
        parts = zip(ends[rows].tolist(), ends[rows + 1].tolist(), strict=True)
        return [[self._words[code] for code in codes[start:end].tolist()] for start, end in parts]


@dataclass(frozen=True, eq=False)
class Sidecar:
    """Of each row: its id's halves, what it lacks, its names, its payload."""

    order: Order
    lacks: npt.NDArray[np.uint8]
    columns: Columns
    words: Mapping[str, "WordLists"]
    """Of each keyword field."""
    products: Any
    images: Any

    def names(self, rows: RowNumbers) -> list[tuple[str, str]]:
        """(product_id, image_id) of each row."""
        wanted = pa.array(rows)
        return list(zip(self.products.take(wanted).to_pylist(), self.images.take(wanted).to_pylist(), strict=True))

    def payloads(self, rows: RowNumbers) -> list[Mapping[str, PayloadValue]]:
        """The fields that each row has."""
        found: list[dict[str, PayloadValue]] = [{} for _ in rows]
        for name, numbers in self.columns.values(rows).items():
            for payload, number in zip(found, numbers, strict=True):
                if number is not None:
                    payload[name] = number
        for name, lists in self.words.items():
            for payload, words in zip(found, lists.of(rows), strict=True):
                if words:
                    payload[name] = words
        return list(found)


def read_sidecar(path: Path, fields: Mapping[str, FieldType], rows: int) -> Sidecar:
    """The file was verified. Raises ValueError (an ArrowInvalid) or KeyError when it is not one of ours."""
    columns = Columns(fields, rows)
    words = {name: WordLists() for name, kind in fields.items() if kind is FieldType.KEYWORD}
    order = np.zeros((rows, 2), dtype=np.uint64)
    lacks = np.zeros(rows, dtype=np.uint8)
    names: list[Any] = []
    start = 0
    with parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(GROUP):
            end = start + batch.num_rows
            order[start:end] = _order(batch.column("point"))
            lacks[start:end] = batch.column("lacks").to_numpy()
            names.append(batch.select(["product", "image"]))
            for place, name in enumerate(sorted(fields)):
                column = batch.column(f"field{place}")
                if name in words:
                    _fill_words(columns, words[name], name, start, column)
                else:
                    columns.write_numbers(name, start, column.cast(pa.float64()).to_numpy(zero_copy_only=False))
            start = end
    table = pa.Table.from_batches(names, _schema({}).remove(3).remove(0)).combine_chunks()
    return Sidecar(order, lacks, columns, words, table["product"], table["image"])


def read_order(path: Path) -> Order:
    """(rows, 2) halves of the point ids."""
    return _order(parquet.read_table(path, columns=["point"])["point"].combine_chunks())


def id_of(halves: Sequence[int]) -> UUID:
    return UUID(int=halves[0] << 64 | halves[1])


def _schema(fields: Mapping[str, FieldType]) -> Any:
    """Field names may hold dots, which Parquet reads as paths, so that columns are named by their place."""
    stored = [(f"field{place}", TYPES[fields[name]]) for place, name in enumerate(sorted(fields))]
    return pa.schema(
        [
            ("point", pa.binary(16)),
            ("product", pa.large_string()),
            ("image", pa.large_string()),
            ("lacks", pa.uint8()),
            *stored,
        ]
    )


def _order(points: Any) -> Order:
    buffer = points.buffers()[1]
    if buffer is None:
        return np.zeros((0, 2), dtype=np.uint64)
    halves = np.frombuffer(buffer, dtype=">u8").reshape(-1, 2)
    return halves[points.offset : points.offset + len(points)].astype(np.uint64)


def _fill_words(columns: Columns, words: WordLists, name: str, start: int, column: Any) -> None:
    coded = column.flatten().dictionary_encode()
    rows = pc.list_parent_indices(column).to_numpy().astype(np.int64)
    codes, dictionary = coded.indices.to_numpy(), coded.dictionary.to_pylist()
    by_word = np.argsort(codes, kind="stable")
    parts = np.split(rows[by_word] + start, np.cumsum(np.bincount(codes, minlength=len(dictionary)))[:-1])
    for word, listed in zip(dictionary, parts, strict=False):
        columns.write_word(name, word, listed)
    words.write(np.bincount(rows, minlength=len(column)), dictionary, codes)
