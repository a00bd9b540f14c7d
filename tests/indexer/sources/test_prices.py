from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.sources.prices import MAX_PRICE, parse_currency, parse_price
from indexer.sources.rows import BadValueError

AMOUNTS = st.decimals(min_value=0, max_value=MAX_PRICE, places=2)


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("12.99", "12.99", None),
        ("12,99", "12.99", None),
        ("12", "12.00", None),
        (".5", "0.50", None),
        ("0", "0.00", None),
        ("0,125", "0.13", None),
        ("12.99 USD", "12.99", "USD"),
        ("usd 12.99", "12.99", "USD"),
        ("€12,99", "12.99", "EUR"),
        ("12,99 €", "12.99", "EUR"),
        ("£1,299", "1299.00", "GBP"),
        ("US$ 5", "5.00", "USD"),
        ("Rs. 500", "500.00", "INR"),
        ("$5 USD", "5.00", "USD"),
        ("1,299.00", "1299.00", None),
        ("1.299,00", "1299.00", None),
        ("1 299,00 zł", "1299.00", "PLN"),
        ("1\u202f299,00\u00a0€", "1299.00", "EUR"),
        ("1'299.50 CHF", "1299.50", "CHF"),
        ("1’299.50 CHF", "1299.50", "CHF"),
        ("1,234,567.89", "1234567.89", None),
        ("1,00,000.50", "100000.50", None),
        ("1,299", "1299.00", None),
        ("1.299", "1.30", None),
        ("€1.299", "1299.00", "EUR"),
        ("KWD 1.299", "1.30", "KWD"),
        ("12,-", "12.00", None),
        ("99.– CHF", "99.00", "CHF"),
        ("9999999999.99", "9999999999.99", None),
    ],
)
def test_prices_as_shops_write_them(text: str, amount: str, currency: str | None) -> None:
    price, found = parse_price(text)
    assert (str(price), found) == (amount, currency)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "free",
        "-5",
        "12.99-15.99",
        "from $12",
        "12 99",
        "1,2,3",
        "12.99 XXX",
        "1e3",
        "NaN",
        "inf",
        "1.2.3",
        "12.99 (sale)",
    ],
)
def test_what_is_not_one_amount_is_refused(text: str) -> None:
    with pytest.raises(BadValueError):
        parse_price(text)


@pytest.mark.parametrize("number", [-1, float("nan"), float("inf"), Decimal("-0.01"), Decimal(10**10), 1e300, 10**40])
def test_numbers_out_of_range_are_refused(number: float | Decimal) -> None:
    with pytest.raises(BadValueError):
        parse_price(number)


@settings(deadline=None)
@given(AMOUNTS)
def test_every_amount_is_read_back_in_english_continental_swiss_and_as_a_number(amount: Decimal) -> None:
    english = f"{amount:,.2f}"
    continental = english.translate(str.maketrans(",.", ".,"))
    swiss = english.replace(",", "'")
    for written in (english, continental, swiss, f"{amount:.2f}", f"{english} USD", f"{continental} €", amount):
        assert parse_price(written)[0] == amount


@settings(deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_an_amount_of_zero_or_more_or_refused(text: str) -> None:
    try:
        amount, _ = parse_price(text)
    except BadValueError:
        return
    assert 0 <= amount <= MAX_PRICE


@pytest.mark.parametrize(("text", "code"), [("eur", "EUR"), (" USD ", "USD"), ("€", "EUR"), ("kč", "CZK")])
def test_currencies_are_known_by_code_and_by_symbol(text: str, code: str) -> None:
    assert parse_currency(text) == code


def test_an_unknown_currency_is_refused() -> None:
    with pytest.raises(BadValueError, match="'doubloons'"):
        parse_currency("doubloons")
