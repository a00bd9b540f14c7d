import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain import FieldType, PayloadValue
from indexer.errors import BadFilter
from service.search.grouping import ungrouped
from service.search.sorting import Sort, parse_sort, sort_groups
from tests.service.search.found import found, shown

FIELDS = {
    "price": FieldType.NUMBER,
    "colour": FieldType.KEYWORD,
    "in_stock": FieldType.FLAG,
    "released": FieldType.DATE,
    "created": FieldType.DATE,
}


@pytest.mark.parametrize(
    ("text", "sort"),
    [
        ("price", Sort("price", descending=False)),
        ("-price", Sort("price", descending=True)),
        (" -Released ", Sort("released", descending=True)),
        ("newest", Sort("created", descending=True)),
    ],
)
def test_a_field_ascends_unless_it_says_otherwise_and_newest_is_a_date(text: str, sort: Sort) -> None:
    assert parse_sort(text, FIELDS) == sort


@pytest.mark.parametrize("text", ["", "-", "colour", "in_stock", "--price", "prise", "price desc"])
def test_what_has_no_order_is_refused_with_what_has(text: str) -> None:
    with pytest.raises(BadFilter, match=r"^sort: no field .*; allowed are created, price, released"):
        parse_sort(text, FIELDS)


def test_newness_needs_a_date() -> None:
    with pytest.raises(BadFilter, match=r"none of the dates that 'newest' goes by .* allowed are price"):
        parse_sort("newest", {"price": FieldType.NUMBER})


def ordered(sort: Sort, **prices: PayloadValue | None) -> str:
    """The products, each named by one letter, as they come in the order of that sort."""
    products = [found(name) if price is None else found(name, price=price) for name, price in prices.items()]
    return "".join(shown(sort_groups(ungrouped(products), sort)))


@pytest.mark.parametrize(("descending", "order"), [(False, "cabd"), (True, "abcd")])
def test_equal_ones_keep_their_order_and_those_without_a_value_come_last(descending: bool, order: str) -> None:
    assert ordered(Sort("price", descending), a=5.0, d=None, b=5.0, c=1.0) == order


@given(st.lists(st.none() | st.integers(-3, 3).map(float), max_size=8), st.booleans())
def test_sorting_is_a_stable_permutation(prices: list[float | None], descending: bool) -> None:
    names = "abcdefgh"[: len(prices)]
    order = ordered(Sort("price", descending), **dict(zip(names, prices, strict=True)))
    sign = -1 if descending else 1
    known = dict(zip(names, prices, strict=True))
    keys = [(price is None, sign * (price or 0.0), name) for name in order for price in [known[name]]]
    assert sorted(order) == list(names)
    assert keys == sorted(keys)
