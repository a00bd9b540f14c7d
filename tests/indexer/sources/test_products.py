"""What the cells of a row become, whatever the file's format."""

from decimal import Decimal
from pathlib import Path

import pytest

from indexer.domain import Availability, ImageRef, Product
from indexer.sources import rows
from tests.indexer.sources.files import broken, jsonl, only, read


def product(folder: Path, **cells: object) -> Product:
    return only(read(jsonl(folder, {"id": "1", "title": "Coat", **cells})))


def reason(folder: Path, **cells: object) -> str:
    good = {"id": "good", "title": "Cap"}
    return broken(read(jsonl(folder, good, {"id": "1", "title": "Coat", **cells})))[2]


def test_a_full_row(tmp_path: Path) -> None:
    row = {
        "sku": " C-1 ",
        "parent_sku": "C",
        "name": "Rain&nbsp;coat",
        "body_html": "<p>Dry.</p>",
        "vendor": "Daybird",
        "category": "Women/Jackets",
        "price": "€129,90",
        "availability": "in stock",
        "link": "https://shop.example/c?a=1&copy=2",
        "image_link": "images/c.jpg",
        "additional_image_link": "images/c2.jpg,images/c.jpg",
        "Color": "blue|navy",
        "Care Label": "cold &amp; gentle",
        "empty": " ",
    }
    assert only(read(jsonl(tmp_path, row))) == Product(
        id="C-1",
        parent="C",
        title="Rain coat",
        description="Dry.",
        brand="Daybird",
        category=("Women", "Jackets"),
        price=Decimal("129.90"),
        currency="EUR",
        availability=Availability.IN_STOCK,
        attributes={"colour": ("blue", "navy"), "care_label": "cold & gentle"},
        url="https://shop.example/c?a=1&copy=2",
        images=(ImageRef("images/c.jpg"), ImageRef("images/c2.jpg")),
    )


def test_the_first_category_there_is_wins_and_the_others_stay_as_attributes(tmp_path: Path) -> None:
    found = product(tmp_path, category="", categories=["Men/Tops", "Sale"], google_product_category="1604", type="Top")
    assert found.category == ("Men", "Tops")
    assert found.attributes == {"categories": ("Men/Tops", "Sale"), "google_product_category": "1604", "type": "Top"}


def test_a_number_in_a_taxonomy_is_not_a_category(tmp_path: Path) -> None:
    found = product(tmp_path, google_product_category="1604", product_type="Ski/boarding")
    assert found.category == ("Ski/boarding",)
    assert found.attributes == {"google_product_category": "1604"}


def test_colours_of_several_columns_are_one_attribute(tmp_path: Path) -> None:
    assert product(tmp_path, color="red", colors=["red", "blue"]).attributes == {"colour": ("red", "blue")}
    assert product(tmp_path, attributes={"Colour": "red"}).attributes == {"colour": "red"}


def test_objects_are_flattened_into_attributes(tmp_path: Path) -> None:
    found = product(
        tmp_path,
        attributes={"material": ["Wool"], "fit": None},
        dimensions={"width": 10.50, "unit": "cm"},
        variants=[{"size": "S"}, {"size": "M"}],
    )
    assert found.attributes == {
        "material": "Wool",
        "dimensions_width": "10.5",
        "dimensions_unit": "cm",
        "variants_size": ("S", "M"),
    }


def test_numbers_and_truth_become_words(tmp_path: Path) -> None:
    found = product(tmp_path, id=17, weight=52.0, eco=True, vegan=False, stars=4.5)
    assert found.id == "17"
    assert found.attributes == {"weight": "52", "eco": "yes", "vegan": "no", "stars": "4.5"}


@pytest.mark.parametrize(
    ("column", "value", "availability"),
    [
        ("availability", "in_stock", Availability.IN_STOCK),
        ("availability", "https://schema.org/InStock", Availability.IN_STOCK),
        ("availability", "Out of stock", Availability.OUT_OF_STOCK),
        ("availability", "Pre-Order", Availability.PREORDER),
        ("availability", "ask us", Availability.UNKNOWN),
        ("availability", "", Availability.UNKNOWN),
        ("in_stock", True, Availability.IN_STOCK),
        ("in_stock", "no", Availability.OUT_OF_STOCK),
        ("quantity", 0, Availability.OUT_OF_STOCK),
        ("stock", "12", Availability.IN_STOCK),
        ("stock", -3, Availability.OUT_OF_STOCK),
    ],
)
def test_availability(tmp_path: Path, column: str, value: object, availability: Availability) -> None:
    assert product(tmp_path, **{column: value}).availability is availability


def test_a_currency_of_its_own_column_wins(tmp_path: Path) -> None:
    found = product(tmp_path, price="$12", currency="CAD")
    assert (found.price, found.currency) == (Decimal("12.00"), "CAD")


def test_a_json_number_is_an_exact_price(tmp_path: Path) -> None:
    assert product(tmp_path, price=0.1).price == Decimal("0.10")
    assert product(tmp_path, price=None).price is None


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ({"id": " "}, "no id"),
        ({"id": None}, "no id"),
        ({"title": "\u200b"}, "no title"),
        ({"title": ["", None]}, "no title"),
        ({"id": "good"}, "duplicate id 'good'"),
        ({"price": "twelve"}, "price 'twelve' is not an amount"),
        ({"price": -1}, "price '-1' is not an amount"),
        ({"price": True}, "price 'yes'"),
        ({"price": "1", "currency": "shells"}, "currency 'shells' is not known"),
        ({"title": "nul\x00"}, "title: a NUL byte"),
        ({"fit": "nul\x00"}, "fit: a NUL byte"),
        ({"title": "half \ud83d"}, "title: text that is not valid Unicode"),
        ({"title": {"en": "Coat"}}, "title: a dict where text is expected"),
        ({"id": "x" * (rows.MAX_ID + 1)}, "id has 256 characters, the limit is 255"),
        ({"title": "x" * (rows.MAX_LINE + 1)}, "title has 1,001 characters"),
        ({"description": "x" * (rows.MAX_DESCRIPTION + 1)}, "description has 100,001 characters"),
        ({"note": "x" * (rows.MAX_VALUE + 1)}, "note has 5,001 characters"),
        ({"url": "x" * (rows.MAX_URI + 1)}, "url has 4,097 characters"),
        ({"images": [f"{number}.jpg" for number in range(101)]}, "101 images, the limit is 100"),
        ({"attributes": {f"a{number}": "x" for number in range(201)}}, "201 attributes, the limit is 200"),
        ({"deep": {"a": {"b": {"c": {"d": {"e": 1}}}}}}, "nested too deeply"),
        ({"images": [[[[[[["a.jpg"]]]]]]]}, "nested too deeply"),
    ],
)
def test_what_breaks_a_row_is_told(tmp_path: Path, cells: dict[str, object], told: str) -> None:
    assert told in reason(tmp_path, **cells)
