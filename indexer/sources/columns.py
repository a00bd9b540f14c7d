"""Which column of a source feeds which field of a product."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from indexer.errors import SourceError, UnmappableColumns

MAX_ATTRIBUTE_NAME = 64
_REMEMBERED = 10_000
"""Column names kept, should every row of a JSONL file bring its own."""


class Field(StrEnum):
    """What a column can be mapped to."""

    ID = "id"
    TITLE = "title"
    PARENT = "parent"
    DESCRIPTION = "description"
    BRAND = "brand"
    CATEGORY = "category"
    PRICE = "price"
    CURRENCY = "currency"
    AVAILABILITY = "availability"
    URL = "url"
    IMAGES = "images"
    COLOUR = "colour"


REQUIRED = (Field.ID, Field.TITLE)
SEVERAL = frozenset({Field.CATEGORY, Field.IMAGES, Field.COLOUR})
"""Fields fed by all their columns: the first category that a row has, every image, every colour."""

SYNONYMS: Mapping[Field, tuple[str, ...]] = {
    Field.ID: (
        "id",
        "product_id",
        "item_id",
        "sku",
        "product_sku",
        "handle",
        "artikelnummer",
        "artikel_nr",
        "art_nr",
        "produktnummer",
        "bestellnummer",
    ),
    Field.TITLE: (
        "title",
        "name",
        "product_name",
        "product_title",
        "item_name",
        "titel",
        "bezeichnung",
        "artikelbezeichnung",
        "produktbezeichnung",
        "artikelname",
        "produktname",
    ),
    Field.PARENT: (
        "parent",
        "parent_sku",
        "parent_id",
        "parent_product_id",
        "item_group_id",
        "group_id",
        "group",
        "vaterartikel",
        "hauptartikel",
    ),
    Field.DESCRIPTION: (
        "description",
        "long_description",
        "product_description",
        "body_html",
        "body",
        "short_description",
        "beschreibung",
        "artikelbeschreibung",
        "produktbeschreibung",
        "langbeschreibung",
        "kurzbeschreibung",
    ),
    Field.BRAND: ("brand", "brand_name", "vendor", "manufacturer", "marke", "hersteller"),
    Field.CATEGORY: (
        "category",
        "categories",
        "product_category",
        "all_categories",
        "product_type",
        "google_product_category",
        "type",
        "kategorie",
        "kategorien",
        "warengruppe",
        "produktgruppe",
    ),
    Field.PRICE: ("price", "product_price", "variant_price", "unit_price", "preis", "verkaufspreis", "bruttopreis"),
    Field.CURRENCY: ("currency", "currency_code", "price_currency", "währung", "waehrung"),
    Field.AVAILABILITY: (
        "availability",
        "in_stock",
        "stock_status",
        "stock",
        "stock_quantity",
        "inventory_quantity",
        "quantity",
        "qty",
        "verfügbarkeit",
        "verfuegbarkeit",
        "lagerbestand",
        "bestand",
    ),
    Field.URL: ("url", "link", "product_url", "product_link", "produkt_url", "produktlink"),
    Field.IMAGES: (
        "image",
        "main_image",
        "image_link",
        "image_url",
        "image_path",
        "image_src",
        "image_file",
        "photo",
        "picture",
        "images",
        "all_images",
        "image_urls",
        "image_links",
        "image_paths",
        "photos",
        "pictures",
        "additional_image_link",
        "additional_image_links",
        "additional_images",
        "lifestyle_image_link",
        "bild",
        "hauptbild",
        "produktbild",
        "bild_url",
        "bild_link",
        "bilddatei",
        "bilder",
        "produktbilder",
        "foto",
        "fotos",
    ),
    Field.COLOUR: ("colour", "color", "colours", "colors", "colour_name", "color_name", "farbe", "couleur"),
}
"""Of each field, the names of columns that feed it, the preferred first."""


def key_of(name: str) -> str:
    """What is compared of a column's name: letters and digits in lower case."""
    return re.sub(r"[\W_]+", "", name.removeprefix("g:")).casefold()


_FIELDS = {key_of(name): (field, rank) for field, names in SYNONYMS.items() for rank, name in enumerate(names)}


def field_of(name: str) -> Field | None:
    """The field that a column of this name feeds."""
    found = _FIELDS.get(key_of(name))
    return found[0] if found is not None else None


@lru_cache(maxsize=4096)
def attribute_name(column: str) -> str:
    """snake_case of letters and digits; colours in any spelling are `colour`; '' when nothing is left."""
    if field_of(column) is Field.COLOUR:
        return Field.COLOUR.value
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", column.removeprefix("g:"))
    return re.sub(r"[\W_]+", "_", words).strip("_").lower()[:MAX_ATTRIBUTE_NAME]


@dataclass(frozen=True, slots=True)
class ColumnReport:
    """`fields` names the columns of each field, the preferred first; `attributes` the name each other one gets."""

    fields: Mapping[str, tuple[str, ...]]
    attributes: Mapping[str, str]


class ColumnPlan:
    """Decides by name; a column met later (JSONL) can fill a field that has none, never displace one."""

    def __init__(self, source: str, columns: Iterable[str], mapping: Mapping[str, str]) -> None:
        """Raises UnmappableColumns, or SourceError for a mapping of an unknown field or column."""
        names = [name for name in dict.fromkeys(columns) if key_of(name)]
        self._explicit = _explicit(source, names, mapping)
        self._columns = {field: [column] for field, column in self._explicit.items()}
        self._fed = set(self._explicit.values())
        self._met: dict[str, None] = {}
        self.learn(names)
        missing = [field.value for field in REQUIRED if field not in self._columns]
        if missing:
            raise UnmappableColumns(source, names, missing)

    def columns(self, field: Field) -> list[str]:
        """The columns that feed the field, the preferred first."""
        return self._columns.get(field, [])

    def feeds_field(self, column: str) -> bool:
        return column in self._fed

    def learn(self, columns: Iterable[str]) -> None:
        """Place the columns that were not met before."""
        new = [column for column in columns if column not in self._met]
        for column in sorted(new, key=_rank):
            if len(self._met) < _REMEMBERED:
                self._met[column] = None
            self._place(column)

    def report(self) -> ColumnReport:
        fields = {field.value: tuple(self._columns[field]) for field in Field if field in self._columns}
        others = [column for column in self._met if column not in self._fed]
        return ColumnReport(fields, {column: attribute_name(column) for column in others})

    def _place(self, column: str) -> None:
        field, _ = _FIELDS.get(key_of(column), (None, 0))
        if field is None or field in self._explicit or column in self._fed:
            return
        if field in SEVERAL or field not in self._columns:
            self._columns.setdefault(field, []).append(column)
            self._columns[field].sort(key=_rank)
            self._fed.add(column)


def _rank(column: str) -> int:
    _, rank = _FIELDS.get(key_of(column), (None, len(_FIELDS)))
    return rank


def _explicit(source: str, names: list[str], mapping: Mapping[str, str]) -> dict[Field, str]:
    explicit: dict[Field, str] = {}
    for field, column in mapping.items():
        if field not in set(Field):
            raise SourceError(f"There is no field {field!r} to map; the fields are {', '.join(Field)}.")
        named = [name for name in names if name == column] or [name for name in names if key_of(name) == key_of(column)]
        if not named:
            raise SourceError(
                f"{source}: there is no column {column!r} to map to {field}; found {', '.join(names) or 'none'}."
            )
        explicit[Field(field)] = named[0]
    return explicit
