"""A product's own page: its photos, its facts, what there is of it besides, and what is like it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from indexer.builds.texts import values_of
from indexer.catalog.builds import BuildRepository
from indexer.catalog.products import ProductRepository
from indexer.domain import Product
from service.changes import COLOUR
from service.search.answer import Answer
from service.shop import Shop
from service.web.media import Picture, first_pictures, pictures_of
from service.web.window.address import Address
from service.web.window.cards import (
    Card,
    Variant,
    cards_of,
    cheaper_than,
    colours_named,
    shown_of,
    swatches_of,
    variant_of,
)
from service.web.window.colours import QuickChanges, quick_changes

ROW: Final = 12
MOST_VARIANTS: Final = 24


@dataclass(frozen=True)
class Fact:
    """`links` are its values, each with the address of what has it too."""

    field: str
    links: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Row:
    """What is like it in one way, and the address of more of that."""

    answer: Answer
    cards: tuple[Card, ...]
    url: str
    shown: dict[str, object]


@dataclass(frozen=True)
class ProductPage:
    product: Product
    build: str
    pictures: tuple[Picture, ...]
    facts: tuple[Fact, ...]
    variants: tuple[Variant, ...]
    similar: Row | None
    recoloured: Row | None
    """What is like it in other colours; None where its colour is not known."""
    own: tuple[str, ...]
    """Swatches of its own colours."""
    quick: QuickChanges
    cheaper: str | None
    category: tuple[tuple[str, str], ...]
    web: str | None
    """Of the shop's own page; None where that is no address on the web."""


def product_page(shop: Shop, product_id: str, here: Address) -> ProductPage:
    """Raises UnknownProduct, and as a search does."""
    with shop.lease(here.catalog) as (index, _):
        manifest = index.manifest
    with shop.database.session() as session:
        products, generation = ProductRepository(session), BuildRepository(session).get(manifest.build).generation
        product = products.get(manifest.catalog, product_id, generation=generation)
        parent = product.parent or product.id
        siblings = products.siblings(manifest.catalog, [parent], generation=generation).get(parent, ())
    others = [one for one in siblings if one.id != product.id][:MOST_VARIANTS]
    keys = [(product.id, image.image_id) for image in product.images]
    pictures = pictures_of(shop, manifest.build, keys)
    firsts = first_pictures(shop, manifest.build, [one.id for one in others])
    return ProductPage(
        product=product,
        build=manifest.build,
        pictures=tuple(pictures[key] for key in dict.fromkeys(keys) if key in pictures),
        facts=_facts(product, here),
        variants=tuple(variant_of(one, firsts.get(one.id), here.catalog) for one in others),
        similar=_row(shop, here.alike(product.id)),
        recoloured=_row(shop, _otherwise(product, here)) if swatches_of(product) else None,
        own=swatches_of(product),
        quick=quick_changes(manifest),
        cheaper=cheaper_than(product.id, product.price, here),
        category=tuple((level, here.saying(level).url) for level in product.category),
        web=product.url if product.url and product.url.startswith(("https://", "http://")) else None,
    )


def _row(shop: Shop, address: Address) -> Row | None:
    """None where nothing is like it."""
    asked = address.request(ROW)
    answer = shop.search(asked)
    if not answer.results:
        return None
    return Row(answer, tuple(cards_of(answer, address, shop)), address.url, shown_of(answer, asked))


def _otherwise(product: Product, here: Address) -> Address:
    """Like it, in none of its own colours."""
    return here.alike(product.id, where=tuple(f'{COLOUR}!="{one}"' for one in colours_named(product)))


def _facts(product: Product, here: Address) -> tuple[Fact, ...]:
    known: Mapping[str, Sequence[str]] = {name: values_of(value) for name, value in product.attributes.items()}
    return tuple(
        Fact(name, tuple((value, here.saying(value).url) for value in values))
        for name, values in known.items()
        if values
    )
