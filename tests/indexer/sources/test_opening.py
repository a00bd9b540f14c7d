import gzip
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.errors import SourceError
from indexer.sources import open_source
from indexer.sources.opening import catalog_name
from tests.indexer.sources.files import broken, ids, only, read, write

ROW = "id,title\n1,Coat\n"


def test_the_name_and_the_root_are_the_file_s_folder(tmp_path: Path) -> None:
    (tmp_path / "My Shop").mkdir()
    source = open_source(write(tmp_path / "My Shop", "products.csv", ROW))
    assert (source.name, source.root) == ("my-shop", tmp_path / "My Shop")


def test_the_root_can_be_elsewhere(tmp_path: Path) -> None:
    path = write(tmp_path, "products.csv", ROW)
    (tmp_path / "photos").mkdir()
    assert open_source(path, root=tmp_path / "photos").root == tmp_path / "photos"
    with pytest.raises(SourceError, match="not a folder"):
        open_source(path, root=tmp_path / "nowhere")


def test_a_source_can_be_read_again(tmp_path: Path) -> None:
    source = open_source(write(tmp_path, "products.csv", ROW))
    assert list(source.rows()) == list(source.rows())


def test_the_first_row_of_an_id_wins(tmp_path: Path) -> None:
    rows = read(write(tmp_path, "p.csv", "id,title\n1,Coat\n2,Cap\n 1 ,Hat\n2,\n"))
    assert ids(rows) == ["1", "2"]
    assert broken(rows) == {4: "duplicate id '1': the first row with it is kept", 5: "no title"}


def test_an_explicit_mapping_is_followed(tmp_path: Path) -> None:
    path = write(tmp_path, "p.csv", "Réf;Nom;Teinte\n1;Manteau;bleu\n")
    row = only(read(path, {"id": "Réf", "title": "Nom", "colour": "Teinte"}))
    assert (row.id, row.title, row.attributes) == ("1", "Manteau", {"colour": "bleu"})


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"nowhere\.csv does not exist"):
        open_source(tmp_path / "nowhere.csv")


@pytest.mark.parametrize("name", ["products.xlsx", "products.json", "products"])
def test_an_unsupported_file_is_refused_with_what_is_supported(tmp_path: Path, name: str) -> None:
    with pytest.raises(
        SourceError, match=r"not supported; give \.csv, \.tsv, \.jsonl, \.ndjson, \.parquet, \.xml, gzip"
    ):
        open_source(write(tmp_path, name, ROW))


def test_a_folder_s_feed_is_found_and_its_other_xml_is_not_taken_for_one(tmp_path: Path) -> None:
    write(tmp_path, "sitemap.xml", "<urlset/>")
    feed = write(
        tmp_path,
        "feed.xml",
        '<rss xmlns:g="http://base.google.com/ns/1.0"><item><g:id>1</g:id><title>Coat</title></item></rss>',
    )
    assert open_source(tmp_path).path == feed


@pytest.mark.parametrize("name", ["p.csv.gz", "P.CSV.GZ", "p.csv"])
def test_gzip_is_unpacked_whatever_the_name_says(tmp_path: Path, name: str) -> None:
    assert only(read(write(tmp_path, name, gzip.compress(ROW.encode())))).title == "Coat"


def test_a_gzip_file_that_was_cut_off_is_told(tmp_path: Path) -> None:
    rows = "".join(f"{number},Coat {number}\n" for number in range(5_000))
    path = write(tmp_path, "p.csv.gz", gzip.compress(("id,title\n" + rows).encode())[:-1_000])
    with pytest.raises(SourceError, match=r"p\.csv\.gz is damaged or was not copied to its end"):
        read(path)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    row = "{},Coat," + "x" * 1_000 + "\n"
    path = write(tmp_path, "p.csv", "id,title,note\n" + "".join(row.format(number) for number in range(2_000)))
    source = open_source(path)
    tracemalloc.start()
    try:
        assert sum(1 for _ in source.rows()) == 2_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < path.stat().st_size / 4


@settings(deadline=None)
@given(st.text(max_size=100))
def test_any_folder_makes_a_catalog_name(text: str) -> None:
    name = catalog_name(text)
    assert 1 <= len(name) <= 64
    assert catalog_name(name) == name
