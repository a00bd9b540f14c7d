"""A product export of Shopify: several rows of one handle make one product per colour.

The rule: sizes, and every option but the colour, are values of one product; colours are products of their own with
the handle as their parent, so that "this but blue" has something to lead to. A product's id is its handle, with a
colour `handle:colour`, also when there is only one colour yet. It shows the photos of its own variants, then those
that are no variant's; it costs what its cheapest variant costs. What is no active, published product is left out.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from indexer.sources.cells import text_of, texts_of
from indexer.sources.columns import Field, attribute_name, field_of, key_of
from indexer.sources.delimited import Delimited
from indexer.sources.prices import parse_price
from indexer.sources.rows import BadValueError, BrokenRow, RawRow
from indexer.sources.text import clean_line

_KEYS = {
    "handle": ("handle", "urlhandle"),
    "title": ("title",),
    "description": ("bodyhtml", "description"),
    "brand": ("vendor",),
    "category": ("productcategory", "standardizedproducttype"),
    "type": ("type", "customproducttype"),
    "tags": ("tags",),
    "published": ("published", "publishedononlinestore"),
    "status": ("status",),
    "sku": ("variantsku", "sku"),
    "barcode": ("variantbarcode", "barcode"),
    "price": ("variantprice", "price"),
    "compare": ("variantcompareatprice", "compareatprice"),
    "tracker": ("variantinventorytracker", "inventorytracker"),
    "quantity": ("variantinventoryqty", "inventoryquantity"),
    "policy": ("variantinventorypolicy", "continuesellingwhenoutofstock"),
    "image": ("imagesrc", "productimageurl"),
    "position": ("imageposition",),
    "variant_image": ("variantimage", "variantimageurl"),
    "gender": ("googleshoppinggender",),
    "age_group": ("googleshoppingagegroup",),
    "mpn": ("googleshoppingmpn", "googleshoppingmanufacturerpartnumbermpn"),
    **{
        f"option{number}{part}": (f"option{number}{part}",)
        for number in "123"
        for part in ("name", "value", "linkedto")
    },
}
"""Of each thing an export says, the keys of its column: of the older headers, then of the newer."""
_OF_PRODUCT = ("title", "description", "brand", "category", "type", "gender", "age_group", "mpn")
_COLUMNS = (
    "id",
    "parent",
    *_OF_PRODUCT,
    "tags",
    "colour",
    "price",
    "regular_price",
    "availability",
    "sku",
    "barcode",
    "images",
)
_METAFIELD = re.compile(r"(.+?)\s*\((?:product|variant)\.metafields\.[\w.-]+\)")
_MOST_ROWS = 5_000
"""Rows of one handle; Shopify allows 2,048 variants and 250 photos."""


def is_export(columns: Collection[str]) -> bool:
    """Whether a table with these columns is a product export."""
    keys = {key_of(column) for column in columns}
    return {"title", "option1value"} <= keys and all(keys & set(_KEYS[name]) for name in ("handle", "price"))


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    cells: dict[str, str]
    """By the names of `_KEYS`, and by its own of every other column."""

    def get(self, name: str) -> str:
        return self.cells.get(name, "")

    @property
    def is_variant(self) -> bool:
        return any(self.get(name) for name in ("option1value", "price", "sku"))


class ShopifyExport:
    def __init__(self, table: Delimited, keep: Collection[str] = ()) -> None:
        """`keep` are columns that products have under their own names, as their first row says."""
        self._table = table
        names = {key: name for name, keys in _KEYS.items() for key in keys}
        self._names = {column: names.get(key_of(column), column) for column in table.columns}
        self._metafields = {
            column: _named(found[1]) for column in table.columns if (found := _METAFIELD.fullmatch(column))
        }
        self._keep = [column for column in table.columns if column in keep and column not in _COLUMNS]
        self.columns = list(dict.fromkeys([*_COLUMNS, *self._metafields.values(), *self._keep]))

    def rows(self) -> Iterator[RawRow | BrokenRow]:
        group: list[_Row] = []
        for found in self._table.rows():
            row = found if isinstance(found, BrokenRow) else self._row(found)
            if isinstance(row, BrokenRow):
                yield row
                continue
            if group and row.get("handle") != group[0].get("handle"):
                yield from self._products(group)
                group = []
            if len(group) <= _MOST_ROWS:
                group.append(row)
        if group:
            yield from self._products(group)

    def _row(self, row: RawRow) -> _Row | BrokenRow:
        cells: dict[str, str] = {}
        for column, value in row.cells.items():
            try:
                text = next(iter(texts_of(value)), "") if isinstance(value, list) else text_of(value)
            except BadValueError as error:
                return BrokenRow(row.line, f"{column}: {error}")
            cells[self._names[column]] = cells.get(self._names[column]) or text
            cells.setdefault(column, text)
        return _Row(row.line, cells) if cells.get("handle") else BrokenRow(row.line, "no handle")

    def _products(self, group: Sequence[_Row]) -> Iterator[RawRow | BrokenRow]:
        first = next((row for row in group if row.get("title")), None)
        reason = _left_out(group, first)
        if reason or first is None:
            yield BrokenRow(group[0].line, reason or f"no title in any row of {group[0].get('handle')!r}")
            return
        variants = [row for row in group if row.is_variant] or [first]
        axis = _colour_axis(group)
        coloured: dict[str, list[_Row]] = {}
        for row in variants:
            coloured.setdefault(_slug(row.get(f"option{axis}value")) if axis else "", []).append(row)
        for slug, own in coloured.items():
            try:
                cells = self._cells(first, own, slug, _photos(group, own))
                yield RawRow(own[0].line, {**cells, **_options(group, own, axis)})
            except BadValueError as error:
                yield BrokenRow(own[0].line, str(error))

    def _cells(self, first: _Row, own: Sequence[_Row], slug: str, photos: list[str]) -> dict[str, object]:
        handle = first.get("handle")
        cells: dict[str, object] = {name: first.get(name) for name in _OF_PRODUCT}
        for column, name in self._metafields.items():
            cells[name] = [part.strip() for part in first.get(column).split(";")]
        for name in ("sku", "barcode"):
            cells[name] = [row.get(name).removeprefix("'") for row in own]
        cells.update({column: own[0].get(column) or first.get(column) for column in self._keep})
        cells["tags"] = [tag.strip() for tag in first.get("tags").split(",")]
        cells |= {"id": f"{handle}:{slug}" if slug else handle, "parent": handle if slug else None, "images": photos}
        return {**cells, **_offer(own)}


def _left_out(group: Sequence[_Row], first: _Row | None) -> str:
    """Why the rows make no product, or ''."""
    if len(group) > _MOST_ROWS:
        return f"more than {_MOST_ROWS:,} rows of one handle"
    status = first.get("status").casefold() if first else ""
    if status not in ("", "active"):
        return f"left out: its status is {status[:20]!r}"
    published = first.get("published").casefold() if first else ""
    return "left out: it is not published" if published in ("false", "no", "0") else ""


def _colour_axis(group: Sequence[_Row]) -> int | None:
    """The number of the option that is the colour."""
    for number in (1, 2, 3):
        names = {attribute_name(row.get(f"option{number}name")) for row in group}
        linked = any(row.get(f"option{number}linkedto").endswith("color-pattern") for row in group)
        if linked or Field.COLOUR.value in names:
            return number
    return None


def _slug(colour: str) -> str:
    """Of letters, digits and hyphens, for an id; '' without a colour."""
    return re.sub(r"[\W_]+", "-", clean_line(colour).casefold()).strip("-") or clean_line(colour)


def _named(name: str) -> str:
    """Of an option or metafield, so that none but a colour feeds a field."""
    plain = attribute_name(name)
    clashes = plain != Field.COLOUR and (field_of(name) is not None or plain in _COLUMNS)
    return f"option_{plain}" if clashes else plain


def _options(group: Sequence[_Row], own: Sequence[_Row], axis: int | None) -> dict[str, object]:
    """The values of the variants, by option; the one option of a product without variants is none."""
    found: dict[str, object] = {}
    for number in (1, 2, 3):
        name = next((row.get(f"option{number}name") for row in group if row.get(f"option{number}name")), "")
        values = list(dict.fromkeys(row.get(f"option{number}value") for row in own))
        if number == axis:
            found[Field.COLOUR.value] = values[:1]
        elif attribute_name(name) not in ("", "title"):
            found[_named(name)] = values
    return found


def _photos(group: Sequence[_Row], own: Sequence[_Row]) -> list[str]:
    """Those of the variants, then those of the product that are no other variant's, in their order."""
    mine = [row.get("variant_image") for row in own if row.get("variant_image")]
    others = {row.get("variant_image") for row in group} - set(mine)
    placed = sorted((row for row in group if row.get("image")), key=lambda row: _position(row.get("position")))
    return list(dict.fromkeys([*mine, *(row.get("image") for row in placed if row.get("image") not in others)]))


def _position(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 1_000


def _offer(own: Sequence[_Row]) -> dict[str, object]:
    """Price and availability: of the cheapest variant, of any variant."""
    priced = [(parse_price(row.get("price"))[0], row) for row in own if row.get("price")]
    states = {_stock(row) for row in own}
    offer: dict[str, object] = {
        "availability": next((one for one in ("in stock", "") if one in states), "out of stock")
    }
    if priced:
        amount, cheapest = min(priced, key=lambda one: one[0])
        offer["price"] = cheapest.get("price")
        compared = cheapest.get("compare")
        offer["regular_price"] = compared if compared and parse_price(compared)[0] > amount else ""
    return offer


def _stock(row: _Row) -> str:
    """What is not tracked is there; '' where nothing tells."""
    if "tracker" in row.cells and not row.get("tracker"):
        return "in stock"
    if row.get("policy").casefold() in ("continue", "true"):
        return "in stock"
    quantity = row.get("quantity")
    if not re.fullmatch(r"-?\d{1,9}", quantity):
        return ""
    return "in stock" if int(quantity) > 0 else "out of stock"
