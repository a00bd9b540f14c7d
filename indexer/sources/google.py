"""What Google Merchant Center's attributes mean here, whether a feed is XML or a table.

https://support.google.com/merchants/answer/7052112. One item is one product, its `item_group_id` the parent. A sale
price that holds today is the price, the regular one an attribute. What serves only advertising, shipping or the
shop's own accounts (`cost_of_goods_sold`, `custom_label_0`, …) is left out.
"""

import csv
import re
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime

from indexer.sources.cells import text_of
from indexer.sources.columns import attribute_name
from indexer.sources.delimited import Delimited
from indexer.sources.prices import parse_price
from indexer.sources.rows import BadValueError, BrokenRow, RawRow

_REQUIRED = frozenset({"id", "title", "link", "image_link"})
"""Columns by which a table is known as such a feed."""
_LEFT_OUT = re.compile(
    r"ads_.*|adwords_.*|auto_pricing_.*|availability_date|carrier_shipping|certification|cost_of_goods_sold|"
    r"custom_label_\d|disclosure_date|display_ads_.*|excluded_.*|expiration_date|external_seller_id|"
    r"free_shipping_threshold|identifier_exists|included_.*|installment|link_template|loyalty_.*|m(?:ax|in)_handling_time|"
    r"maximum_retail_price|mobile_link.*|pause|pickup_.*|promotion_id|return_.*|sale_price.*|sell_on_.*|shipping.*|"
    r"ships_from_country|short_title|structured_.*|subscription_cost|tax.*|transit_time_label|virtual_model_link|"
    r"author|comments|contributor|enclosure|generator|guid|pubdate|published|rights|source|updated|summary|content"
)
"""Attributes, and elements of RSS and Atom, that say nothing about the product."""
_SLASHED = ("color", "material")
"""Attributes whose slashes separate values."""


def is_feed(columns: Collection[str]) -> bool:
    """Whether a table with these columns is a product feed."""
    return {attribute_of(column) for column in columns} >= _REQUIRED


def attribute_of(column: str) -> str:
    """Google's name of a column: `g:image link` is `image_link`, `shipping(country:price)` is `shipping`."""
    plain = column.partition("(")[0].strip().lower().removeprefix("g:")
    return re.sub(r"[\W_]+", "_", plain).strip("_")


class FeedTable:
    """A feed as a table of tab or comma separated values."""

    def __init__(self, table: Delimited, keep: Collection[str] = ()) -> None:
        """`keep` are columns that stay whatever they hold."""
        self._table = table
        self._keep = frozenset(keep)
        self.columns = kept_attributes([self._name(column) for column in table.columns], self._keep)

    def rows(self) -> Iterator[RawRow | BrokenRow]:
        for row in self._table.rows():
            if isinstance(row, BrokenRow):
                yield row
            else:
                named = {self._name(column): value for column, value in row.cells.items()}
                yield feed_row(row.line, {name: _parted(name, value) for name, value in named.items()}, self._keep)

    def _name(self, column: str) -> str:
        return column if column in self._keep else attribute_of(column)


def kept_attributes(names: Collection[str], keep: Collection[str]) -> list[str]:
    """The distinct columns of a feed's rows."""
    kept = [name for name in names if name in keep or (name != "product_detail" and not _LEFT_OUT.fullmatch(name))]
    made = {"regular_price": "sale_price", "attributes": "product_detail", "title": "structured_title"}
    return list(dict.fromkeys([*kept, *(name for name, source in made.items() if source in names)]))


def feed_row(line: int, cells: Mapping[str, object], keep: Collection[str] = ()) -> RawRow | BrokenRow:
    """From an item's attributes: a text, a list of texts or of nested ones."""
    try:
        kept = {name: cells[name] for name in kept_attributes(cells, keep) if name in cells}
        for name in _SLASHED:
            if name in kept:
                kept[name] = [part for text in _listed(kept[name]) for part in text_of(text).split("/")]
        return RawRow(line, {**kept, **_texts(cells), **_details(cells), **_prices(cells)})
    except BadValueError as error:
        return BrokenRow(line, str(error))


def _texts(cells: Mapping[str, object]) -> dict[str, object]:
    """Title and description, also where only generated, or Atom's, ones are given."""
    sources = {"title": ("structured_title",), "description": ("structured_description", "summary", "content")}
    found = {name: next((cells[one] for one in others if cells.get(one)), None) for name, others in sources.items()}
    return {name: _content(value) for name, value in found.items() if value and not cells.get(name)}


def _content(value: object) -> object:
    """Of a nested text, also one written as `origin:content`."""
    first = _listed(value)[0]
    if isinstance(first, Mapping):
        return first.get("content")
    return re.sub(r"^(?:default|trained_algorithmic_media):", "", text_of(first)).strip('"')


def _details(cells: Mapping[str, object]) -> dict[str, object]:
    """Each product detail as an attribute of its own."""
    found: dict[str, list[object]] = {}
    for detail in _listed(cells.get("product_detail")):
        if isinstance(detail, Mapping):
            name, value = text_of(detail.get("attribute_name")), detail.get("attribute_value")
        else:
            _, name, value = (*text_of(detail).split(":", 2), "", "")[:3]
        if attribute_name(name):
            found.setdefault(attribute_name(name), []).append(value)
    return {"attributes": found} if found else {}


def _prices(cells: Mapping[str, object]) -> dict[str, object]:
    regular, sale = text_of(_first(cells.get("price"))), text_of(_first(cells.get("sale_price")))
    if not sale or not _holds(text_of(_first(cells.get("sale_price_effective_date")))):
        return {}
    if not regular:
        return {"price": sale}
    amounts = parse_price(regular), parse_price(sale)
    if amounts[1][0] >= amounts[0][0] or amounts[1][1] not in (None, amounts[0][1]):
        return {}
    return {"price": sale, "regular_price": regular}


def _holds(dates: str) -> bool:
    """Whether now is within `start/end` of ISO 8601, always without; never in what cannot be read as that."""
    if not dates:
        return True
    try:
        start, end = (datetime.fromisoformat(text.strip()) for text in dates.split("/"))
    except ValueError:
        return False
    now = datetime.now(UTC)
    return _aware(start) <= now <= _aware(end)


def _aware(time: datetime) -> datetime:
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


def _parted(name: str, value: object) -> object:
    """The values that a table's cell holds between commas, quoted where they contain some."""
    if not isinstance(value, str) or name not in ("product_highlight", "product_detail", "product_type"):
        return value
    if name == "product_type" and '"' not in value:
        return re.split(r",(?=\S)", value)
    try:
        return next(csv.reader([value.replace("\n", " ")], skipinitialspace=True, strict=True), [])
    except csv.Error:
        return value


def _listed(value: object) -> list[object]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _first(value: object) -> object:
    return next(iter(_listed(value)), None)
