from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.errors import EmptySource, SourceError
from indexer.sources.delimited import Delimited
from indexer.sources.rows import ROW_LIMIT, RawRow
from tests.indexer.sources.files import broken, ids, only, products, read, write

HEADER = "id,title,note\n"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_in_the_header(tmp_path: Path, delimiter: str) -> None:
    lines = [delimiter.join(fields) for fields in (["id", "title", "price"], ["1", "Coat", "12.5"])]
    assert only(read(write(tmp_path, "p.csv", "\n".join(lines)))).title == "Coat"


def test_a_comma_in_a_quoted_name_is_not_a_delimiter(tmp_path: Path) -> None:
    path = write(tmp_path, "p.csv", 'id;title;"size, colour, cut"\n1;Coat;M\n')
    assert only(read(path)).attributes == {"size_colour_cut": "M"}


def test_tsv_is_cut_at_tabs_only(tmp_path: Path) -> None:
    assert only(read(write(tmp_path, "p.tsv", "id\ttitle\n1\tCoat, blue\n"))).title == "Coat, blue"


def test_a_byte_order_mark_and_windows_line_ends_are_no_matter(tmp_path: Path) -> None:
    path = write(tmp_path, "p.csv", b"\xef\xbb\xbfid,title\r\n1,Caf\xc3\xa9\r\n\r\n2,Cap\r\n")
    assert [product.title for product in products(read(path))] == ["Café", "Cap"]


def test_old_macintosh_line_ends_are_read(tmp_path: Path) -> None:
    assert ids(read(write(tmp_path, "p.csv", "id,title\r1,Coat\r2,Cap"))) == ["1", "2"]


def test_lines_are_physical_also_behind_quoted_line_breaks(tmp_path: Path) -> None:
    text = HEADER + '1,Coat,"two\nlines"\n\n2,,"no\n\ntitle"\n3,Cap\n'
    rows = read(write(tmp_path, "p.csv", text))
    assert ids(rows) == ["1"]
    assert broken(rows) == {5: "no title", 8: "2 fields where the header has 3"}


def test_too_many_fields_break_a_row(tmp_path: Path) -> None:
    rows = read(write(tmp_path, "p.csv", HEADER + "1,Coat,a,b\n2,Cap,c\n"))
    assert broken(rows) == {2: "4 fields where the header has 3"}
    assert ids(rows) == ["2"]


def test_bytes_that_are_not_utf_8_break_their_row_only(tmp_path: Path) -> None:
    rows = read(write(tmp_path, "p.csv", HEADER.encode() + b"1,Caf\xe9,\n2,Caf\xc3\xa9,\n"))
    assert broken(rows) == {2: "title: text that is not valid Unicode; save the file as UTF-8"}
    assert ids(rows) == ["2"]


def test_a_nul_breaks_its_row_only(tmp_path: Path) -> None:
    rows = read(write(tmp_path, "p.csv", HEADER + "1,Co\x00at,\n2,Cap,\n"))
    assert broken(rows) == {2: "title: a NUL byte"}
    assert ids(rows) == ["2"]


def test_a_quote_that_is_never_closed_costs_one_row(tmp_path: Path) -> None:
    rows = read(write(tmp_path, "p.csv", HEADER + '1,"Coat,\n2,Cap,\n3,Hat,\n'))
    assert broken(rows) == {2: "a quote that is never closed"}
    assert ids(rows) == ["2", "3"]


def test_a_stray_quote_costs_one_row_although_others_follow(tmp_path: Path) -> None:
    rows = read(write(tmp_path, "p.csv", HEADER + '1,"Coat,\n2,"Cap",\n3,"Hat",\n'))
    assert list(broken(rows)) == [2]
    assert ids(rows) == ["2", "3"]


def test_quotes_inside_a_field_are_text(tmp_path: Path) -> None:
    rows = read(write(tmp_path, "p.csv", HEADER + '1,Pipe 12" wide,"say ""hi"""\n'))
    assert (only(rows).title, only(rows).attributes) == ('Pipe 12" wide', {"note": 'say "hi"'})


def test_an_endless_line_is_one_broken_row(tmp_path: Path) -> None:
    path = write(tmp_path, "p.csv", HEADER + "1," + "x" * (3 * ROW_LIMIT) + ",\n2,Cap,\n")
    rows = read(path)
    assert list(broken(rows)) == [2]
    assert ids(rows) == ["2"]


def test_a_quote_left_open_swallows_no_more_than_its_line_of_a_long_file(tmp_path: Path) -> None:
    note = "x" * 4_000
    cut = ROW_LIMIT // len(note) + 10
    text = HEADER + '0,"Coat,\n' + "".join(f"{number},Cap,{note}\n" for number in range(1, cut))
    rows = read(write(tmp_path, "p.csv", text))
    assert list(broken(rows)) == [2]
    assert len(ids(rows)) == cut - 1


def test_a_column_named_twice_is_a_list(tmp_path: Path) -> None:
    path = write(tmp_path, "p.csv", "id,title,image,image,fit,fit,fit\n1,Coat,a.jpg,b.jpg,S,M,S\n")
    product = only(read(path))
    assert [image.uri for image in product.images] == ["a.jpg", "b.jpg"]
    assert product.attributes == {"fit": ("S", "M")}


def test_a_column_without_a_name_is_left_out(tmp_path: Path) -> None:
    assert only(read(write(tmp_path, "p.csv", ",id,title,\n7,1,Coat,8\n"))).attributes == {}


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff"])
def test_an_empty_file_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(EmptySource, match=r"p\.csv is empty"):
        read(write(tmp_path, "p.csv", text))


def test_a_header_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmptySource, match="no rows"):
        read(write(tmp_path, "p.csv", HEADER + "\n"))


@pytest.mark.parametrize("head", [b"\xff\xfei\x00d\x00\n", b"PK\x03\x04\x00\x00\n", "id,títle\n".encode("latin-1")])
def test_what_is_not_utf_8_text_is_refused(tmp_path: Path, head: bytes) -> None:
    with pytest.raises(SourceError, match="not UTF-8 text"):
        read(write(tmp_path, "p.csv", head + b"1,2\n"))


FIELDS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=12)


@settings(max_examples=60, deadline=None)
@given(table=st.lists(st.lists(FIELDS, min_size=3, max_size=3), min_size=1, max_size=6))
def test_whatever_a_spreadsheet_writes_is_read_back(
    table: list[list[str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    quoted = ['"' + '","'.join(field.replace('"', '""') for field in row) + '"' for row in table]
    path = write(tmp_path_factory.mktemp("csv"), "p.csv", HEADER + "\n".join(quoted) + "\n")
    found = [list(row.cells.values()) for row in Delimited(path).rows() if isinstance(row, RawRow)]
    assert found == table
