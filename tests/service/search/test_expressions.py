import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.domain import FieldType, PayloadValue
from indexer.errors import BadExpression
from service.search.expression_reading import parse_expression
from service.search.expressions import LIMIT

FIELDS = {
    "brand": FieldType.KEYWORD,
    "price": FieldType.NUMBER,
    "rating": FieldType.NUMBER,
    "heel height": FieldType.NUMBER,
    "in_stock": FieldType.FLAG,
    "added": FieldType.DATE,
}
MUG: dict[str, PayloadValue] = {"brand": "acme", "price": 20.0, "in_stock": True, "added": 100.0, "heel height": 4.0}
TODAY = 160.0


def amount(text: str, payload: dict[str, PayloadValue] | None = None) -> float:
    """Of the mug, which is asked for beside another product."""
    of_mug, _ = parse_expression(text, FIELDS).amounts([MUG if payload is None else payload, {}], TODAY)
    return float(of_mug)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.3*in_stock", 0.3),
        ("2 - 3 - 4", -5),
        ("2 * 3 / 4 * 2", 3),
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("-price / -(-4)", -5),
        ("1e1 + .5 + 2.", 12.5),
        ("log(price)", math.log(20)),
        ("sqrt(`heel height`)", 2),
        ("min(price, 3, 7) + max(price, 3)", 23),
        ("clip(price, 0, 10) + clip(-price, 0, 10)", 10),
        ("missing(price, 5)", 20),
        ("missing(rating, -2.5)", -2.5),
        ("recency(added, 30)", 0.25),
        ("(added >= 1970-04-01)", 1),
        ('0.5 * (brand = "acme")', 0.5),
        ('(brand = "a) b") + 2', 2),
        ("((brand=acme or brand=orbit) and price<30) * 4", 4),
        ("(not (brand=acme)) + (not brand=orbit)", 1),
        ("((price > 3) * 2)", 2),
        ("(price = 10..20|70)", 1),
        ("price - price", 0),
    ],
)
def test_what_an_expression_adds(text: str, value: float) -> None:
    assert amount(text) == pytest.approx(value)


def test_a_part_whose_field_is_missing_adds_nothing_and_the_others_do() -> None:
    assert amount("0.3*in_stock + 0.2*log(rating + 5) - rating") == pytest.approx(0.3)
    assert amount("2 * (rating + 5)") == 0
    assert amount("recency(added, 30) + missing(rating, 1)", {}) == 1
    assert amount("(rating > 3) + (rating != 3)") == 1


@pytest.mark.parametrize("text", ["price/0", "log(0)", "sqrt(-price)", "1e308*1e308", "log(-1)*0"])
def test_a_part_without_a_finite_value_adds_nothing(text: str) -> None:
    assert amount(f"{text} + 1") == 1


def test_no_expression_adds_more_than_the_limit() -> None:
    assert amount("1e9 * price") == LIMIT
    assert amount("-1e9 * price") == -LIMIT
    assert amount("1e300 + 1e300 + 1") == LIMIT


def test_what_is_dated_ahead_is_as_recent_as_today() -> None:
    ages = [amount("recency(added, 30)", {"added": TODAY - days}) for days in (-9.0, 0.0, 30.0, 1e9)]
    assert ages == [1, 1, 0.5, 0]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("colur", r"no field 'colur'; fields are added, brand, .*\(character 1 of 'colur'\)"),
        ("2 * rateing", r"no field 'rateing'.* Did you mean rating\? \(character 4 "),
        (
            "brand",
            'brand is a keyword; compare it, e.g. .brand = "…".; what can stand here: added, heel height, in_stock',
        ),
        ("foo(3)", "no function 'foo'; functions are clip, log, max, min, missing, recency, sqrt"),
        ("max(3)", "max takes 2 to 100 values, not 1"),
        ("log(3, 4)", "log takes 1 values, not 2"),
        ("recency(price, 3)", "price is a number; what can stand here: added"),
        ("recency(added, 0)", "recency takes a date and its half-life in days, a number above 0"),
        ("recency(added)", "here should be ,"),
        ("missing(3, 4)", "here should be a field"),
        ("missing(rating, price)", "here should be a number"),
        ("price*(colur=red)", r"no field 'colur'.*\(character 8 "),
        ("(price<cheap)", "price is a number, 'cheap' is not"),
        ("2*", "here should be a number, a field, a function or a parenthesis"),
        ("", "here should be a number"),
        ("(price", r"this \( is not closed"),
        ("price)", r"here should be an operator \(\+ - \* /\) or the end"),
        ("price price", "here should be an operator"),
        ("price**2", "here should be a number"),
        ("1e999", "this number is too large"),
        ("(" * 100 + "1" + ")" * 100, "parts go 20 deep at most"),
        ("-" * 100 + "1", "parts go 20 deep at most"),
        ("1+" * 300 + "1", "it has 500 characters at most, not 601"),
        ('__import__("os")', "no function '__import__'"),
        ("price; import os", "here should be an operator"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason(text: str, why: str) -> None:
    with pytest.raises(BadExpression, match=f"^expression: .*{why}"):
        parse_expression(text, FIELDS)


PIECES = st.sampled_from(
    [*FIELDS, *"+-*/(),`'\"<=", "`heel height`", "log(", "max(", "recency(added, 3)", "1", "1e308", " ", "not ", " or "]
)
PAYLOADS = st.fixed_dictionaries(
    {},
    optional={
        "price": st.floats(),
        "rating": st.floats(allow_nan=False),
        "in_stock": st.booleans(),
        "added": st.floats(),
        "brand": st.text(max_size=3),
    },
)


@settings(deadline=None, max_examples=50)
@given(st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=12).map("".join)), PAYLOADS)
def test_any_text_is_refused_or_adds_a_finite_amount_to_any_product(
    text: str, payload: dict[str, PayloadValue]
) -> None:
    try:
        expression = parse_expression(text, FIELDS)
    except BadExpression:
        return
    assert (abs(expression.amounts([payload, MUG], TODAY)) <= LIMIT).all()
    assert expression.amounts([], TODAY).shape == (0,)


@settings(deadline=None, max_examples=50)
@given(
    st.recursive(
        st.sampled_from(["price", "2.5", "in_stock", "`heel height`"]),
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda three: f"({three[0]} {three[1]} {three[2]})"),
            inner.map(lambda one: f"-{one}"),
        ),
        max_leaves=6,
    )
)
def test_arithmetic_is_that_of_the_language(text: str) -> None:
    names = {"price": 20.0, "in_stock": 1.0, "heel": 4.0}
    try:
        expected = eval(text.replace("`heel height`", "heel"), {"__builtins__": {}}, names)
    except ZeroDivisionError:
        expected = 0.0
    assert amount(f"1 * {text}") == pytest.approx(max(-LIMIT, min(LIMIT, expected)))


@pytest.mark.parametrize("text", ["(" * 499, "(brand=" * 70, "'" * 499, "1 *" * 166, "`" * 499, "((a=1) or " * 45])
def test_reading_takes_no_time_to_speak_of(text: str) -> None:
    start = time.thread_time()
    with pytest.raises(BadExpression):
        parse_expression(text, FIELDS)
    assert time.thread_time() - start < 3
