"""Products and changes given one by one are held to what catalogue files may say."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from indexer.builds.given import OWN_FIELDS, ProductInput, parse_update
from indexer.domain import Availability, ImageRef, Product
from indexer.errors import InputError
from indexer.sources import BrokenRow, open_source

MUG = Product("mug", "Mug", price=Decimal("9.90"), currency="EUR", attributes={"colour": "red", "sizes": ("S", "M")})
FULL = {
    "id": " MUG-1\u200b ",
    "title": "Tall <b>mug</b>\x07 &amp; lid",
    "parent": "MUG",
    "description": "<p>For tea.</p><script>no</script>\n\n\nHolds 0.4 l.",
    "brand": " Acme  Ltd ",
    "price": "1.299,50",
    "currency": "€",
    "availability": "in stock",
    "attributes": {"Colour": "teal|navy", "NeckLine": " V ", "fit": ["slim", "slim", ""], "price": "cheap"},
    "url": " https://shop.example/mug ",
    "images": ["a.jpg, b.jpg", "https://cdn.example/c,1.jpg", "a.jpg"],
}


def from_file(folder: Path, given: object) -> Product | BrokenRow:
    path = folder / "products.jsonl"
    path.write_text(json.dumps(given), "utf-8")
    (row,) = open_source(path).rows()
    return row


def test_a_product_is_cleaned_as_a_file_would_be(tmp_path: Path) -> None:
    read = ProductInput.model_validate(FULL).product()
    assert read == from_file(tmp_path, FULL)
    assert (read.id, read.title, read.brand) == ("MUG-1", "Tall mug & lid", "Acme Ltd")
    assert (read.price, read.currency, read.availability) == (Decimal("1299.50"), "EUR", Availability.IN_STOCK)
    assert read.attributes == {"colour": ("teal", "navy"), "neck_line": "V", "fit": "slim", "price": "cheap"}
    assert read.images == (ImageRef("a.jpg"), ImageRef("b.jpg"), ImageRef("https://cdn.example/c,1.jpg"))


def test_a_category_is_one_path_of_levels() -> None:
    levels = ("Sport", " Ski/boarding ", "", "A > B")
    assert ProductInput(id="x", title="x", category=levels).product().category == ("Sport", "Ski/boarding", "A > B")


def test_what_is_not_given_is_as_a_file_without_the_column(tmp_path: Path) -> None:
    bare = {"id": "x", "title": "X"}
    assert ProductInput.model_validate(bare).product() == from_file(tmp_path, bare)


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="|\n\r"), max_size=30)
VALUES = st.one_of(TEXT, st.lists(TEXT, max_size=3))


@given(
    st.fixed_dictionaries(
        {"id": TEXT, "title": TEXT},
        optional={
            "parent": TEXT,
            "brand": TEXT,
            "description": TEXT,
            "url": TEXT,
            "price": st.one_of(
                st.floats(0, 1e12, allow_nan=False),
                st.integers(-9, 10**12),
                st.sampled_from(["9,90", "x", "1.2.3", "-"]),
            ),
            "currency": st.sampled_from(["EUR", "eur", "$", "XYZ", "12"]),
            "attributes": st.dictionaries(st.sampled_from(["fit", "Fit", "colour", "Brand", "size_1"]), VALUES),
        },
    )
)
def test_whatever_a_file_makes_of_a_product_is_made_of_one_that_is_given(
    tmp_path_factory: pytest.TempPathFactory, fields: dict[str, object]
) -> None:
    row = from_file(tmp_path_factory.getbasetemp(), fields)
    try:
        read: Product | None = ProductInput.model_validate(fields).product()
    except ValidationError:
        read = None
    assert read == (None if isinstance(row, BrokenRow) else row)


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("id", "", "there is no text"),
        ("id", "\u200b\x07", "there is no text"),
        ("id", "m\x00ug", "a NUL byte"),
        ("id", "x" * 256, "the id has 256 characters, the limit is 255"),
        ("id", 7, "valid string"),
        ("title", "<p> </p>", "there is no text"),
        ("title", "x" * 1_001, "the limit is 1,000"),
        ("parent", "x" * 256, "the limit is 255"),
        ("brand", "x" * 1_001, "the limit is 1,000"),
        ("description", "x" * 100_001, "the limit is 100,000"),
        ("description", None, "valid string"),
        ("category", "Kitchen", "valid tuple"),
        ("category", ["x" * 1_001], "the limit is 1,000"),
        ("category", ["x"] * 51, "at most 50"),
        ("price", -1, "not an amount of 0 or more"),
        ("price", "ten", "is not an amount"),
        ("price", float("nan"), "not an amount"),
        ("price", float("inf"), "not an amount"),
        ("price", "1e9", "not"),
        ("price", 10**10, "is above 9999999999.99"),
        ("price", True, "write the amount as a number"),
        ("price", [1], "write the amount as a number"),
        ("price", "9.90 EUR", "write the amount alone, and EUR as currency"),
        ("currency", "XYZ", "currency 'XYZ' is not known"),
        ("currency", "", "is not known"),
        ("availability", "perhaps", "write in_stock, out_of_stock, preorder, unknown, or the quantity in stock"),
        ("availability", None, "write in_stock"),
        ("availability", {}, "a dict where text is expected"),
        ("attributes", {"!?": "x"}, "an attribute's name needs letters or digits"),
        ("attributes", {"fit": "x" * 5_001}, "the limit is 5,000"),
        ("attributes", {"fit": 7}, "valid string"),
        ("attributes", {"fit": None}, "valid string"),
        ("attributes", {str(n): "x" for n in range(201)}, "201 attributes, the limit is 200"),
        ("url", "x" * 4_097, "the limit is 4,096"),
        ("images", "a.jpg", "valid tuple"),
        ("images", [f"{n}.jpg" for n in range(101)], "101 images, the limit is 100"),
        ("images", ["x" * 4_097], "the limit is 4,096"),
        ("colour", "red", "not permitted"),
    ],
)
def test_what_no_file_may_say_is_refused_by_the_name_of_the_field(field: str, value: object, told: str) -> None:
    with pytest.raises(ValidationError) as refused:
        ProductInput.model_validate({"id": "x", "title": "X", field: value})
    assert {one["loc"][0] for one in refused.value.errors()} == {field}
    assert all(told in one["msg"] for one in refused.value.errors()[:1]), refused.value


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("preorder", "preorder"),
        ("In Stock", "in_stock"),
        (0, "out_of_stock"),
        ("12", "in_stock"),
        ("unknown", "unknown"),
    ],
)
def test_stock_is_a_state_a_word_of_the_trade_or_a_quantity(given: object, expected: str) -> None:
    assert parse_update({"availability": given}).of(MUG).availability.value == expected


def test_an_update_changes_what_it_names() -> None:
    changed = parse_update({"price": "1", "attributes": {"Fit": "slim", "Colour": None}}).of(MUG)
    assert changed.price == Decimal("1.00")
    assert changed.attributes == {"sizes": ("S", "M"), "fit": "slim"}
    assert (changed.currency, changed.availability, changed.title) == (MUG.currency, MUG.availability, MUG.title)


def test_null_takes_a_price_a_currency_an_address_and_an_attribute_away() -> None:
    bare = parse_update({"price": None, "currency": None, "url": None, "attributes": {"colour": None, "sizes": []}})
    changed = bare.of(MUG)
    assert (changed.price, changed.currency, changed.url, changed.attributes) == (None, None, None, {})


@pytest.mark.parametrize("given", [{}, {"attributes": {}}])
def test_an_update_of_nothing_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(InputError, match=r"^nothing to change was given: price, currency, availability, url or"):
        parse_update(given)


@pytest.mark.parametrize("name", sorted(OWN_FIELDS))
def test_a_field_of_the_product_is_not_changed_as_an_attribute(name: str) -> None:
    """It would change the words and nothing else."""
    with pytest.raises(InputError, match=f"attributes: {name} is a field of the product, not an attribute"):
        parse_update({"attributes": {name.upper(): "x"}})
    assert parse_update({"attributes": {name: None}}).of(MUG).attributes == MUG.attributes


def test_every_mistake_of_an_update_is_told() -> None:
    with pytest.raises(InputError) as refused:
        parse_update({"price": "ten", "currency": "Z", "title": "New", "availability": None})
    for field in ("price: price 'ten' is not an amount", "currency: ", "title: Extra inputs", "availability: write "):
        assert field in str(refused.value)


def test_an_update_cannot_grow_a_product_beyond_what_a_file_may_have() -> None:
    grown = parse_update({"attributes": {f"a{n}": "x" for n in range(199)}})
    with pytest.raises(InputError, match="'mug' would have 201 attributes, the limit is 200"):
        grown.of(MUG)
    assert len(grown.of(Product("x", "X", attributes={"colour": "red"})).attributes) == 200
