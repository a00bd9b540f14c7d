"""Catalogues in a bucket, which here is fsspec's memory; the drivers of real ones are fsspec's own matter."""

import gzip
import io
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from indexer.domain import Product
from indexer.errors import EmptySource, SourceError
from indexer.sources import open_source
from tests.indexer.sources.files import broken, ids

ROW = b"id,title,image\n1,Coat,photos/a.jpg\n2,,\n"


class Bucket:
    def __init__(self) -> None:
        self.url = f"memory://{uuid4().hex}"
        self._files = MemoryFileSystem()

    def put(self, name: str, content: bytes) -> str:
        self._files.pipe_file(f"{self.url}/{name}", content)
        return f"{self.url}/{name}"

    def empty(self) -> None:
        self._files.rm(self.url, recursive=True)


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    made = Bucket()
    made.put("here", b"")
    yield made
    made.empty()


def parquet() -> bytes:
    content = io.BytesIO()
    pq.write_table(pa.table({"id": ["1", "2"], "title": ["Coat", ""]}), content)
    return content.getvalue()


FEED = (
    b'<rss xmlns:g="http://base.google.com/ns/1.0"><item><g:id>1</g:id><title>Coat</title></item>\n'
    b"<item><g:id>2</g:id></item></rss>"
)


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("products.csv", ROW, 3),
        ("products.CSV.gz", gzip.compress(ROW, mtime=0), 3),
        ("products.tsv", ROW.replace(b",", b"\t"), 3),
        ("products.jsonl", b'{"id": 1, "title": "Coat"}\n{"id": 2}\n', 2),
        ("feed.xml", FEED, 2),
        ("feed.xml.gz", gzip.compress(FEED, mtime=0), 2),
        ("products.parquet", parquet(), 2),
        ("export", ROW, 3),
        ("export", FEED, 2),
        ("export", parquet(), 2),
        ("export", b'{"id": 1, "title": "Coat"}\n{"id": 2}\n', 2),
    ],
)
def test_any_format_is_read_from_a_bucket(bucket: Bucket, name: str, content: bytes, line: int) -> None:
    url = bucket.put(f"shop/{name}", content)
    source = open_source(url)
    assert (str(source.path), str(source.root), source.name) == (url, f"{bucket.url}/shop", "shop")
    for _ in range(2):
        rows = list(source.rows())
        assert (ids(rows), broken(rows)) == (["1"], {line: "no title"})


def test_a_folder_of_a_bucket_is_looked_through(bucket: Bucket) -> None:
    bucket.put("shop/README.txt", b"hello")
    bucket.put("shop/photos/a.jpg", b"")
    url = bucket.put("shop/products.csv", ROW)
    assert str(open_source(f"{bucket.url}/shop").path) == url
    bucket.put("shop/more.jsonl", b"")
    with pytest.raises(SourceError, match=r"several catalogues, name one of them: more\.jsonl, products\.csv"):
        open_source(f"{bucket.url}/shop/")


def test_a_folder_of_photos_in_a_bucket_is_a_catalogue(bucket: Bucket) -> None:
    for name in ("b.jpg", "coats/red-coat.png", "coats/.hidden.png", "notes.txt"):
        bucket.put(f"photos/{name}", b"")
    source = open_source(f"{bucket.url}/photos")
    rows = [row for row in source.rows() if isinstance(row, Product)]
    assert [(row.id, row.title, row.category) for row in rows] == [
        ("b.jpg", "b", ()),
        ("coats/red-coat.png", "red coat", ("coats",)),
    ]
    bucket.put("empty/notes.txt", b"")
    with pytest.raises(EmptySource, match="no catalogue and no images"):
        open_source(f"{bucket.url}/empty")


def test_a_file_that_is_not_there_is_told(bucket: Bucket) -> None:
    with pytest.raises(SourceError, match=r"nowhere\.csv cannot be read"):
        open_source(f"{bucket.url}/nowhere.csv")


def test_a_local_catalogue_can_have_its_photos_in_a_bucket(bucket: Bucket, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_bytes(ROW)
    assert str(open_source(str(tmp_path / "p.csv"), root=bucket.url).root) == bucket.url
