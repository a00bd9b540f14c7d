from pathlib import Path

import pytest

from indexer.errors import EmptySource, SourceError, UnmappableColumns
from indexer.sources import open_source
from indexer.sources.rows import ROW_LIMIT
from tests.indexer.sources.files import broken, ids, jsonl, only, products, read, write

GOOD = '{"id": "good", "title": "Cap"}\n'


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b'{"id": 1, "title"', "invalid JSON: Expecting ':' delimiter at character"),
        (b"[1, 2]", "a JSON list where an object is expected"),
        (b"null", "a JSON NoneType where an object is expected"),
        (b'{"id": 1, "title": "Caf\xe9"}', "bytes that are not UTF-8"),
        (b'{"id": 1, "title": NaN}', "NaN is not JSON"),
        (b'{"id": 1, "title": "a\\u0000b"}', "a NUL byte"),
        (b'{"id": 1, "title": "a\x00b"}', "invalid JSON"),
        (b'{"id": 1, "title": "a\\ud800b"}', "not valid Unicode"),
        (b'{"id": ' + b"9" * 5000 + b', "title": "x"}', "invalid JSON"),
        (b"[" * 100_000, "invalid JSON"),
        (b'{"id": 1, "title": "' + b"x" * ROW_LIMIT + b'"}', "a row of more than 524,288 bytes"),
    ],
)
def test_a_bad_line_costs_itself_only(tmp_path: Path, line: bytes, told: str) -> None:
    rows = read(write(tmp_path, "p.jsonl", GOOD.encode() + b"\n" + line + b'\n{"id": "2", "title": "Hat"}'))
    assert ids(rows) == ["good", "2"]
    assert list(broken(rows)) == [3]
    assert told in broken(rows)[3]


def test_a_byte_order_mark_and_ndjson_are_no_matter(tmp_path: Path) -> None:
    assert ids(read(write(tmp_path, "p.ndjson", "\ufeff" + GOOD))) == ["good"]


def test_a_field_that_only_a_late_row_has_is_still_recognised(tmp_path: Path) -> None:
    rows = [{"id": number, "title": "Cap"} for number in range(1_200)]
    path = jsonl(tmp_path, *rows, {"id": "last", "title": "Hat", "Brand": "Daybird", "fit": "slim"})
    last = products(open_source(path).rows())[-1]
    assert (last.brand, last.attributes) == ("Daybird", {"fit": "slim"})


def test_a_duplicate_key_s_last_value_counts(tmp_path: Path) -> None:
    assert only(read(write(tmp_path, "p.jsonl", '{"id": 1, "title": "a", "title": "b"}'))).title == "b"


@pytest.mark.parametrize("text", ["", "\n \n"])
def test_an_empty_file_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(EmptySource, match="is empty"):
        read(write(tmp_path, "p.jsonl", text))


def test_what_is_not_json_lines_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="one object per line"):
        read(write(tmp_path, "p.jsonl", '[\n  {\n    "id": 1\n  }\n]'))


def test_keys_that_make_no_product_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnmappableColumns, match="no column for title; found id, nom"):
        read(jsonl(tmp_path, {"id": 1, "nom": "Manteau"}))
