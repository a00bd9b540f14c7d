"""Prices beside what the thing that one starts from costs."""

from decimal import Decimal

import pytest

from service.search.understanding.comparisons import compares, with_limit


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("cheaper", "under 41.00"),
        ("but cheaper and blue", "but under 41.00 and blue"),
        ("blue, but a bit cheaper than this one", "blue, but under 41.00"),
        ("Less Expensive", "under 41.00"),
        ("but more expensive", "but over 41.00"),
        ("much pricier than that, in green", "over 41.00, in green"),
    ],
)
def test_cheaper_is_a_limit_beside_the_price(text: str, meant: str) -> None:
    assert compares(text)
    assert with_limit(text, Decimal("41.00")) == meant


@pytest.mark.parametrize("text", ["cheaper than 20", "less expensive than €20", "blue", "a cheap one", ""])
def test_a_limit_that_is_said_stays(text: str) -> None:
    assert not compares(text)
    assert with_limit(text, Decimal("41.00")) == text


def test_without_a_price_the_rest_is_left() -> None:
    assert with_limit("but cheaper and blue", None) == "but and blue"
    assert with_limit("cheaper", None) == ""
