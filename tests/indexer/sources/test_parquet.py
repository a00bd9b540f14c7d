import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from indexer.errors import EmptySource, SourceError
from indexer.sources import open_source
from tests.indexer.sources.files import broken, ids, only, read, write


def parquet(folder: Path, **columns: object) -> Path:
    path = folder / "products.parquet"
    pq.write_table(pa.table(columns), path)
    return path


def test_typed_columns_become_a_product(tmp_path: Path) -> None:
    path = parquet(
        tmp_path,
        id=pa.array([7]),
        title=["Coat"],
        price=pa.array([12.99], pa.float32()),
        images=[["a.jpg", "b.jpg"]],
        category=["Women/Jackets"],
        sizes=[["S", "M"]],
        since=[date(2026, 11, 21)],
        attributes=pa.array([[("fit", "slim")]], pa.map_(pa.string(), pa.string())),
        dimensions=[{"width": 10.0, "unit": "cm"}],
        rating=[float("nan")],
    )
    product = only(read(path))
    assert (product.id, product.price, product.category) == ("7", Decimal("12.99"), ("Women", "Jackets"))
    assert [image.uri for image in product.images] == ["a.jpg", "b.jpg"]
    assert product.attributes == {
        "sizes": ("S", "M"),
        "since": "2026-11-21",
        "fit": "slim",
        "dimensions_width": "10",
        "dimensions_unit": "cm",
    }


def test_rows_are_numbered_from_one_across_batches(tmp_path: Path) -> None:
    titles = ["Coat"] * 600
    titles[0] = titles[299] = titles[599] = ""
    rows = read(parquet(tmp_path, id=list(range(600)), title=titles))
    assert broken(rows) == {1: "no title", 300: "no title", 600: "no title"}
    assert len(ids(rows)) == 597


def test_text_that_is_not_utf_8_breaks_its_row_only(tmp_path: Path) -> None:
    raw = pa.array([b"Coat", b"Caf\xe9", b"Cap"], pa.binary())
    titles = pa.Array.from_buffers(pa.string(), 3, raw.buffers())
    rows = read(parquet(tmp_path, id=["1", "2", "3"], title=titles))
    assert broken(rows) == {2: "bytes that are not UTF-8"}
    assert ids(rows) == ["1", "3"]


def test_the_index_that_pandas_adds_is_left_out(tmp_path: Path) -> None:
    path = parquet(tmp_path, id=["1"], title=["Coat"], __index_level_0__=[5])
    assert only(read(path)).attributes == {}


def test_a_table_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmptySource, match="no rows"):
        read(parquet(tmp_path, id=pa.array([], pa.string()), title=pa.array([], pa.string())))


@pytest.mark.parametrize("content", [b"", b"id,title\n1,Coat\n"])
def test_what_is_not_parquet_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(SourceError, match="cannot be read as Parquet"):
        read(write(tmp_path, "p.parquet", content))


def test_damage_found_while_reading_is_told(tmp_path: Path) -> None:
    path = parquet(tmp_path, id=[str(number) for number in range(5_000)], title=["Coat"] * 5_000)
    source = open_source(path)
    content = bytearray(path.read_bytes())
    content[4:2_000] = b"\xff" * 1_996
    path.write_bytes(content)
    with pytest.raises(SourceError, match="cannot be read as Parquet"):
        list(source.rows())


READ_ALL = """
import sys
import pyarrow.parquet
from indexer.sources import BrokenRow, open_source

def peak():
    with open("/proc/self/status") as status:
        return int(next(line for line in status if line.startswith("VmHWM")).split()[1]) // 1024

base = peak()
rows = broken = 0
for row in open_source(sys.argv[1]).rows():
    rows += 1
    broken += isinstance(row, BrokenRow)
print(rows, broken, peak() - base)
"""


def test_a_row_group_of_any_size_is_read_at_constant_memory(tmp_path: Path) -> None:
    """A tenth of the rows have an id that was there before. The table takes 96 MB and more when it is held."""
    count = 60_000
    numbers = [number if number % 10 else 0 for number in range(count)]
    notes = [f"{number:08d}" * 200 for number in range(count)]
    table = pa.table({"id": numbers, "title": ["Coat"] * count, "note": notes})
    pq.write_table(table, tmp_path / "p.parquet", row_group_size=count, compression="none", use_dictionary=False)
    ran = subprocess.run(
        [sys.executable, "-c", READ_ALL, str(tmp_path / "p.parquet")], capture_output=True, text=True, check=True
    )
    rows, broken_rows, megabytes = map(int, ran.stdout.split())
    assert (rows, broken_rows) == (count, count // 10 - 1)
    assert megabytes < 70
