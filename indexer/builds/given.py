"""Products, and changes of them, given one by one: what catalogue files may say, checked field by field."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from indexer.builds.texts import FIXED_FIELDS
from indexer.domain import AttributeValue, Availability, Frozen, ImageRef, Product
from indexer.errors import InputError
from indexer.sources import rows
from indexer.sources.cells import text_of, texts_of
from indexer.sources.columns import attribute_name
from indexer.sources.lists import image_uris
from indexer.sources.prices import parse_currency, parse_price
from indexer.sources.products import availability, limited
from indexer.sources.rows import BadValueError
from indexer.sources.text import clean_line, clean_lines, unescape, without_markup

MAX_LEVELS = 50
"""Of a category's path."""
OWN_FIELDS = frozenset(FIXED_FIELDS) | {"id", "title", "description", "currency", "url", "images"}
"""What is a field of every product, so that an attribute of the name would not be what is meant."""

_PRICE_SCHEMA = {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string"}], "examples": ["14.90"]}
_STOCK_SCHEMA = {
    "anyOf": [{"type": "string", "enum": list(Availability)}, {"type": "integer"}],
    "description": "A state, or the quantity in stock.",
}


T = TypeVar("T", bound=Frozen)


def _by(rule: Callable[[object], object]) -> Callable[[object], object]:
    """The rule of the catalogue files, its reason as the field's mistake."""

    def checked(value: object) -> object:
        try:
            return rule(value)
        except BadValueError as error:
            raise PydanticCustomError("unusable", "{reason}", {"reason": str(error)}) from None

    return checked


def _id(text: object) -> str:
    found = limited("the id", clean_line(text_of(text)), rows.MAX_ID)
    if not found:
        raise BadValueError("there is no text")
    return found


def _parent(text: object) -> str | None:
    return limited("the id", clean_line(text_of(text)), rows.MAX_ID) or None


def _title(text: object) -> str:
    found = _line(text)
    if not found:
        raise BadValueError("there is no text")
    return found


def _line(text: object) -> str | None:
    return limited("the text", clean_line(without_markup(text_of(text))), rows.MAX_LINE) or None


def _description(text: object) -> str:
    return clean_lines(without_markup(limited("the text", text_of(text), rows.MAX_DESCRIPTION)))


def _url(text: object) -> str | None:
    return limited("the address", text_of(text), rows.MAX_URI) or None


def _level(text: object) -> str:
    return limited("the text", clean_line(unescape(text_of(text))), rows.MAX_LINE)


def _amount(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise BadValueError("write the amount as a number, or as text such as 14.90")
    amount, named = parse_price(value)
    if named is not None:
        raise BadValueError(f"write the amount alone, and {named} as currency")
    return amount


def _currency(text: object) -> str:
    return parse_currency(text_of(text))


def _stock(value: object) -> Availability:
    """From a state, a quantity, or the words shops use."""
    found = availability(value)
    if found is Availability.UNKNOWN and text_of(value).casefold() != Availability.UNKNOWN:
        raise BadValueError(f"write {', '.join(Availability)}, or the quantity in stock")
    return found


def _attributes(given: object) -> dict[str, AttributeValue]:
    """By the names that files would give them; of equal names all values."""
    assert isinstance(given, Mapping)
    found: dict[str, dict[str, None]] = {}
    for written, value in given.items():
        for text in _values(value):
            found.setdefault(_name(written), {})[text] = None
    if len(found) > rows.MAX_ATTRIBUTES:
        raise BadValueError(f"{len(found)} attributes, the limit is {rows.MAX_ATTRIBUTES}")
    return {name: _plain(tuple(values)) for name, values in found.items()}


def _changes(given: object) -> dict[str, AttributeValue | None]:
    """As `_attributes`, but nothing in place of a value takes the attribute away."""
    assert isinstance(given, Mapping)
    found = {_name(written): _plain(tuple(dict.fromkeys(_values(value)))) or None for written, value in given.items()}
    for name, value in found.items():
        if name in OWN_FIELDS and value is not None:
            raise BadValueError(f"{name} is a field of the product, not an attribute")
    return found


def _name(written: str) -> str:
    name = attribute_name(text_of(written))
    if not name:
        raise BadValueError(f"an attribute's name needs letters or digits, {written[:40]!r} has none")
    return name


def _values(value: str | tuple[str, ...] | None) -> list[str]:
    given = texts_of(list(value) if isinstance(value, tuple) else value)
    texts = (limited("a value", clean_line(without_markup(text)), rows.MAX_VALUE) for text in given)
    return [text for text in texts if text]


def _plain(values: tuple[str, ...]) -> AttributeValue:
    return values[0] if len(values) == 1 else values


def _images(uris: object) -> tuple[str, ...]:
    assert isinstance(uris, tuple)
    found = image_uris([list(uris)])
    if len(found) > rows.MAX_IMAGES:
        raise BadValueError(f"{len(found)} images, the limit is {rows.MAX_IMAGES}")
    return tuple(limited("an image", uri, rows.MAX_URI) for uri in found)


Text = str | None
Price = Annotated[Decimal, BeforeValidator(_by(_amount)), WithJsonSchema(_PRICE_SCHEMA)]
Currency = Annotated[str, AfterValidator(_by(_currency))]
Stock = Annotated[Availability, BeforeValidator(_by(_stock)), WithJsonSchema(_STOCK_SCHEMA)]
Value = str | tuple[str, ...]


class ProductInput(Frozen):
    """A product as it shall be. `images` are paths in the catalog's folder, or https addresses."""

    id: Annotated[str, AfterValidator(_by(_id))]
    title: Annotated[str, AfterValidator(_by(_title))]
    parent: Annotated[Text, AfterValidator(_by(_parent))] = None
    description: Annotated[str, AfterValidator(_by(_description))] = ""
    brand: Annotated[Text, AfterValidator(_by(_line))] = None
    category: Annotated[tuple[Annotated[str, AfterValidator(_by(_level))], ...], Field(max_length=MAX_LEVELS)] = ()
    """Path from the root of the shop's tree to the product's own category."""
    price: Price | None = None
    currency: Currency | None = None
    """ISO 4217."""
    availability: Stock = Availability.UNKNOWN
    attributes: Annotated[dict[str, Value], AfterValidator(_by(_attributes))] = Field(default_factory=dict)
    url: Annotated[Text, AfterValidator(_by(_url))] = None
    images: Annotated[tuple[str, ...], AfterValidator(_by(_images))] = ()

    def product(self) -> Product:
        return Product(
            id=self.id,
            title=self.title,
            parent=self.parent,
            description=self.description,
            brand=self.brand,
            category=tuple(level for level in self.category if level),
            price=self.price,
            currency=self.currency,
            availability=self.availability,
            attributes=self.attributes,
            url=self.url,
            images=tuple(ImageRef(uri) for uri in self.images),
        )


class ProductUpdate(Frozen):
    """What of a product changes; what is absent stays, and null takes a price, currency, url or attribute away.

    So does an empty text or list in place of an attribute's value.
    """

    price: Price | None = None
    currency: Currency | None = None
    availability: Stock = Availability.UNKNOWN
    url: Annotated[Text, AfterValidator(_by(_url))] = None
    attributes: Annotated[dict[str, Value | None], AfterValidator(_by(_changes))] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _demand_something(self) -> "ProductUpdate":
        if not self.model_fields_set - {"attributes"} and not self.attributes:
            reason = "nothing to change was given: price, currency, availability, url or attributes"
            raise PydanticCustomError("empty", "{reason}", {"reason": reason})
        return self

    def of(self, product: Product) -> Product:
        """The product changed. Raises InputError when it would have too many attributes."""
        merged = {**product.attributes, **self.attributes}
        attributes = {name: value for name, value in merged.items() if value is not None}
        if len(attributes) > max(rows.MAX_ATTRIBUTES, len(product.attributes)):
            raise InputError(
                f"Product {product.id!r} would have {len(attributes)} attributes, the limit is {rows.MAX_ATTRIBUTES}."
            )
        given = self.model_fields_set
        return replace(
            product,
            price=self.price if "price" in given else product.price,
            currency=self.currency if "currency" in given else product.currency,
            availability=self.availability if "availability" in given else product.availability,
            url=self.url if "url" in given else product.url,
            attributes=attributes,
        )


def parse_update(given: Mapping[str, object]) -> ProductUpdate:
    """Raises InputError, naming each field that is wrong."""
    return _parsed(ProductUpdate, given)


def parse_product(given: Mapping[str, object]) -> ProductInput:
    """Raises InputError, naming each field that is wrong."""
    return _parsed(ProductInput, given)


def _parsed(what: type[T], given: Mapping[str, object]) -> T:
    try:
        return what.model_validate(given)
    except ValidationError as error:
        mistakes = [
            ": ".join(filter(None, (".".join(map(str, one["loc"])), one["msg"])))
            for one in error.errors(include_input=False)
        ]
        raise InputError(f"{'; '.join(mistakes)}.") from None
