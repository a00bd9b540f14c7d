"""Sizes, read out of the words where the catalogue has them: "size 42", "in XL", "UK 8"."""

import re
from collections.abc import Iterator
from typing import Final

from indexer.domain import Condition, FieldType, Op
from service.search.understanding.chips import Chip, any_of, chip_id, written
from service.search.understanding.cuts import Cut
from service.search.understanding.vocabulary import Vocabulary, size_fields

_LETTERS: Final = "xxs|xs|s|m|l|xl|xxl|xxxl|[2-6]xl"
_SPELT: Final = {
    "small": "s",
    "medium": "m",
    "large": "l",
    "x-large": "xl",
    "2xl": "xxl",
    "xxl": "2xl",
    "3xl": "xxxl",
    "xxxl": "3xl",
}
"""Other spellings of the same size."""
_SCALED = re.compile(r"(?:us|uk|eu)\s*(\d{1,2}(?:[.,]5)?)", re.IGNORECASE)
_SAID = re.compile(
    r"(?<![\w-])(?:(?:in\s+)?sizes?\s*:?\s*(?P<told>(?:(?:us|uk|eu)\s*)?\w+(?:[.,/-]\w+)?)"
    rf"|(?:in\s+)?(?P<scaled>{_SCALED.pattern})|in\s+(?P<letters>{_LETTERS})|(?P<bare>xxs|xs|xl|xxl|xxxl|[2-6]xl))"
    r"(?![\w-])",
    re.IGNORECASE,
)


def read_sizes(text: str, vocabulary: Vocabulary) -> Iterator[Cut]:
    """Only sizes that the catalogue has: one that it has not is left to the words."""
    fields = list(size_fields(vocabulary))
    for found in _SAID.finditer(text) if fields else ():
        size = found["told"] or found["scaled"] or found["letters"] or found["bare"]
        scaled = _SCALED.fullmatch(size)
        spoken = [size] if scaled is None else [size, scaled.group(1)]
        conditions = tuple(
            condition for field in fields for one in spoken for condition in _conditions(field, one, vocabulary)
        )
        if conditions:
            yield _cut(found, conditions)


def _cut(found: re.Match[str], conditions: tuple[Condition, ...]) -> Cut:
    value = str(conditions[0].value)
    chip = Chip(
        id=chip_id("size", value),
        kind="filter",
        text=found.group().strip(),
        label=f"Size: {value.upper() if value.isalpha() else value}",
        field=conditions[0].field,
        value=value,
        where=written(conditions),
    )
    return Cut(found.start(), found.end(), chip, where=any_of(conditions))


def _conditions(field: str, size: str, vocabulary: Vocabulary) -> Iterator[Condition]:
    said = " ".join(size.casefold().replace(",", ".").split())
    if vocabulary.fields[field] is FieldType.NUMBER:
        if re.fullmatch(r"\d{1,4}(?:\.\d)?", said):
            yield Condition(field, Op.EQ, float(said))
        return
    known = vocabulary.values.get(field, ())
    for spelling in dict.fromkeys((said, _SPELT.get(said, said))):
        if spelling in known:
            yield Condition(field, Op.EQ, spelling)
