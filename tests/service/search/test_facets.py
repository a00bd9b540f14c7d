import math
from datetime import UTC, date, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain import BuildManifest, EncoderIdentity, FieldType, PayloadValue
from indexer.errors import BadFilter
from service.search.facets import Facet, FacetValue, count_facets, default_facets

FIELDS = {
    "colour": FieldType.KEYWORD,
    "category": FieldType.KEYWORD,
    "price": FieldType.NUMBER,
    "added": FieldType.DATE,
    "in_stock": FieldType.FLAG,
}


def counted(name: str, *values: PayloadValue | None, limit: int = 20) -> Facet:
    """The facet of one field, over a product per value; None is a product without the field."""
    payloads = [{} if value is None else {name: value} for value in values]
    (facet,) = count_facets(payloads, [name], FIELDS, limit=limit)
    return facet


def test_values_are_counted_once_a_product_the_most_frequent_first() -> None:
    facet = counted("colour", ["white"], ["red", "blue", "blue"], ["red"], None)
    assert (facet.field, facet.type, facet.candidates, facet.missing) == ("colour", FieldType.KEYWORD, 4, 1)
    assert facet.values == (
        FacetValue(value="red", count=2),
        FacetValue(value="blue", count=1),
        FacetValue(value="white", count=1),
    )


def test_a_list_that_is_cut_says_how_many_values_there_are() -> None:
    facet = counted("colour", ["red"], ["blue"], ["red"], limit=1)
    assert ([one.value for one in facet.values], facet.distinct) == (["red"], 2)


def test_guessed_values_are_marked() -> None:
    payloads = [{"colour": ["red"]}, {"colour": ["red"], "guessed": ["colour"]}, {"colour": ["blue"], "guessed": ["x"]}]
    (facet,) = count_facets(payloads, ["colour"], FIELDS)
    assert facet.values == (FacetValue(value="red", count=2, guessed=1), FacetValue(value="blue", count=1))


@pytest.mark.parametrize(
    ("levels", "paths"),
    [
        (["men"], {"men"}),
        (["men", "men/tops", "tops"], {"men", "men/tops"}),
        (["men", "men/t-shirts/tops", "t-shirts/tops"], {"men", "men/t-shirts/tops"}),
        (["a", "a/b", "a/b/a", "b"], {"a", "a/b", "a/b/a"}),
    ],
)
def test_categories_are_counted_as_paths_from_the_root(levels: list[str], paths: set[str]) -> None:
    assert {one.value for one in counted("category", levels).values} == paths


def test_flags_are_counted_both_ways() -> None:
    facet = counted("in_stock", True, False, True)
    assert facet.values == (FacetValue(value=True, count=2), FacetValue(value=False, count=1))


def ranges(facet: Facet) -> list[tuple[float | date | None, float | date | None, int]]:
    return [(one.low, one.high, one.count) for one in facet.ranges]


def test_numbers_are_cut_at_round_bounds_into_about_equal_parts() -> None:
    facet = counted("price", *(float(number) for number in range(1, 101)))
    assert (facet.min, facet.max, facet.missing) == (1.0, 100.0, 0)
    assert ranges(facet) == [(None, 20, 19), (20, 40, 20), (40, 60, 20), (60, 80, 20), (80, None, 21)]


@pytest.mark.parametrize(
    ("prices", "cut"),
    [
        ([4.9, 19.5, 52.0, 187.0, 990.0], [(None, 20, 2), (20, 200, 2), (200, None, 1)]),
        ([101.0, 103.0, 105.0, 107.0], [(None, 103, 1), (103, 105, 1), (105, 107, 1), (107, None, 1)]),
        ([9.99, 14.99, 19.99, 24.99, 29.99], [(None, 15, 2), (15, 20, 1), (20, 25, 1), (25, None, 1)]),
        ([5.0, 5.0, 5.0], [(None, None, 3)]),
        ([5.0, 9.0], [(None, 9, 1), (9, None, 1)]),
    ],
)
def test_bounds_are_as_round_as_keeps_them_apart(
    prices: list[float], cut: list[tuple[float | None, float | None, int]]
) -> None:
    assert ranges(counted("price", *prices)) == cut


