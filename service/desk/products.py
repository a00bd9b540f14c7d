"""Single products at the desk: found, looked at as they stand in the published build, changed, and followed into it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pydantic import Field

from indexer.builds.changing import LiveChange
from indexer.builds.given import parse_product, parse_update
from indexer.builds.live import published_build
from indexer.catalog.builds import BuildRepository
from indexer.catalog.changes_log import ChangeRepository
from indexer.catalog.images import ImageRepository
from indexer.catalog.products import ProductRepository
from indexer.catalog.records import ImageRecord
from indexer.domain import AttributeValue, Availability, Frozen, Product
from indexer.errors import ConflictError, InputError, UnavailableError
from service.request import SearchRequest
from service.shop import Shop

PAGE: Final = 24
LEVELS: Final = " > "
VALUES: Final = " | "
"""Between the levels of a category, and the values of an attribute, as people write them."""
AT_ONCE: Final = ("price", "currency", "availability", "url")
READ_ANEW: Final = ("title", "description", "brand", "category", "parent", "images")
OF_LINES: Final = ("description", "images")
"""Fields that may have several lines; browsers take line breaks out of all others."""


@dataclass(frozen=True)
class Found:
    build: str
    products: Sequence[Product]
    after: str | None
    """What the next page of all products starts behind; None: there is none."""


@dataclass(frozen=True)
class Standing:
    """A product as searches of the published build have it."""

    catalog: str
    build: str
    product: Product
    photos: Sequence[ImageRecord]
    behind: bool
    """Its words were changed, and searches by meaning still compare those that were read before."""
    sequence: int
    """The catalog's newest live change."""


class Sheet(Frozen):
    """A product as its form has it, or a part of one."""

    fields: dict[str, str]
    attributes: dict[str, str] = Field(default_factory=dict)


@dataclass(frozen=True)
class Saved:
    """What became of a form. `change` is None when nothing differed; `read_anew`: whether words and photos were."""

    change: LiveChange | None = None
    read_anew: bool = False


def find_products(shop: Shop, catalog: str | None, words: str, after: str | None = None) -> Found:
    """The product of that id and what a search by the words finds; without words all, in the order of their ids.

    Raises UnknownCatalog, NothingPublished, and what a search raises.
    """
    name, build = published_build(shop.database, catalog or shop.settings.catalog)
    with shop.database.session() as session:
        generation = BuildRepository(session).get(build).generation
        products = ProductRepository(session)
        if not words:
            page = products.page(name, after, PAGE + 1, generation=generation)
            return Found(build, page[:PAGE], page[PAGE - 1].id if len(page) > PAGE else None)
        exact = products.get_many(name, [words], generation=generation)
    asked = SearchRequest(text=words, catalog=name, top_k=PAGE, group=False, rules="off", verify=False)
    ids = [*exact, *(one.id for one in shop.search(asked).results if one.id not in exact)]
    with shop.database.session() as session:
        return Found(build, list(ProductRepository(session).get_many(name, ids, generation=generation).values()), None)


def standing_of(shop: Shop, catalog: str | None, product_id: str) -> Standing:
    """Raises UnknownProduct, with ids that are close, UnknownCatalog, NothingPublished."""
    name, build = published_build(shop.database, catalog or shop.settings.catalog)
    with shop.database.session() as session:
        generation = BuildRepository(session).get(build).generation
        products = ProductRepository(session)
        product = products.get(name, product_id, generation=generation)
        photos = ImageRepository(session).of_products(name, [product_id], generation=generation)
        behind = bool(products.text_keys(name, [product_id], generation=generation))
        sequence = ChangeRepository(session).last(name)
    return Standing(name, build, product, photos.get(product_id, ()), behind, sequence)


def sheet_of(product: Product) -> Sheet:
    fields = {
        "title": product.title,
        "description": product.description,
        "brand": product.brand or "",
        "category": LEVELS.join(product.category),
        "parent": product.parent or "",
        "images": "\n".join(image.uri for image in product.images),
        "price": "" if product.price is None else f"{product.price:f}",
        "currency": product.currency or "",
        "availability": product.availability.value,
        "url": product.url or "",
    }
    return Sheet(fields=fields, attributes={name: _written(value) for name, value in product.attributes.items()})


