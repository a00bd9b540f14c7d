"""What a shopper wants to pay, read out of the words: "under 50", "€10-20", "from 10 to 20", "max 40"."""

import re
from collections.abc import Iterator
from typing import Final

from indexer.builds.words import Words
from indexer.domain import AllOf, Condition, Op
from service.search.understanding.chips import Chip
from service.search.understanding.cuts import Cut

PRICE: Final = "price"

_CURRENCY = r"(?:[€$£¥]|\b(?:eur|euros?|usd|dollars?|gbp|pounds?|chf|francs?|bucks|quid)\b)"
_NUMBER = r"\d{1,3}(?:[.,']\d{3})+(?:[.,]\d{1,2})?|\d{1,7}(?:[.,]\d{1,2})?"
_UNIT = (
    r"(?!['.,]?\w|-[^\W\d])(?!\s*(?:%|°|''|\"|(?:[mck]?m|[mk]?g|[mc]?l|lbs?|oz|lit(?:re|er)s?|inch(?:es)?|ft|feet|foot|w|watts?|"
    r"v|volts?|years?|yrs?|months?|days?|hours?|minutes?|people|persons?|pieces|pcs|packs?|degrees|mph|x)\b))"
)
"""Behind a number it says that no price is meant."""
_BEFORE = r"(?:\b(?:for|at|priced?|costs?|costing|budget|with|and|but|that|is|of|a|,)\s+){0,4}"


def _amount(name: str) -> str:
    return rf"(?:(?P<{name}_paid>{_CURRENCY})\s*)?(?P<{name}>{_NUMBER})(?:\s*(?P<{name}_in>{_CURRENCY})|{_UNIT})"


_RANGE = re.compile(
    rf"{_BEFORE}(?P<cue>\b(?:between|from)\s+)?{_amount('low')}\s*(?:\b(?:and|to|until)\b|[-–])\s*{_amount('high')}",
    re.IGNORECASE,
)
_LIMITS: Final = {
    Op.LT: r"under|below|(?:less|cheaper|lower)\s+than|<(?!=)",
    Op.LE: r"(?:no|not)\s+(?:more|higher)\s+than|not\s+over|at\s+most|up\s+to|max(?:imum)?\.?(?:\s+of)?|<=",
    Op.GE: r"(?:no|not)\s+(?:less|lower|cheaper)\s+than|at\s+least|min(?:imum)?\.?(?:\s+of)?|starting\s+(?:at|from)|>=",
    Op.GT: r"over|above|more\s+than|>(?!=)",
}
_CUE = "|".join(rf"(?P<{op.name}>{cues})" for op, cues in _LIMITS.items())
_LIMIT = re.compile(rf"{_BEFORE}(?<!\w)(?:{_CUE})\s*{_amount('paid')}(?!\s*[-–]\s*\d)", re.IGNORECASE)
_NAMED = re.compile(r"(?<!\w)(?:max|min)\b", re.IGNORECASE)
_SAID: Final = {Op.LT: "under {}", Op.LE: "at most {}", Op.GE: "at least {}", Op.GT: "over {}"}


def read_prices(text: str, words: Words) -> Iterator[Cut]:
    """Ranges, then limits. "max" and "min" are read only where no product is named so, or a currency is."""
    yield from (cut for found in _RANGE.finditer(text) if (cut := _range(found)) is not None)
    for found in _LIMIT.finditer(text):
        cue = _NAMED.search(found.group())
        paid = found["paid_paid"] or found["paid_in"]
        price = _number(found["paid"])
        if price > 0 and (paid or cue is None or not words.count(cue.group().casefold())):
            op = next(op for op in _LIMITS if found[op.name])
            yield _limit(found, op, price)


def _range(found: re.Match[str]) -> Cut | None:
    """Without a "between" or "from" two numbers are prices only when a currency says so."""
    paid = found["low_paid"] or found["low_in"] or found["high_paid"] or found["high_in"]
    low, high = sorted((_number(found["low"]), _number(found["high"])))
    if not (found["cue"] or paid) or high <= 0:
        return None
    said = f"{_plain(low)}..{_plain(high)}"
    chip = Chip(
        id=f"{PRICE}:{said}",
        kind="filter",
        text=found.group().strip(" ,"),
        label=f"Price: {_plain(low)} to {_plain(high)}",
        field=PRICE,
        value=said,
        where=f"{PRICE}={said}",
    )
    where = AllOf((Condition(PRICE, Op.GE, low), Condition(PRICE, Op.LE, high)))
    return Cut(found.start(), found.end(), chip, where=where)


def _limit(found: re.Match[str], op: Op, price: float) -> Cut:
    said = f"{op}{_plain(price)}"
    chip = Chip(
        id=f"{PRICE}:{said}",
        kind="filter",
        text=found.group().strip(" ,"),
        label=f"Price: {_SAID[op].format(_plain(price))}",
        field=PRICE,
        value=said,
        where=f"{PRICE}{said}",
    )
    return Cut(found.start(), found.end(), chip, where=Condition(PRICE, op, price))


def _number(text: str) -> float:
    """`1,000`, `1.000`, `1'000.50` and `19,90` as people write them: what has three digits behind it groups."""
    whole, mark, cents = re.fullmatch(r"(.*?)(?:([.,])(\d{1,2}))?", text).groups()  # type: ignore[union-attr]
    digits = re.sub(r"\D", "", whole)
    return float(f"{digits}.{cents}" if mark else digits)


def _plain(price: float) -> str:
    return f"{price:.0f}" if price.is_integer() else f"{price:.2f}"
