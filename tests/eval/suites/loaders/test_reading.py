"""Rows of downloaded files, and what is said of those that are broken."""

from pathlib import Path

import pytest

from eval.errors import SuiteError
from eval.suites.loaders.reading import lines, objects, table
from tests.eval.suites.loaders.worlds import write_lines


def test_compressed_lines_are_numbered_and_empty_ones_passed_over(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.json.gz", [{"id": 1, "name": None}, {"id": 2.0}])
    rows = list(objects(tmp_path / "a.json.gz"))
    assert [(row.line, row.text("id"), row.words("name")) for row in rows] == [(1, "1", ""), (2, "2", "")]

    (tmp_path / "b.txt").write_text("a\n\n b \r\n")
    assert list(lines(tmp_path / "b.txt")) == [(1, "a"), (3, "b")]


def test_bytes_that_are_no_utf8_are_named_by_line(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"id,name\n1,good\n2,caf\xe9\n")

    rows = list(table(tmp_path / "a.csv"))
    assert rows[0].text("name") == "good"
    with pytest.raises(SuiteError, match=r"a\.csv:3: name: text that is not valid Unicode"):
        rows[1].text("name")


@pytest.mark.parametrize("line", ["[1]", "nothing", '{"a": 1'])
def test_a_line_that_is_no_object_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n' + line)

    with pytest.raises(SuiteError, match=r"a\.jsonl:2: "):
        list(objects(tmp_path / "a.jsonl"))


def test_a_cell_longer_than_a_table_may_hold_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id\n" + "x" * 200_000)

    with pytest.raises(SuiteError, match=r"a\.csv:\d: field larger than field limit"):
        list(table(tmp_path / "a.csv"))
