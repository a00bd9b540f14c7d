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
    "added": FieldType.DATE,
    "material": FieldType.KEYWORD,
    "weight (kg)": FieldType.NUMBER,
}
TO_STORES = {name: FieldType.NUMBER if kind is FieldType.DATE else kind for name, kind in FIELDS.items()}
BLUE, RED = Condition("colour", Op.EQ, "blue"), Condition("colour", Op.EQ, "red")
ACME, CHEAP = Condition("brand", Op.EQ, "acme"), Condition("price", Op.LT, 5)


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
    ("text", "where"),
    [
        ("colour=blue and brand=acme", AllOf((BLUE, ACME))),
        ("colour=blue or brand=acme", AnyOf((BLUE, ACME))),
        ("COLOUR=Blue OR color=red", AnyOf((BLUE, RED))),
        ("colour=blue or brand=acme and price<5", AnyOf((BLUE, AllOf((ACME, CHEAP))))),
        ("(colour=blue or brand=acme) and price<5", AllOf((AnyOf((BLUE, ACME)), CHEAP))),
        ("not colour=blue and price<5", AllOf((Not(BLUE), CHEAP))),
        ("not (colour=blue or brand=acme)", Not(AnyOf((BLUE, ACME)))),
        ("not not colour=blue", Not(Not(BLUE))),
        ("((colour=blue))", BLUE),
        ("(weight (kg)<5 or colour=blue)", AnyOf((Condition("weight (kg)", Op.LT, 5), BLUE))),
    ],
)
def test_conditions_are_joined_by_words(text: str, where: Where) -> None:
    assert parsed(text) == where


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("cotton and wool", "cotton and wool"),
        ("black or white", "black or white"),
        ("blue (navy)", "blue (navy)"),
        ("black and (white)", "black and (white)"),
        (":)", ":)"),
        ("a=b", "a=b"),
        ("'n sync", "'n sync"),
        ('5"', '5"'),
        ("red and", "red and"),
        ("1..5", "1..5"),
    ],
)
def test_what_is_no_condition_belongs_to_the_value(text: str, value: str) -> None:
    assert parsed(f"material={text}") == Condition("material", Op.EQ, value)


def test_a_value_ends_where_another_condition_begins() -> None:
    wool = Condition("material", Op.EQ, "cotton and wool")
    assert parsed("material=cotton and wool or colour=red") == AnyOf((wool, RED))
    assert parsed("(colour=red or material=cotton and wool) and price<5") == AllOf((AnyOf((RED, wool)), CHEAP))


@pytest.mark.parametrize("quote", ['"', "'"])
def test_a_value_in_quotes_may_hold_anything(quote: str) -> None:
    odd = "x and price<5) | y"
    assert parsed(f"brand={quote}{odd}{quote}") == Condition("brand", Op.EQ, odd)
    either = AnyOf((Condition("brand", Op.EQ, odd), ACME))
    assert parsed(f"(brand= {quote}{odd}{quote} |acme) and colour=red") == AllOf((either, RED))


def test_a_range_holds_both_its_ends() -> None:
    least, most = Condition("price", Op.GE, 10), Condition("price", Op.LE, 50.5)
    assert parsed("price=10..50.5") == AllOf((least, most))
    assert parsed("price=10..") == least
    assert parsed("price= .. 50.5") == most
    assert parsed("price!=10..50.5|70") == Not(AnyOf((AllOf((least, most)), Condition("price", Op.EQ, 70))))


def test_dates_are_days() -> None:
    assert parsed("added>=1970-01-31") == Condition("added", Op.GE, 30)
    assert parsed("added=1970-01-02..1970-01-31") == AllOf(
        (Condition("added", Op.GE, 1), Condition("added", Op.LE, 30))
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("colour=red and colur=blue", r"no field 'colur'.* Did you mean colour\? \(character 16 of 'colour=red and"),
        ("(colour=red or price=cheap)", r"price is a number, 'cheap' is not \(character 16 "),
        ("(colour=red", r"this \( is not closed"),
        ("(colour=red) price<5", r"here should be and, or, or the end \(character 14 "),
        ("(colour=red) order=5", r"here should be and, or, or the end"),
        ("()", r"'\)' is not FIELD OPERATOR VALUE.*\(character 2 "),
        ("not", "'not' is not FIELD OPERATOR VALUE"),
        ("added=yesterday", "added is a date like 2026-01-31, 'yesterday' is not"),
        ("added=31", "added is a date like 2026-01-31"),
        ("price=50..10", r"price: the range '50\.\.10' ends before it begins"),
        ("price=..", r"price: the range '\.\.' has no end"),
        ("price<1..3", "price: a range goes with = or !="),
        ("price=a..3", "price is a number, 'a' is not"),
        ("(" * 50 + "colour=red", "groups and nots go 10 deep at most"),
        ("not " * 50 + "colour=red", "groups and nots go 10 deep at most"),
        ("colour=" + "x" * 2_000, "2,000 characters at most"),
        ('colour="red', "the quote before 'red' has no end"),
        ('price<5 and colour= "red and brand=acme', r"the quote before 'red' has no end.* \(character 13 "),
        ('colour=blue|"red', "the quote before 'red' has no end"),
        ('(colour="red or brand="acme")', "the quote before 'red' has no end"),
    ],
)
def test_a_long_filter_is_refused_with_the_place(text: str, why: str) -> None:
    with pytest.raises(BadFilter, match=f"^where: .*{why}"):
        parsed(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("colur=red", "no field 'colur'; fields are added, brand, .*, weight .kg.. Did you mean colour[?]$"),
        ("size<3", "no field 'size'; fields are added, brand, .*, weight .kg..$"),
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


GRAMMAR = [" and ", " or ", "not ", "(", ")", '"', "'", "..", "2026-01-31"]
PIECES = st.sampled_from([*FIELDS, *Op, *GRAMMAR, "color", "|", " ", "true", "12", "nan", "1e999", "ſ", "\n", "\0"])


@settings(deadline=None, max_examples=50)
@given(st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=16).map("".join)))
@example("in_stock=1|0")
def test_any_text_is_a_filter_that_stores_take_or_is_refused(text: str) -> None:
    try:
        where = parsed(text)
    except BadFilter:
        return
    assert where is not None
    check(where, TO_STORES)


@pytest.mark.parametrize("text", [" " * 50_000, "colour" + " " * 50_000, "<" * 50_000 + " ", "a =" + " " * 50_000])
def test_reading_a_filter_takes_time_in_proportion_to_its_length(text: str) -> None:
    start = time.thread_time()
    with pytest.raises(BadFilter):
        parsed(text)
    assert time.thread_time() - start < 3


CONDITIONS = st.sampled_from([("colour=blue", BLUE), ("price<5", CHEAP), ('brand="acme"', ACME)])


def combined(inner: st.SearchStrategy[tuple[str, Where]]) -> st.SearchStrategy[tuple[str, Where]]:
    both = st.tuples(inner, inner)
    return st.one_of(
        both.map(lambda two: (f"({two[0][0]} and {two[1][0]})", AllOf((two[0][1], two[1][1])))),
        both.map(lambda two: (f"({two[0][0]} or {two[1][0]})", AnyOf((two[0][1], two[1][1])))),
        inner.map(lambda one: (f"not {one[0]}", Not(one[1]))),
    )


@settings(deadline=None, max_examples=50)
@given(st.recursive(CONDITIONS, combined, max_leaves=6))
def test_what_is_written_with_all_its_parentheses_is_read_as_it_was_meant(written: tuple[str, Where]) -> None:
    text, where = written
    assert parsed(text) == where
