"""Results as shoppers see them: a picture, what it is, what it costs, how it fits, and why it is there."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import quote, urlencode

from indexer.builds.texts import values_of
from indexer.catalog.builds import BuildRepository
from indexer.catalog.products import ProductRepository
from indexer.domain import Availability, Product, QueryKind
from service.changes import COLOUR
from service.request import SearchRequest
from service.search.answer import Answer, Result
from service.search.highlights import Highlight
from service.shop import Shop
from service.web.media import Picture, first_pictures, pictures_of
from service.web.window.address import Address
from service.web.window.colours import PATTERN, swatch_of

VARIANTS = 4
"""Shown with a result; the others are counted."""


@dataclass(frozen=True)
class Bar:
    """What one channel says; `share` is that of the best on the page, in [0, 1], None without a score."""

    channel: str
    weight: float
    raw: float | None
    calibrated: float | None
    rank: int | None
    share: float | None


@dataclass(frozen=True)
class Piece:
    """Of a text, in its order; `hit` where it is what was looked for."""

    text: str
    hit: bool


@dataclass(frozen=True)
class Variant:
    title: str
    colour: str
    swatch: str | None
    url: str
    picture: Picture | None
    available: bool
    pattern: str = ""


@dataclass(frozen=True)
class Card:
    result: Result
    url: str
    picture: Picture | None
    own_colours: tuple[str, ...]
    """Names of swatches."""
    variants: tuple[Variant, ...]
    more_variants: int
    bars: tuple[Bar, ...]
    found: tuple[tuple[str, tuple[Piece, ...]], ...]
    """Field → its text, where what was looked for stands."""
    alike: str
    """Address of what is like it."""
    cheaper: str | None
    """Address of what is like it and costs less."""


def cards_of(answer: Answer, address: Address, shop: Shop) -> list[Card]:
    """In the answer's order; two readings of the ledger for all of them."""
    others = {one.id: one.variants.ids[:VARIANTS] if one.variants else () for one in answer.results}
    shown = [one.id for one in answer.results]
    products = products_of(shop, answer.build, [*shown, *(one for ids in others.values() for one in ids)])
    matched = pictures_of(shop, answer.build, [(one.id, one.image.id) for one in answer.results if one.image])
    firsts = first_pictures(shop, answer.build, [*(one.id for one in answer.results if not one.image), *products])
    return [
        _card(
            one,
            address,
            answer,
            products,
            _picture(one, matched, firsts),
            _variants(others[one.id], products, firsts, address),
        )
        for one in answer.results
    ]


def shown_of(answer: Answer, asked: SearchRequest) -> dict[str, object]:
    """What feedback on the results is told with: which answer it is about."""
    query = asked.model_dump(mode="json", exclude_defaults=True, exclude={"cursor", "facets", "top_k"})
    if asked.like is None and answer.kind is not QueryKind.TEXT:
        query["photo"] = True
    return {"catalog": answer.catalog, "build": answer.build, "query": query}


def products_of(shop: Shop, build: str, ids: Sequence[str]) -> Mapping[str, Product]:
    """Those that the build has."""
    with shop.database.session() as session:
        made = BuildRepository(session).get(build)
        return ProductRepository(session).get_many(made.catalog, list(dict.fromkeys(ids)), generation=made.generation)


def product_url(product_id: str, catalog: str | None) -> str:
    query = f"?{urlencode({'catalog': catalog})}" if catalog else ""
    return f"/p/{quote(product_id, safe='')}{query}"


def variant_of(product: Product, picture: Picture | None, catalog: str | None) -> Variant:
    colour = ", ".join(colours_named(product))
    return Variant(
        product.title,
        colour,
        swatch_of(colour),
        product_url(product.id, catalog),
        picture,
        product.availability is not Availability.OUT_OF_STOCK,
        ", ".join(values_of(product.attributes.get(PATTERN, ()))),
    )


def colours_named(product: Product) -> tuple[str, ...]:
    """As the shop names them."""
    return values_of(product.attributes.get(COLOUR, ()))


def swatches_of(product: Product) -> tuple[str, ...]:
    return tuple(swatch for one in colours_named(product) if (swatch := swatch_of(one)))


def cheaper_than(product_id: str, price: float | Decimal | None, address: Address) -> str | None:
    return None if not price else address.alike(product_id, where=(f"price<{price:g}",)).url


def _picture(
    result: Result, matched: Mapping[tuple[str, str], Picture], firsts: Mapping[str, Picture]
) -> Picture | None:
    """The photo that matched; its first one where that is gone."""
    found = matched.get((result.id, result.image.id)) if result.image else None
    return found or firsts.get(result.id)


def _card(
    result: Result,
    address: Address,
    answer: Answer,
    products: Mapping[str, Product],
    picture: Picture | None,
    variants: tuple[Variant, ...],
) -> Card:
    product = products.get(result.id)
    return Card(
        result=result,
        url=product_url(result.id, address.catalog),
        picture=picture,
        own_colours=() if product is None else swatches_of(product),
        variants=variants,
        more_variants=(result.variants.count if result.variants else 0) - len(variants),
        bars=_bars(result, answer),
        found=tuple((one.field, tuple(_pieces(one))) for one in result.highlights),
        alike=address.alike(result.id).url,
        cheaper=cheaper_than(result.id, result.price, address),
    )


def _variants(
    ids: Sequence[str], products: Mapping[str, Product], firsts: Mapping[str, Picture], address: Address
) -> tuple[Variant, ...]:
    return tuple(variant_of(products[one], firsts.get(one), address.catalog) for one in ids if one in products)


def _bars(result: Result, answer: Answer) -> tuple[Bar, ...]:
    bars = []
    for channel, weight in answer.weights.items():
        score = result.channels[channel]
        others = (one.channels[channel].calibrated for one in answer.results)
        best = max((one for one in others if one is not None), default=0.0)
        share = None if score.calibrated is None else min(max(score.calibrated / best, 0.0), 1.0) if best > 0 else 0.0
        bars.append(Bar(channel.value, weight, score.raw, score.calibrated, score.rank, share))
    return tuple(bars)


def _pieces(highlight: Highlight) -> Iterator[Piece]:
    at = 0
    for start, end in highlight.spans:
        if at < start:
            yield Piece(highlight.text[at:start], hit=False)
        yield Piece(highlight.text[start:end], hit=True)
        at = end
    if at < len(highlight.text):
        yield Piece(highlight.text[at:], hit=False)
