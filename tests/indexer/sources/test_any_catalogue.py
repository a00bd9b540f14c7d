"""Whatever the format: what was written is what is read, and a bad row costs itself."""

import csv
import io
import json
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.domain import ImageRef, Product
from indexer.errors import SourceError
from indexer.sources import BrokenRow
from indexer.sources.text import clean_line
from tests.indexer.sources.files import broken, ids, products, read, write

Row = Mapping[str, str]
Writer = Callable[[Path, Sequence[Row]], Path]


def table(name: str, delimiter: str) -> Writer:
    def written(folder: Path, rows: Sequence[Row]) -> Path:
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter, quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(rows)
        return write(folder, name, text.getvalue())

    return written


def as_feed_table(folder: Path, rows: Sequence[Row]) -> Path:
    named = [{**{k: v for k, v in row.items() if k != "image"}, "image_link": row["image"], "link": ""} for row in rows]
    return table("feed.tsv", "\t")(folder, named)


def as_export(folder: Path, rows: Sequence[Row]) -> Path:
    names = {
        "id": "Handle",
        "title": "Title",
        "description": "Body (HTML)",
        "brand": "Vendor",
        "price": "Variant Price",
    }
    renamed = [
        {
            **{there: row[here] for here, there in names.items()},
            "Image Src": row["image"],
            "Option1 Value": "Default Title",
        }
        for row in rows
    ]
    return table("export.csv", ",")(folder, renamed)


def as_lines(folder: Path, rows: Sequence[Row]) -> Path:
    return write(folder, "p.jsonl", "".join(json.dumps(row) + "\n" for row in rows))


def as_parquet(folder: Path, rows: Sequence[Row]) -> Path:
    pq.write_table(pa.Table.from_pylist([dict(row) for row in rows]), folder / "p.parquet")
    return folder / "p.parquet"


def as_feed(folder: Path, rows: Sequence[Row]) -> Path:
    names = {"image": "image_link"}
    items = (
        "".join(
            f"<g:{names.get(name, name)}>{escape(value)}</g:{names.get(name, name)}>" for name, value in row.items()
        )
        for row in rows
    )
    body = "".join(f"<item>{item}</item>\n" for item in items)
    return write(folder, "feed.xml", f'<rss xmlns:g="http://base.google.com/ns/1.0"><channel>{body}</channel></rss>')


FORMATS = (table("p.csv", ","), table("p.tsv", "\t"), as_feed_table, as_export, as_lines, as_parquet, as_feed)
LETTERS = st.characters(categories=["L", "N"], include_characters=" '\"&;,+:!-#%")
TEXT = st.text(LETTERS, max_size=30).map(clean_line).filter(lambda text: "&" not in text or ";" not in text)
WORD = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=12).map(clean_line).filter(bool)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "id": WORD,
            "title": TEXT.filter(bool),
            "description": TEXT,
            "brand": TEXT,
            "price": st.decimals(0, 10_000, places=2).map(str),
            "image": WORD.map("photos/{}.jpg".format),
        }
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda row: row["id"],
)


@pytest.mark.parametrize("written", FORMATS)
@settings(max_examples=25, deadline=None)
@given(rows=ROWS)
def test_what_was_written_is_read(
    written: Writer, rows: Sequence[Row], tmp_path_factory: pytest.TempPathFactory
) -> None:
    found = products(read(written(tmp_path_factory.mktemp("p"), rows)))
    assert [(one.id, one.title, one.description, one.brand or "", f"{one.price}", one.images) for one in found] == [
        (row["id"], row["title"], row["description"], row["brand"], row["price"], (ImageRef(row["image"]),))
        for row in rows
    ]
    assert all(one.attributes == {} for one in found)


def rows_of(count: int) -> list[Row]:
    names = ("title", "description", "brand")
    return [
        {"id": f"no{number}", **dict.fromkeys(names, "Coat"), "price": "1.00", "image": "a.jpg"}
        for number in range(count)
    ]


@pytest.mark.parametrize("written", [one for one in FORMATS if one is not as_parquet])
@pytest.mark.parametrize("bad", [b"\xff\xfe", b"\x00"])
def test_bytes_that_are_no_text_cost_their_row(written: Writer, bad: bytes, tmp_path: Path) -> None:
    rows = read(spoilt(written(tmp_path, rows_of(3)), bad))
    assert (ids(rows), len(broken(rows))) == (["no0", "no2"], 1)


@pytest.mark.parametrize("written", [FORMATS[0], as_lines, as_feed])
def test_a_row_of_a_hundred_megabytes_costs_itself(written: Writer, tmp_path: Path) -> None:
    rows = read(spoilt(written(tmp_path, rows_of(3)), b"x" * (100 << 20)))
    ((_, reason),) = broken(rows).items()
    assert ids(rows) == ["no0", "no2"]
    assert "of more than 524,288" in reason


BAD_CELLS = {"title": b"", "description": b"Caf\xe9", "brand": b"\x00", "price": b"call us", "id": b"no0"}


@pytest.mark.parametrize(
    ("name", "head", "row", "tail"),
    [
        ("p.csv", b"id,title,description,brand,price\n", b"%s,%s,%s,%s,%s\n", b""),
        ("p.jsonl", b"", b'{"id":"%s","title":"%s","description":"%s","brand":"%s","price":"%s"}\n', b""),
        (
            "p.xml",
            b'<rss xmlns:g="http://base.google.com/ns/1.0">\n',
            b"<item><g:id>%s</g:id><g:title>%s</g:title><g:description>%s</g:description><g:brand>%s</g:brand>"
            b"<g:price>%s</g:price></item>\n",
            b"</rss>",
        ),
    ],
)
def test_three_in_a_hundred_broken_rows_are_named_and_no_others(
    name: str, head: bytes, row: bytes, tail: bytes, tmp_path: Path
) -> None:
    bad = {number: list(BAD_CELLS)[number % 5] for number in random.Random(4).sample(range(1, 2_000), 60)}
    content = io.BytesIO()
    content.write(head)
    for number in range(2_000):
        cells = {"id": b"no%d" % number, "title": b"Coat", "description": b"Dry", "brand": b"Nord", "price": b"9.99"}
        column = bad.get(number, "")
        content.write(row % tuple({**cells, column: BAD_CELLS.get(column, b"")}[one] for one in cells))
    content.write(tail)
    rows = read(write(tmp_path, name, content.getvalue()))
    assert sorted(broken(rows)) == sorted(number + 1 + head.count(b"\n") for number in bad)
    assert ids(rows) == [f"no{number}" for number in range(2_000) if number not in bad]


def spoilt(path: Path, bad: bytes) -> Path:
    """The bytes stand in the id of the second row."""
    first, marked, last = path.read_bytes().partition(b"no1")
    path.write_bytes(first + marked + bad + last)
    return path


@settings(max_examples=150, deadline=None)
@given(
    name=st.sampled_from(["p.csv", "p.tsv", "p.jsonl", "p.xml", "p.parquet", "p.csv.gz"]),
    content=st.binary(max_size=200),
)
def test_no_file_is_a_crash(name: str, content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    heads = {"p.csv": b"id,title\n", "p.tsv": b"id\ttitle\n", "p.xml": b"<rss><item><id>1</id><title>x</title>"}
    path = write(tmp_path_factory.mktemp("p"), name, heads.get(name, b"") + content)
    try:
        rows = read(path)
    except SourceError:
        return
    assert all(isinstance(row, Product | BrokenRow) for row in rows)
