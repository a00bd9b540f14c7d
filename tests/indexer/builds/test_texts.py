"""What is read of a product: by the encoder, by the lexical channel, by filters."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.builds.texts import FIXED_FIELDS, MAX_FIELDS, MAX_VALUE, MAX_VOCABULARY, FieldCensus, describe, payload
from indexer.builds.texts import words as words_of
from indexer.domain import Availability, FieldType, Product

SHOE = Product(
    id="MH01-Blue",
    title="Trail shoe",
    description="Light and grippy.",
    brand="Northwind",
    category=("Men", "Shoes"),
    price=Decimal("59.90"),
    availability=Availability.IN_STOCK,
    attributes={"size": "42", "material": ("Mesh", "Rubber"), "colour": "Blue"},
    parent="MH01",
)


def census(*products: Product) -> FieldCensus:
    counted = FieldCensus()
    for product in products:
        counted.add(product)
    return counted


def test_the_encoder_reads_what_it_is_before_the_prose() -> None:
    assert describe(SHOE) == "Trail shoe, Blue, Mesh, Rubber, Shoes, Northwind. Light and grippy."


def test_what_a_product_lacks_leaves_no_trace_and_nothing_is_said_twice() -> None:
    assert describe(Product(id="1", title="Mug")) == "Mug"
    assert describe(Product(id="1", title="Mug", category=("Mug",), attributes={"colour": "Mug"})) == "Mug"


def test_every_word_of_a_product_can_be_searched_its_sku_too() -> None:
    expected = {"MH01-Blue", "Trail", "shoe", "Northwind", "Men", "Shoes", "42", "Mesh", "Rubber", "Blue", "grippy."}

    assert expected <= set(words_of(SHOE).split())


def test_the_payload_has_casefolded_keywords_numbers_and_flags() -> None:
    fields = census(SHOE).fields()

    assert payload(SHOE, fields, pictured=True) == {
        "category": ["men", "men/shoes", "shoes"],
        "availability": "in_stock",
        "in_stock": True,
        "has_image": True,
        "parent": "mh01",
        "brand": "northwind",
        "price": 59.9,
        "size": 42.0,
        "material": ["mesh", "rubber"],
        "colour": ["blue"],
    }


def test_values_that_are_missing_or_too_long_are_not_in_the_payload() -> None:
    prosaic = Product(id="1", title="Mug", attributes={"care": "x" * (MAX_VALUE + 1), "size": "L"})
    fields = {**census(prosaic).fields(), "care": FieldType.KEYWORD}

    assert payload(prosaic, fields, pictured=False) == {
        "has_image": False,
        "availability": "unknown",
        "size": ["l"],
    }


@pytest.mark.parametrize("name", FIXED_FIELDS)
def test_an_attribute_named_like_a_fixed_field_does_not_displace_it(name: str) -> None:
    """A column called price may be an attribute when another one is mapped to the price."""
    odd = Product(id="1", title="Mug", attributes={name: "odd"})
    counted = census(odd)

    assert counted.fields() == FIXED_FIELDS
    assert "odd" not in str(payload(odd, counted.fields(), pictured=False))
    assert counted.vocabulary() == {}


def test_the_vocabulary_lists_values_by_how_many_products_have_them() -> None:
    products = [
        *[Product(id=str(n), title="x", attributes={"colour": "Blue"}, category=("Shoes",)) for n in range(3)],
        *[Product(id=str(n), title="x", attributes={"colour": ("red", "Green")}) for n in range(2)],
        Product(id="last", title="x", attributes={"colour": "GREEN"}, brand="Northwind"),
    ]

    assert census(*products).vocabulary() == {
        "colour": ["blue", "green", "red"],
        "category": ["shoes"],
        "brand": ["northwind"],
    }


def test_fields_of_very_many_values_have_no_vocabulary_but_are_filterable() -> None:
    counted = census(*[Product(id=str(n), title="x", attributes={"code": f"A{n}"}) for n in range(MAX_VOCABULARY + 1)])

    assert counted.fields()["code"] is FieldType.KEYWORD
    assert "code" not in counted.vocabulary()


def test_only_the_commonest_attributes_are_fields_and_have_a_vocabulary() -> None:
    common = {f"common_{number}": "x" for number in range(MAX_FIELDS)}
    counted = census(
        Product(id="1", title="x", attributes={"rare": "x"}),
        *[Product(id=str(n), title="x", attributes=common) for n in range(2)],
    )

    assert set(counted.fields()) == {*FIXED_FIELDS, *common}
    assert set(counted.vocabulary()) == set(common)


def test_an_attribute_of_single_numbers_is_a_number_and_one_of_iso_dates_a_date() -> None:
    first = Product(id="1", title="x", attributes={"weight": "12.5", "added": "2026-01-31", "size": "42"})
    second = Product(id="2", title="x", attributes={"weight": "-3", "added": "1970-01-02T23:59:00Z", "size": "40"})
    counted = census(first, second)
    fields = counted.fields()

    assert (fields["weight"], fields["added"]) == (FieldType.NUMBER, FieldType.DATE)
    assert counted.vocabulary() == {}
    assert payload(first, fields, pictured=False).items() >= {"weight": 12.5, "added": 20484.0}.items()
    assert payload(second, fields, pictured=False).items() >= {"weight": -3.0, "added": 1.0}.items()


@pytest.mark.parametrize(
    "other", ["L", ("41", "42"), "007", "1234567890123456", "1e3", "nan", "٤٢", "9,5", "2026-01-31"]
)
def test_an_attribute_of_which_one_product_gives_anything_else_is_made_of_keywords(
    other: str | tuple[str, ...],
) -> None:
    """Whichever product comes first."""
    plain = Product(id="1", title="x", attributes={"size": "42"})
    odd = Product(id="2", title="x", attributes={"size": other})

    assert census(plain, odd).fields()["size"] is FieldType.KEYWORD
    assert census(odd, plain).fields()["size"] is FieldType.KEYWORD
    assert "42" in census(odd, plain).vocabulary()["size"]


@pytest.mark.parametrize("text", ["2026-02-30", "2026-1-3", "20260131", "2026-W01-1", "2026-01-31 noon", "31/01/2026"])
def test_what_is_no_iso_date_is_none(text: str) -> None:
    assert census(Product(id="1", title="x", attributes={"added": text})).fields()["added"] is not FieldType.DATE


@pytest.mark.parametrize("value", ["XL", ("1", "2"), "2026-01-31", ""])
def test_a_live_value_that_does_not_fit_its_field_is_left_out_of_the_payload(value: str | tuple[str, ...]) -> None:
    fields = {**FIXED_FIELDS, "size": FieldType.NUMBER}
    put = Product(id="1", title="x", attributes={"size": value})

    assert "size" not in payload(put, fields, pictured=False)


@given(st.text(max_size=30) | st.lists(st.text(max_size=12), max_size=3).map(tuple))
@settings(max_examples=50, deadline=None)
def test_whatever_a_catalogue_gives_fits_the_field_that_was_counted_of_it(value: str | tuple[str, ...]) -> None:
    product = Product(id="1", title="x", attributes={"field": value})
    fields = census(product).fields()
    stored = payload(product, fields, pictured=False).get("field")

    assert stored is None or isinstance(stored, list if fields["field"] is FieldType.KEYWORD else float)
