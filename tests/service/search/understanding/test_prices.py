"""What a shopper wants to pay becomes a filter and leaves the words."""

import pytest

from indexer.builds.words import Words
from indexer.domain import AllOf, Condition, FieldType, Op, Where
from service.search.understanding import understand
from service.search.where import parse_where
from tests.service.search.understanding.shop import FIELDS, SHOP, VOCABULARY, WORDS, chips, manifest, understood


def price(op: Op, value: float) -> Condition:
    return Condition("price", op, value)


def between(low: float, high: float) -> AllOf:
    return AllOf((price(Op.GE, low), price(Op.LE, high)))


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("mug under 50", price(Op.LT, 50)),
        ("mug below €20", price(Op.LT, 20)),
        ("mug cheaper than 30 euros", price(Op.LT, 30)),
        ("mug for less than $19.90", price(Op.LT, 19.9)),
        ("mug, under 50", price(Op.LT, 50)),
        ("under 50 mug", price(Op.LT, 50)),
        ("mug <20", price(Op.LT, 20)),
        ("mug max 40", price(Op.LE, 40)),
        ("mug up to 1,000", price(Op.LE, 1000)),
        ("mug under 1.000", price(Op.LT, 1000)),
        ("mug under 1,000.50", price(Op.LT, 1000.5)),
        ("mug under 1.000,50", price(Op.LT, 1000.5)),
        ("mug at most 1'299,50 chf", price(Op.LE, 1299.5)),
        ("mug no more than 40", price(Op.LE, 40)),
        ("mug over 100", price(Op.GT, 100)),
        ("mug at least 20 pounds", price(Op.GE, 20)),
        ("mug not less than 20", price(Op.GE, 20)),
        ("mug between 10 and 20", between(10, 20)),
        ("mug from 10 to 20", between(10, 20)),
        ("mug between 20 and 10", between(10, 20)),
        ("mug €10-20", between(10, 20)),
        ("mug 10 - 20 eur", between(10, 20)),
    ],
)
def test_a_price_is_a_filter(text: str, where: Where) -> None:
    found = understood(text)
    assert (found.words, found.filters) == ("mug", (where,))
    assert parse_where([found.chips[0].where or ""], FIELDS) == where


@pytest.mark.parametrize(
    "text",
    [
        "mug under 50 cm",
        "mug under 50cm",
        "mug below 2 kg",
        "mug over 18 years",
        "mug under 10-inch",
        "mug 10-20",
        "mug under 10-20",
        "mug under 0",
        "mug under the bed",
        "mug 50",
        "underneath 50",
    ],
)
def test_not_every_number_is_a_price(text: str) -> None:
    found = understood(text)
    assert (found.words, found.filters) == (text, ())


def test_max_is_a_name_where_products_are_called_so() -> None:
    shoes = Words({"max": 12})
    assert understand("air max 90", SHOP, shoes).words == "air max 90"
    assert understand("air max 90 max 90 eur", SHOP, shoes).words == "air max 90"


def test_a_chip_says_what_was_read() -> None:
    found = understood("blue mug between 9.5 and 20")
    chip = found.chips[0]
    assert (chip.id, chip.kind, chip.text) == ("price:9.50..20", "filter", "between 9.5 and 20")
    assert (chip.field, chip.label, chip.where) == ("price", "Price: 9.50 to 20", "price=9.50..20")


def test_two_limits_are_two_filters() -> None:
    found = understood("mug over 10 under 20")
    assert found.filters == (price(Op.GT, 10), price(Op.LT, 20))
    assert list(chips(found))[:2] == ["price:>10", "price:<20"]


def test_limits_that_contradict_each_other_are_both_kept() -> None:
    found = understood("mug over 100 under 50")
    assert (found.words, found.filters) == ("mug", (price(Op.GT, 100), price(Op.LT, 50)))
    assert list(chips(found))[:2] == ["price:>100", "price:<50"]


def test_without_a_field_of_prices_the_words_stay() -> None:
    fields: dict[str, FieldType] = {name: kind for name, kind in FIELDS.items() if name != "price"}
    assert understand("mug under 50", manifest(VOCABULARY, fields), WORDS).words == "mug under 50"
