"""What somebody chose, in an address and back, and how a file's columns are told."""

from pathlib import Path
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import EmptySource, InputError, SourceError
from service.desk.choosing import Choice, mapping_of, read_columns

TEXT = st.text(min_size=1, max_size=20).map(str.strip).filter(bool)


@given(source=TEXT, root=st.none() | TEXT, column=TEXT)
def test_a_choice_survives_the_address(source: str, root: str | None, column: str) -> None:
    choice = Choice(source=source, catalog="shop", root=root, mapping={"title": column, "id": "nr"})
    asked = parse_qs(choice.query())

    assert asked["source"] == [source]
    assert asked.get("root", [None]) == [root]
    assert mapping_of(asked["map"]) == {"title": column, "id": "nr"}


def test_columns_of_unknown_fields_and_empty_ones_are_not_meant() -> None:
    assert mapping_of(["title:", "nonsense:Name", "id:a:b", "brand"]) == {"id": "a:b"}


def written(tmp_path: Path, text: str) -> Choice:
    file = tmp_path / "hats.csv"
    file.write_text(text, "utf-8")
    return Choice(source=str(file), catalog="shop")


def test_recognised_columns_are_told_with_the_first_products(tmp_path: Path) -> None:
    reading = read_columns(written(tmp_path, "id,name,Price,Hutform\n1,Straw hat,5 EUR,round\n2,Cap,,flat\n"))

    assert reading.usable
    fields = {one.field: one.columns for one in reading.fields}
    assert (fields["id"], fields["title"], fields["price"], fields["brand"]) == (("id",), ("name",), ("Price",), ())
    assert reading.attributes == {"Hutform": "hutform"}
    assert [(one.id, one.title) for one in reading.sample] == [("1", "Straw hat"), ("2", "Cap")]


def test_a_file_without_the_needed_columns_says_which_there_are(tmp_path: Path) -> None:
    choice = written(tmp_path, "nr,bezeichnung\n1,Strohhut\n")
    reading = read_columns(choice)

    assert not reading.usable
    assert [one.field for one in reading.fields if one.missing] == ["id", "title"]
    assert reading.found == ("nr", "bezeichnung")

    named = read_columns(choice.model_copy(update={"mapping": {"id": "nr", "title": "bezeichnung"}}))
    assert named.usable
    assert [one.title for one in named.sample] == ["Strohhut"]
    assert {one.field: one.chosen for one in named.fields if one.chosen} == {"id": "nr", "title": "bezeichnung"}


def test_a_file_of_broken_rows_only_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmptySource, match="no product"):
        read_columns(written(tmp_path, "id,title\n,\n,\n"))


@pytest.mark.parametrize("name", ["", "Shop", "a--b", "../x", "x" * 65, "shop<script>"])
def test_names_that_a_catalog_cannot_have_are_refused_with_one_it_can(tmp_path: Path, name: str) -> None:
    choice = written(tmp_path, "id,title\n1,Hat\n").model_copy(update={"catalog": name})
    with pytest.raises(InputError, match="cannot be called"):
        read_columns(choice)


def test_unknown_languages_and_files_that_are_gone_are_refused(tmp_path: Path) -> None:
    choice = written(tmp_path, "id,title\n1,Hat\n")
    with pytest.raises(InputError, match="language"):
        read_columns(choice.model_copy(update={"language": "xx"}))
    with pytest.raises(SourceError, match="does not exist"):
        read_columns(choice.model_copy(update={"source": str(tmp_path / "gone.csv")}))
