import pytest

from indexer.errors import SourceError, UnmappableColumns
from indexer.sources.columns import SYNONYMS, ColumnPlan, Field, attribute_name, key_of


def plan(*columns: str, **mapping: str) -> ColumnPlan:
    return ColumnPlan("products.csv", columns, mapping)


@pytest.mark.parametrize(("field", "synonym"), [(field, name) for field, names in SYNONYMS.items() for name in names])
def test_every_synonym_is_recognised_in_any_spelling(field: Field, synonym: str) -> None:
    spelt = synonym.replace("_", " ").upper()
    required = {Field.ID: "id", Field.TITLE: "title"}
    required.pop(field, None)
    assert plan(spelt, *required.values()).columns(field) == [spelt]


def test_no_synonym_stands_for_two_fields() -> None:
    keys = [key_of(name) for names in SYNONYMS.values() for name in names]
    assert len(keys) == len(set(keys))


def test_the_preferred_column_feeds_the_field_whatever_the_order() -> None:
    found = plan("sku", "id", "name", "title")
    assert found.columns(Field.ID) == ["id"]
    assert found.columns(Field.TITLE) == ["title"]
    assert not found.feeds_field("sku")


def test_all_image_columns_are_used_and_the_main_one_comes_first() -> None:
    found = plan("id", "title", "additional_image_link", "all_images", "image_link")
    assert found.columns(Field.IMAGES) == ["image_link", "all_images", "additional_image_link"]


def test_a_shop_s_own_category_is_preferred_to_its_kinds() -> None:
    found = plan("id", "title", "type", "google_product_category", "all_categories", "category")
    assert found.columns(Field.CATEGORY) == ["category", "all_categories", "google_product_category", "type"]


def test_a_mapping_decides_alone() -> None:
    found = plan("id", "Nom", "title", "image", "foto", "brand", title="nom", images="foto", colour="brand")
    assert found.columns(Field.TITLE) == ["Nom"]
    assert found.columns(Field.IMAGES) == ["foto"]
    assert found.columns(Field.COLOUR) == ["brand"]
    assert found.columns(Field.BRAND) == []
    assert not found.feeds_field("title")


def test_missing_columns_are_named_with_those_found() -> None:
    with pytest.raises(UnmappableColumns, match="no column for id, title; found Artikel, Preis") as refused:
        plan("Artikel", "Preis")
    assert refused.value.missing == ("id", "title")


def test_a_mapping_of_a_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(SourceError, match="no column 'Nom' to map to title; found id, name"):
        plan("id", "name", title="Nom")


def test_a_mapping_of_an_unknown_field_is_refused() -> None:
    with pytest.raises(SourceError, match="no field 'titel' to map; the fields are id, title"):
        plan("id", "name", titel="name")


def test_a_column_met_later_fills_a_field_that_has_none() -> None:
    found = plan("id", "title", "name")
    found.learn(["brand", "product_name", "image"])
    assert found.columns(Field.BRAND) == ["brand"]
    assert found.columns(Field.TITLE) == ["title"]
    assert found.columns(Field.IMAGES) == ["image"]


def test_the_report_names_the_columns_of_each_field_and_the_attributes() -> None:
    report = plan("SKU", "Name", "Sleeve Length", "color").report()
    assert report.fields == {"id": ("SKU",), "title": ("Name",), "colour": ("color",)}
    assert report.attributes == {"Sleeve Length": "sleeve_length"}


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("Sleeve Length", "sleeve_length"),
        ("sleeveLength", "sleeve_length"),
        ("Größe (EU)", "größe_eu"),
        ("g:age_group", "age_group"),
        ("Color", "colour"),
        ("Couleur", "colour"),
        ("---", ""),
        ("x" * 100, "x" * 64),
    ],
)
def test_attribute_names_are_snake_case(column: str, name: str) -> None:
    assert attribute_name(column) == name
