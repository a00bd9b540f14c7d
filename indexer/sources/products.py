"""From the cells of one row to a Product."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal

from indexer.domain import AttributeValue, Availability, ImageRef, Product
from indexer.sources import rows
from indexer.sources.cells import objects_of, text_of, texts_of
from indexer.sources.columns import ColumnPlan, Field, attribute_name, key_of
from indexer.sources.lists import category_path, image_uris
from indexer.sources.prices import parse_currency, parse_price
from indexer.sources.rows import BadValueError
from indexer.sources.text import clean_line, clean_lines, without_markup

Cells = Mapping[str, object]

_KINDS = frozenset({"type", "producttype"})
"""Columns whose slash joins words of one name (Ski/boarding) rather than steps of a path."""
_NESTED_ATTRIBUTES = "attributes"
_DEPTH = 4
"""How deep objects may nest in an attribute."""

_STOCK_WORDS = {
    Availability.IN_STOCK: "instock available yes true y limitedavailability onlineonly instoreonly",
    Availability.OUT_OF_STOCK: "outofstock soldout no false n discontinued unavailable",
    Availability.PREORDER: "preorder presale backorder onbackorder comingsoon",
}
_AVAILABILITY = {word: state for state, words in _STOCK_WORDS.items() for word in words.split()}


def product_of(cells: Cells, plan: ColumnPlan) -> Product:
    """Raises BadValueError with the reason when the row makes no product."""
    product_id = limited("id", clean_line(_text(cells, plan, Field.ID)), rows.MAX_ID)
    title = _line(cells, plan, Field.TITLE)
    if not product_id or not title:
        raise BadValueError(f"no {'title' if product_id else 'id'}")
    price, currency = _price(cells, plan)
    category, category_column = _category(cells, plan)
    return Product(
        id=product_id,
        title=title,
        parent=limited("parent", clean_line(_text(cells, plan, Field.PARENT)), rows.MAX_ID) or None,
        description=_description(_text(cells, plan, Field.DESCRIPTION)),
        brand=_line(cells, plan, Field.BRAND) or None,
        category=category,
        price=price,
        currency=currency,
        availability=availability(_cell(cells, plan, Field.AVAILABILITY)),
        attributes=_attributes(cells, plan, category_column),
        url=limited("url", _text(cells, plan, Field.URL), rows.MAX_URI) or None,
        images=_images(cells, plan),
    )


def limited(what: str, text: str, limit: int) -> str:
    """The text. Raises BadValueError when it has more characters than `limit`."""
    if len(text) > limit:
        raise BadValueError(f"{what} has {len(text):,} characters, the limit is {limit:,}")
    return text


def availability(value: object) -> Availability:
    """From the words shops use, schema.org's names, truth and quantities; UNKNOWN for anything else."""
    text = text_of(value).casefold()
    word = re.sub(r"[\W_]+", "", text.rsplit("schema.org/", 1)[-1])
    if re.fullmatch(r"-?\d{1,12}(\.\d{1,6})?", text):
        return Availability.IN_STOCK if float(text) > 0 else Availability.OUT_OF_STOCK
    return _AVAILABILITY.get(word, Availability.UNKNOWN)


def _cell(cells: Cells, plan: ColumnPlan, field: Field) -> object:
    columns = plan.columns(field)
    return cells.get(columns[0]) if columns else None


def _text(cells: Cells, plan: ColumnPlan, field: Field) -> str:
    """Text of the field's cell; of a list, its first text."""
    value = _cell(cells, plan, field)
    try:
        if isinstance(value, list):
            return next(iter(texts_of(value)), "")
        return text_of(value)
    except BadValueError as error:
        raise BadValueError(f"{field}: {error}") from error


def _line(cells: Cells, plan: ColumnPlan, field: Field) -> str:
    return limited(field, clean_line(without_markup(_text(cells, plan, field))), rows.MAX_LINE)


def _description(text: str) -> str:
    limited("description", text, rows.MAX_DESCRIPTION)
    return clean_lines(without_markup(text))


def _price(cells: Cells, plan: ColumnPlan) -> tuple[Decimal | None, str | None]:
    """The currency's own column wins over what the price says."""
    named = _text(cells, plan, Field.CURRENCY)
    currency = parse_currency(named) if named else None
    value = _cell(cells, plan, Field.PRICE)
    amount = value if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else None
    text = _text(cells, plan, Field.PRICE)
    if not text:
        return None, currency
    price, written = parse_price(text if amount is None else amount)
    return price, currency or written


def _category(cells: Cells, plan: ColumnPlan) -> tuple[tuple[str, ...], str | None]:
    """The first path there is, and its column when the path is all that the column says."""
    for column in plan.columns(Field.CATEGORY):
        texts = texts_of(cells.get(column))
        slashes = key_of(column) not in _KINDS
        paths = [path for text in texts if (path := category_path(text, slashes=slashes))]
        if paths:
            limited("category", max(paths[0], key=len), rows.MAX_LINE)
            return paths[0], column if len(texts) == 1 else None
    return (), None


def _attributes(cells: Cells, plan: ColumnPlan, category_column: str | None) -> dict[str, AttributeValue]:
    """Colours, then every column that feeds no field, and the categories that were not used."""
    found: dict[str, dict[str, None]] = {}
    colours = plan.columns(Field.COLOUR)
    unused = set(plan.columns(Field.CATEGORY)) - {category_column}
    others = [column for column in cells if column in unused or not plan.feeds_field(column)]
    for column in (*colours, *others):
        name = Field.COLOUR.value if column in colours else attribute_name(column)
        for attribute, value in _flat(name, cells.get(column), _DEPTH):
            text = limited(attribute, clean_line(without_markup(value)), rows.MAX_VALUE)
            if attribute and text:
                found.setdefault(attribute, {})[text] = None
    if len(found) > rows.MAX_ATTRIBUTES:
        raise BadValueError(f"{len(found)} attributes, the limit is {rows.MAX_ATTRIBUTES}")
    return {name: next(iter(values)) if len(values) == 1 else tuple(values) for name, values in found.items()}


def _flat(name: str, value: object, depth: int) -> Iterator[tuple[str, str]]:
    """The texts of a cell by attribute; members of an object, also of each in a list, are prefixed by its name."""
    if depth < 0:
        raise BadValueError(f"{name}: nested too deeply")
    members = objects_of(value)
    if members is not None:
        prefix = "" if name == _NESTED_ATTRIBUTES else f"{name}_"
        for member, nested in members.items():
            yield from _flat(prefix + attribute_name(member), nested, depth - 1)
    elif isinstance(value, list) and any(isinstance(item, list | dict) for item in value):
        for item in value:
            yield from _flat(name, item, depth - 1)
    else:
        try:
            yield from ((name, text) for text in texts_of(value))
        except BadValueError as error:
            raise BadValueError(f"{name}: {error}") from error


def _images(cells: Cells, plan: ColumnPlan) -> tuple[ImageRef, ...]:
    uris = image_uris(cells.get(column) for column in plan.columns(Field.IMAGES))
    if len(uris) > rows.MAX_IMAGES:
        raise BadValueError(f"{len(uris)} images, the limit is {rows.MAX_IMAGES}")
    return tuple(ImageRef(limited("image", uri, rows.MAX_URI)) for uri in uris)