def save(
    shop: Shop, catalog: str | None, product_id: str, typed: Sheet, was: Sheet | None = None, by: str = ""
) -> Saved:
    """Change what differs from `was`, the form as it was opened (absent: the product as it stands), and nothing else.

    Where a word or photo differs, all are read anew. `by`: who does it, for the record. Raises UnknownProduct,
    InputError, ConflictError when somebody else changed the same since, and what the encoder and the cache raise.
    """
    product = standing_of(shop, catalog, product_id).product
    now = sheet_of(product)
    edited = _edited(typed, was or now)
    _demand_its_own(edited, was or now, now)
    edited = _edited(edited, now)
    changed: dict[str, object] = {name: edited.fields[name] or None for name in AT_ONCE if name in edited.fields}
    if "availability" in changed:
        changed["availability"] = changed["availability"] or Availability.UNKNOWN
    if edited.attributes:
        changed["attributes"] = {name: _listed(written, VALUES) for name, written in edited.attributes.items()}
    update = parse_update(changed) if changed else None
    words: dict[str, str] = {name: edited.fields[name] for name in READ_ANEW if name in edited.fields}
    if words:
        renewed = _renewed(product, words)
        return Saved(shop.put(catalog, [renewed if update is None else update.of(renewed)], by), read_anew=True)
    return Saved() if update is None else Saved(shop.update(catalog, product_id, update, by))


def read_anew(shop: Shop, catalog: str | None, product_id: str, by: str = "") -> LiveChange:
    """Encode its words and photos again. `by`: who does it.

    Raises UnknownProduct, and what the encoder and the cache raise.
    """
    return shop.put(catalog, [standing_of(shop, catalog, product_id).product], by)


def hinders(shop: Shop, catalog: str | None) -> str | None:
    """What keeps the newest live changes from being searched; None when every search shows them now."""
    try:
        with shop.lease(catalog) as (index, _):
            index.catch_up()
    except (ConflictError, UnavailableError) as error:
        return str(error)
    return None


def named(names: Sequence[str], values: Sequence[str]) -> dict[str, str]:
    """Attributes as a form's two lists have them; rows without a name are left out. Raises InputError."""
    if len(names) != len(values):
        raise InputError("attributes: give each name a value.")
    return {name.strip(): value for name, value in zip(names, values, strict=True) if name.strip()}


def _edited(typed: Sheet, before: Sheet) -> Sheet:
    """What differs, tidied; fields that were not typed are left out."""
    fields = {name: _plain(name, text) for name, text in typed.fields.items()}
    attributes = {name: _plain("", text) for name, text in typed.attributes.items()}
    return Sheet(
        fields={name: text for name, text in fields.items() if text != _plain(name, before.fields.get(name, ""))},
        attributes={
            name: text for name, text in attributes.items() if text != _plain("", before.attributes.get(name, ""))
        },
    )


def _demand_its_own(edited: Sheet, was: Sheet, now: Sheet) -> None:
    """Raises ConflictError for what is edited here and was changed to something else elsewhere."""
    here = {**edited.attributes, **edited.fields}
    elsewhere = _edited(now, was)
    there = {**elsewhere.attributes, **elsewhere.fields}
    there |= {name: "" for name in was.attributes if name not in now.attributes}
    clashing = {name: there[name] for name in here if name in there and there[name] != here[name]}
    if clashing:
        told = ", ".join(f"{name} is now {said[:80]!r}" for name, said in clashing.items())
        raise ConflictError(f"Somebody else changed this product meanwhile: {told}. Save again to have it your way.")


def _renewed(product: Product, words: Mapping[str, str]) -> Product:
    written = {**sheet_of(product).fields, **words}
    read = parse_product(
        {
            "id": product.id,
            "title": written["title"],
            "description": written["description"],
            "brand": written["brand"],
            "parent": written["parent"],
            "category": _listed(written["category"], LEVELS.strip()),
            "images": [line.strip() for line in written["images"].splitlines() if line.strip()],
        }
    ).product()
    return replace(
        product,
        title=read.title if "title" in words else product.title,
        description=read.description if "description" in words else product.description,
        brand=read.brand if "brand" in words else product.brand,
        category=read.category if "category" in words else product.category,
        parent=read.parent if "parent" in words else product.parent,
        images=read.images if "images" in words else product.images,
    )


def _written(value: AttributeValue) -> str:
    return value if isinstance(value, str) else VALUES.join(value)


def _plain(name: str, text: str) -> str:
    """As a browser would send it."""
    text = text.replace("\r\n", "\n")
    return (text if name in OF_LINES else text.replace("\n", "")).strip()


def _listed(written: str, between: str) -> list[str]:
    return [one for part in written.split(between) if (one := part.strip())]
