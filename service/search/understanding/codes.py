"""Article numbers among the words."""

import re
from collections.abc import Iterator
from typing import Final

from service.search.understanding.chips import Chip, chip_id

MOST: Final = 10
"""Codes of one query."""
_CHUNK = re.compile(r"(?<![\w.,/-])[^\W_][\w./-]{2,62}[^\W_](?![\w/-])")
_MEASURE = re.compile(r"\d+(?:[.,x/-]\d+)*-?(?:[^\W\d_]{1,9}(?:-[^\W_]+)*)?", re.IGNORECASE)
"""A number with its unit: 500ml, 3xl, 2-pack, 4-in-1, 10x15cm."""
_NUMBER_ALONE: Final = 6
"""Digits from which a bare number is one of an article."""


def read_codes(text: str) -> Iterator[tuple[int, int, Chip]]:
    """(start, end, chip) of what has letters and digits and is no measure, or is a long number."""
    found = [chunk for chunk in _CHUNK.finditer(text) if _is_code(chunk.group())]
    for chunk in found[:MOST]:
        code = chunk.group()
        chip = Chip(id=chip_id("code", code), kind="code", text=code, label=f"Article number {code}", value=code)
        yield chunk.start(), chunk.end(), chip


def _is_code(chunk: str) -> bool:
    if not any(letter.isdigit() for letter in chunk):
        return False
    if chunk.isdigit():
        return len(chunk) >= _NUMBER_ALONE
    return _MEASURE.fullmatch(chunk) is None
