"""What of a product is read: by the text encoder, by the lexical channel, and by filters."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from indexer.domain import AttributeValue, Availability, FieldType, PayloadValue, Product

TEXT_VERSION = "1"
"""Part of the key of cached text embeddings; changes with `describe`."""

LEADING_ATTRIBUTES = ("colour", "pattern", "material")
"""Put right after the title, where a short context length cannot cut them."""

FIXED_FIELDS = {
    "brand": FieldType.KEYWORD,
    "category": FieldType.KEYWORD,
    "parent": FieldType.KEYWORD,
    "palette": FieldType.KEYWORD,
    "availability": FieldType.KEYWORD,
    "in_stock": FieldType.FLAG,
    "has_image": FieldType.FLAG,
    "guessed": FieldType.KEYWORD,
    "price": FieldType.NUMBER,
}
"""What every catalogue can be filtered by; an attribute of such a name is read by the words only."""
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,9})?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]|$)", re.ASCII)
_EPOCH = date(1970, 1, 1).toordinal()
MAX_FIELDS = 64
MAX_VALUE = 64
"""Characters; longer attribute values are prose, not facets."""
MAX_VOCABULARY = 200
"""Distinct values; a field with more (ids, sizes in millimetres …) has no vocabulary."""


def describe(product: Product) -> str:
    """One paragraph for the text encoder: what it is first, the shop's prose last."""
    leading = [value for name in LEADING_ATTRIBUTES for value in values_of(product.attributes.get(name, ()))]
    parts = [product.title, *leading, product.category[-1] if product.category else "", product.brand or ""]
    head = ", ".join(dict.fromkeys(part for part in parts if part))
    return f"{head}. {product.description}" if product.description else head


def words(product: Product) -> str:
    """Everything a shopper may type to find the product by its words, its SKU included."""
    attributes = [value for values in product.attributes.values() for value in values_of(values)]
    parts = [product.id, product.title, product.brand or "", *product.category, *attributes, product.description]
    return " ".join(part for part in parts if part)


def values_of(value: AttributeValue) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def payload(product: Product, fields: Mapping[str, FieldType], *, pictured: bool) -> dict[str, PayloadValue]:
    """The filterable values of a product; keywords are casefolded, dates are days since 1970-01-01.

    `pictured`: whether it has a photo that can be searched. A value that is not of its field's type is left out.
    """
    built: dict[str, PayloadValue] = {
        "has_image": pictured,
        "category": _paths(product.category),
        "availability": product.availability.value,
    }
    if product.availability is not Availability.UNKNOWN:
        built["in_stock"] = product.availability is Availability.IN_STOCK
    if product.parent:
        built["parent"] = product.parent.casefold()
    if product.brand:
        built["brand"] = product.brand.casefold()
    if product.price is not None:
        built["price"] = float(product.price)
    for name, value in product.attributes.items():
        if name in fields and name not in FIXED_FIELDS:
            read = _read(value, fields[name])
            if read is not None:
                built[name] = read
    return {name: value for name, value in built.items() if value != []}


def _read(value: AttributeValue, kind: FieldType) -> PayloadValue | None:
    if kind is FieldType.KEYWORD:
        return [one.casefold() for one in values_of(value) if len(one) <= MAX_VALUE]
    text = value if isinstance(value, str) else ""
    if kind is FieldType.NUMBER:
        return float(text) if _NUMBER.fullmatch(text) else None
    day = _day_of(text)
    return None if day is None else float(day.toordinal() - _EPOCH)


def _type_of(value: AttributeValue) -> FieldType:
    """What the value alone speaks for. Digits after leading zeros, or more than floats keep, are codes."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return FieldType.NUMBER
    return FieldType.DATE if isinstance(value, str) and _day_of(value) else FieldType.KEYWORD


def _day_of(text: str) -> date | None:
    """Of an ISO 8601 date, whose time of day is left out."""
    if not _DATE.match(text):
        return None
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        return None


def _paths(category: tuple[str, ...]) -> list[str]:
    """Each level alone and as a path, so that both `tops` and `men/tops` match."""
    levels = [level.casefold() for level in category]
    paths = ["/".join(levels[: depth + 1]) for depth in range(len(levels))]
    return list(dict.fromkeys([*paths, *levels]))


@dataclass
class FieldCensus:
    """Counts, over one pass of a catalogue, which fields it can be filtered by and with which values.

    An attribute is a number or a date where every product that has it gives just one of that type, else keywords.
    """

    _products: Counter[str] = field(default_factory=Counter)
    _types: dict[str, FieldType] = field(default_factory=dict)
    _values: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, product: Product) -> None:
        for name, value in product.attributes.items():
            short = [one for one in values_of(value) if len(one) <= MAX_VALUE]
            if short and name not in FIXED_FIELDS:
                self._products[name] += 1
                self._count(name, short)
                kind = self._types.get(name)
                if kind is not FieldType.KEYWORD:
                    found = _type_of(value)
                    self._types[name] = found if kind in (None, found) else FieldType.KEYWORD
        self._count("category", product.category)
        self._count("brand", [product.brand] if product.brand else [])

    def _count(self, name: str, values: Iterable[str]) -> None:
        counter = self._values.setdefault(name, Counter())
        if len(counter) <= MAX_VOCABULARY:
            counter.update(value.casefold() for value in values)

    def fields(self) -> dict[str, FieldType]:
        return {**FIXED_FIELDS, **{name: self._types[name] for name, _ in self._products.most_common(MAX_FIELDS)}}

    def vocabulary(self) -> dict[str, list[str]]:
        """Filterable keyword field → its values, most frequent first."""
        fields = self.fields()
        small = {
            name: counter
            for name, counter in self._values.items()
            if fields.get(name) is FieldType.KEYWORD and 0 < len(counter) <= MAX_VOCABULARY
        }
        return {name: [value for value, _ in counter.most_common()] for name, counter in small.items()}
