"""Sizes that the catalogue has become a filter and leave the words."""

import pytest

from indexer.domain import AnyOf, Condition, FieldType, Op, Where
from service.search.understanding import understand
from service.search.where import parse_where
from tests.service.search.understanding.shop import FIELDS, VOCABULARY, WORDS, manifest, understood


def size(value: str | float, field: str = "size") -> Condition:
    return Condition(field, Op.EQ, value)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("socks size 42", size("42")),
        ("socks in size: 42", size("42")),
        ("socks in XL", size("xl")),
        ("XL socks", size("xl")),
        ("socks in m", size("m")),
        ("socks size small", size("s")),
        ("socks UK 8", size("uk 8")),
        ("socks size uk 8", size("uk 8")),
        ("socks EU 42", size("42")),
    ],
)
def test_a_size_is_a_filter(text: str, where: Where) -> None:
    found = understood(text)
    assert (found.words, found.filters) == ("socks", (where,))
    assert parse_where([found.chips[0].where or ""], FIELDS) == where


@pytest.mark.parametrize("text", ["socks size 43", "socks in xxl", "m socks", "42 socks", "socks in small", "size"])
def test_other_sizes_are_left_to_the_words(text: str) -> None:
    found = understood(text)
    assert (found.words, found.filters) == (text, ())


def test_any_field_of_sizes_that_has_it_counts() -> None:
    both = manifest({"size": ["42"], "shoe_size": ["42"]}, dict.fromkeys(("size", "shoe_size"), FieldType.KEYWORD))
    found = understand("boots size 42", both, WORDS)
    assert found.filters == (AnyOf((size("42"), size("42", "shoe_size"))),)


def test_a_field_of_numbers_is_compared_with_the_number() -> None:
    numbers = manifest(VOCABULARY, {**FIELDS, "size": FieldType.NUMBER})
    assert understand("boots size 42,5", numbers, WORDS).filters == (size(42.5),)


def test_without_such_a_field_the_words_stay() -> None:
    assert understand("boots size 42", manifest({}, {}), WORDS).words == "boots size 42"
