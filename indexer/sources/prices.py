"""Prices and currencies as shops write them."""

import re
from decimal import ROUND_HALF_UP, Decimal

from indexer.sources.rows import BadValueError
from indexer.sources.text import clean_line

MAX_PRICE = Decimal("9999999999.99")
"""What the catalogue can hold."""

_CENT = Decimal("0.01")
_CODE_LIST = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF "
    "CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG "
    "HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA "
    "MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD "
    "RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX "
    "USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG"
)
_CODES = frozenset(_CODE_LIST.split())
"""ISO 4217, active codes."""
_SYMBOLS = {
    "$": "USD",
    "US$": "USD",
    "€": "EUR",
    "£": "GBP",
    "¥": "JPY",
    "元": "CNY",
    "₹": "INR",
    "RS": "INR",
    "RS.": "INR",
    "₩": "KRW",
    "₽": "RUB",
    "₺": "TRY",
    "₪": "ILS",
    "ZŁ": "PLN",
    "KČ": "CZK",
    "FR.": "CHF",
    "SFR.": "CHF",
    "C$": "CAD",
    "CA$": "CAD",
    "A$": "AUD",
    "AU$": "AUD",
    "NZ$": "NZD",
    "HK$": "HKD",
    "S$": "SGD",
    "R$": "BRL",
    "MX$": "MXN",
}
_THREE_PLACES = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
_PRICE = re.compile(
    r"(?P<before>(?:[^\d\s.,+\-][^\d,+\-]*)?)\s*"
    r"(?P<number>(?:\d[\d.,'’ ]*)?[.,]?\d)\s*"
    r"(?:[.,][-–—]+)?\s*"
    r"(?P<after>[^\d+\-]*)"
)
_PLAIN = re.compile(r"(\d*)(?:([.,])(\d+))?")
_GROUPED = re.compile(r"\d{1,3}(?:(?P<mark>[.,' ])\d{3})(?:(?P=mark)\d{3})*(?:(?!(?P=mark))[.,]\d+)?")
_INDIAN = re.compile(r"\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d+)?")


def parse_price(value: str | int | float | Decimal) -> tuple[Decimal, str | None]:
    """The amount, rounded to cents, and the ISO 4217 code when the text names a currency.

    A comma before exactly three digits groups thousands. A point does so only beside a currency with two
    decimal places (`€1.299`); alone (`1.299`) it is a decimal point, as programs write it.
    Raises BadValueError for anything that is not one amount between 0 and MAX_PRICE.
    """
    if isinstance(value, str):
        amount, currency = _from_text(clean_line(value))
    else:
        amount, currency = Decimal(str(value)), None
    if not amount.is_finite() or amount < 0:
        raise BadValueError(f"price {str(value)[:40]!r} is not an amount of 0 or more")
    if amount > MAX_PRICE:
        raise BadValueError(f"price {str(value)[:40]!r} is above {MAX_PRICE}")
    return amount.quantize(_CENT, ROUND_HALF_UP), currency


def parse_currency(text: str) -> str:
    """The ISO 4217 code of a code or symbol. Raises BadValueError."""
    word = clean_line(text).upper()
    code = word if word in _CODES else _SYMBOLS.get(word)
    if code is None:
        raise BadValueError(f"currency {text[:40]!r} is not known")
    return code


def _from_text(text: str) -> tuple[Decimal, str | None]:
    found = _PRICE.fullmatch(text) if len(text) <= 64 else None
    if found is None:
        raise _unreadable(text)
    words = [word for word in (found["after"].strip(), found["before"].strip()) if word]
    codes = [parse_currency(word) for word in words]
    return _amount(found["number"].replace("’", "'"), codes, text), codes[0] if codes else None


def _amount(number: str, codes: list[str], text: str) -> Decimal:
    plain = _PLAIN.fullmatch(number)
    if plain is not None and not _groups(plain, codes):
        return Decimal(f"{plain[1] or '0'}.{plain[3] or '0'}")
    grouped = _GROUPED.fullmatch(number)
    if grouped is not None:
        return Decimal(number.replace(grouped["mark"], "").replace(",", "."))
    if _INDIAN.fullmatch(number):
        return Decimal(number.replace(",", ""))
    raise _unreadable(text)


def _groups(plain: re.Match[str], codes: list[str]) -> bool:
    """Whether the only separator groups thousands."""
    whole, mark, fraction = plain.groups()
    if mark is None or len(fraction) != 3 or not 1 <= len(whole) <= 3 or whole.startswith("0"):
        return False
    return mark == "," or bool(codes and codes[0] not in _THREE_PLACES)


def _unreadable(text: str) -> BadValueError:
    return BadValueError(f"price {text[:40]!r} is not an amount")
