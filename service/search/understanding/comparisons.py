"""What a shopper wants to pay beside what something costs: "cheaper", "less expensive", "pricier"."""

import re
from decimal import Decimal
from typing import Final

_MUCH = r"(?:(?:a\s+(?:bit|little)|much|far|somewhat|slightly|even)\s+)?"
_LESS: Final = re.compile(rf"\b{_MUCH}(?:cheaper|less\s+expensive|less\s+pricey)\b(?!\s+than\s+\S*\d)", re.IGNORECASE)
_MORE: Final = re.compile(rf"\b{_MUCH}(?:pricier|dearer|more\s+expensive)\b(?!\s+than\s+\S*\d)", re.IGNORECASE)
_THAN: Final = re.compile(r"\s+than\s+(?:this|that|it)(?:\s+one)?\b", re.IGNORECASE)


def compares(text: str) -> bool:
    return bool(_LESS.search(text) or _MORE.search(text))


def with_limit(text: str, price: Decimal | None) -> str:
    """With the limit that is meant beside `price`: "but under 41.00"; None: without the comparison."""
    if not compares(text):
        return text
    less, more = ("", "") if price is None else (f"under {price:f}", f"over {price:f}")
    return " ".join(_MORE.sub(more, _LESS.sub(less, _THAN.sub("", text))).split())