@given(st.lists(st.floats(-1e6, 1e6) | st.integers(0, 5).map(float), min_size=1, max_size=40))
def test_ranges_hold_every_product_once_and_none_is_empty(prices: list[float]) -> None:
    facet = counted("price", *prices)
    bounds = [one.low for one in facet.ranges if isinstance(one.low, float)]
    between = pairwise([-math.inf, *bounds, math.inf])
    assert [one.count for one in facet.ranges] == [
        sum(low <= price < high for price in prices) for low, high in between
    ]
    assert sum(one.count for one in facet.ranges) == len(prices)
    assert all(one.count for one in facet.ranges)
    assert [one.low for one in facet.ranges[1:]] == [one.high for one in facet.ranges[:-1]]


def days(text: str) -> float:
    return float((date.fromisoformat(text) - date(1970, 1, 1)).days)


def test_dates_are_cut_at_years_months_or_days() -> None:
    facet = counted("added", *(days(f"20{year}-06-15") for year in range(10, 25)))
    assert (facet.min, facet.max) == (date(2010, 6, 15), date(2024, 6, 15))
    assert {one.low for one in facet.ranges[1:]} == {date(year, 1, 1) for year in (2013, 2016, 2019, 2022)}
    assert {one.low for one in counted("added", *map(days, ["2024-05-07", "2024-05-09"])).ranges} == {
        None,
        date(2024, 5, 9),
    }


def test_a_field_that_no_candidate_has_is_said_to_be_missing() -> None:
    for name in FIELDS:
        facet = counted(name, None, None)
        assert (facet.candidates, facet.missing, facet.values, facet.ranges, facet.min) == (2, 2, (), (), None)


def test_facets_come_once_and_in_the_order_asked_for() -> None:
    facets = count_facets([], ["price", " Color", "colour", "price"], FIELDS)
    assert [one.field for one in facets] == ["price", "colour"]


def test_an_unknown_field_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadFilter, match=r"^facets: no field 'colours'; allowed are added, category, .*mean colour\?$"):
        count_facets([], ["colours"], FIELDS)


def test_a_facet_survives_json() -> None:
    for facet in (counted("added", 0.0, 400.0), counted("price", 1.0, 2.0), counted("in_stock", True)):
        assert Facet.model_validate_json(facet.model_dump_json()) == facet


def manifest(fields: dict[str, FieldType], vocabulary: dict[str, list[str]]) -> BuildManifest:
    return BuildManifest(
        build="b",
        catalog="shop",
        generation=1,
        created=datetime(2026, 1, 1, tzinfo=UTC),
        encoder=EncoderIdentity(name="fake", fingerprint="f", dim=2),
        precision="fp32",
        language="english",
        products=1,
        images=1,
        rejected=0,
        points=1,
        fields=fields,
        vocabulary=vocabulary,
        spreads={},
        fill={},
        libraries={},
    )


KEYWORD = FieldType.KEYWORD
FIXED = {
    "brand": KEYWORD,
    "category": KEYWORD,
    "parent": KEYWORD,
    "palette": KEYWORD,
    "guessed": KEYWORD,
    "in_stock": FieldType.FLAG,
    "price": FieldType.NUMBER,
}


def test_by_default_what_shoppers_filter_by_is_counted_and_what_the_catalogue_has_few_words_for() -> None:
    fields = {**FIXED, "material": KEYWORD, "serial": KEYWORD, "new": KEYWORD, "colour": KEYWORD, "pattern": KEYWORD}
    vocabulary = {
        "material": ["wood", "glass"],
        "serial": [str(n) for n in range(99)],
        "new": ["yes"],
        "pattern": ["a", "b"],
    }
    first = ("colour", "category", "brand", "price", "in_stock")
    assert default_facets(manifest(fields, vocabulary)) == (*first, "material", "pattern")


def test_the_photos_speak_for_the_colour_where_the_shop_does_not() -> None:
    assert default_facets(manifest(FIXED, {}))[0] == "palette"
