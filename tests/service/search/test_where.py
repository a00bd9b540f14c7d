import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from indexer.domain import AllOf, AnyOf, Condition, FieldType, Not, Op, Where
from indexer.errors import BadFilter
from indexer.stores.filters import check
from service.search.where import parse_where

FIELDS = {
    "colour": FieldType.KEYWORD,
    "brand": FieldType.KEYWORD,
    "category": FieldType.KEYWORD,
    "price": FieldType.NUMBER,
    "in_stock": FieldType.FLAG,
}


def parsed(*filters: str) -> Where | None:
    return parse_where(filters, FIELDS)


@pytest.mark.parametrize("op", Op)
def test_numbers_take_every_operator(op: Op) -> None:
    condition = Condition("price", Op.EQ if op is Op.NE else op, 12.5)
    assert parsed(f"price{op}12.5") == (Not(condition) if op is Op.NE else condition)


def test_keywords_are_compared_in_lower_case() -> None:
    assert parsed("Colour = Navy Blue") == Condition("colour", Op.EQ, "navy blue")
    assert parsed("category=Men/Tops") == Condition("category", Op.EQ, "men/tops")


def test_alternatives_mean_either() -> None:
    assert parsed("brand=Acme|Orbit | Lumen") == AnyOf(
        (Condition("brand", Op.EQ, "acme"), Condition("brand", Op.EQ, "orbit"), Condition("brand", Op.EQ, "lumen"))
    )


def test_not_equal_to_alternatives_means_none_of_them() -> None:
    either = AnyOf((Condition("brand", Op.EQ, "acme"), Condition("brand", Op.EQ, "orbit")))
    assert parsed("brand!=acme|orbit") == Not(either)


def test_all_filters_must_hold() -> None:
    assert parsed("price<50", "colour=red") == AllOf((Condition("price", Op.LT, 50), Condition("colour", Op.EQ, "red")))
    assert parsed() is None


def test_colour_is_spelt_either_way() -> None:
    assert parsed("color=red") == parsed("colour=red")
    assert parse_where(["color=red"], {"color": FieldType.KEYWORD}) == Condition("color", Op.EQ, "red")


@pytest.mark.parametrize(("text", "value"), [("true", True), ("Yes", True), ("1", True), ("no", False), ("0", False)])
def test_flags_are_yes_or_no(text: str, value: bool) -> None:
    assert parsed(f"in_stock={text}") == Condition("in_stock", Op.EQ, value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("colur=red", "no field 'colur'; fields are brand, category, colour, in_stock, price. Did you mean colour?"),
        ("weight<3", "no field 'weight'; fields are brand, category, colour, in_stock, price.$"),
        ("price=cheap", "price is a number, 'cheap' is not"),
        ("price<nan", "price is a number, 'nan' is not"),
        ("price<inf", "price is a number, 'inf' is not"),
        ("price<1|", "price is a number, '' is not"),
        ("colour<red", "colour has no order; use = or !="),
        ("in_stock>0", "in_stock has no order"),
        ("in_stock=maybe", "in_stock is true or false, not 'maybe'"),
        ("colour", "'colour' is not FIELD OPERATOR VALUE"),
        ("colour=", "not FIELD OPERATOR VALUE"),
        ("=red", "not FIELD OPERATOR VALUE"),
        (" = ", "not FIELD OPERATOR VALUE"),
        ("colour==red", "not FIELD OPERATOR VALUE"),
        ("price=<3", "not FIELD OPERATOR VALUE"),
        ("price<>3", "not FIELD OPERATOR VALUE"),
        ("", "not FIELD OPERATOR VALUE"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_reason(text: str, why: str) -> None:
    with pytest.raises(BadFilter, match=why):
        parsed(text)


PIECES = st.sampled_from([*FIELDS, *Op, "color", "|", " ", "true", "12", "nan", "1e999", "ſ", "\n", "\0"])


@settings(deadline=None, max_examples=50)
@given(st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=8).map("".join)))
@example("in_stock=1|0")
def test_any_text_is_a_filter_that_stores_take_or_is_refused(text: str) -> None:
    try:
        where = parsed(text)
    except BadFilter:
        return
    assert where is not None
    check(where, FIELDS)


@pytest.mark.parametrize("text", [" " * 50_000, "colour" + " " * 50_000, "<" * 50_000 + " ", "a =" + " " * 50_000])
def test_reading_a_filter_takes_time_in_proportion_to_its_length(text: str) -> None:
    start = time.perf_counter()
    with pytest.raises(BadFilter):
        parsed(text)
    assert time.perf_counter() - start < 1
