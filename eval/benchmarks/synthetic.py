"""A made-up shop of any size, seeded, whose vectors lie as those of CLIP do.

How hard vectors are to index is a matter of how they lie. Independent random ones are all equally far from each other,
which no shop's are and no index copes with; so these are put together from what products share:

- A family (a model of shoe) lies near its category, a product near its family and its colour, a photo near its product.
- Each part is Gaussian, its variance falling as a power of the dimension's number, so that a few dimensions say most.
- All photos share one direction and all texts another (the narrow cone of each tower and the gap between the two).
- A text shares SHARED of its variance with its product's photos, the rest is its family's own wording.

The tests hold the outcome to ranges that CLIP-like encoders show on real products: mean cosines within and between the
towers, those of the nearest other product, and how many dimensions count.

A larger shop has more families in each category, not more categories, and begins with the smaller one: block b of a
seed is the same whatever the size. Questions are about products of the first block, so that every size is asked the
same. They are those of a shopper: fresh words, answered by photos and texts at 0.6/0.4 in standard deviations as the
searcher has them, or another photo, answered by photos alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from uuid import UUID

import numpy as np
import numpy.typing as npt

from indexer.domain import (
    AllOf,
    Channel,
    Condition,
    FieldType,
    Matrix,
    Op,
    Point,
    Spread,
    Vector,
    VectorQuery,
    Where,
    point_id,
)
from indexer.stores.lexical import Lexicon
from indexer.stores.seam import Layout
from service.search.fusion import weighted_vectors

CATALOG: Final = "synthetic"
VIEWS: Final = 2
"""Photos, and so points, of a product."""
VARIANTS: Final = 4
"""Products of a family."""
FAMILIES: Final = 512
"""Of a block."""
BLOCK: Final = FAMILIES * VARIANTS * VIEWS

CATEGORIES: Final = 100
BRANDS: Final = 200
WORDS: Final = 5_000
DESCRIPTION: Final = 20
"""Words of a family's description."""
COLOURS: Final = ("black", "white", "grey", "blue", "red", "green", "brown", "beige", "pink", "yellow")
MATERIALS: Final = ("cotton", "wool", "linen", "leather", "nylon", "steel", "oak", "glass")
SIZES: Final = ("XS", "S", "M", "L", "XL")

DECAY: Final = 1.2
"""Variance of dimension i is proportional to i to the power of minus this: about 13 dimensions' worth of 256."""
CONE: Final = 0.65
"""Length of the direction that all vectors of a tower share, of 1."""
GAP: Final = 0.3
"""Cosine between the shared directions of photos and texts."""
OF_CATEGORY, OF_FAMILY, OF_COLOUR, OF_PRODUCT, OF_VIEW = 0.35, 0.35, 0.1, 0.1, 0.1
"""Shares of the variance of a photo."""
OF_SNAPSHOT: Final = 0.3
"""Variance of a shopper's photo that is not its product's."""
SHARED: Final = 0.6

WEIGHTS: Final[Mapping[str, Mapping[Channel, float]]] = {
    "words": {Channel.IMAGE: 0.6, Channel.TEXT: 0.4},
    "photo": {Channel.IMAGE: 1.0},
}
"""Kind of question → how much each half of a point counts."""
TENTH: Final = Condition("colour", Op.EQ, "blue")
"""A filter that one point in ten satisfies; colours are in the vectors too, as in a shop."""
CHEAP: Final = Condition("price", Op.LT, 11.88)
"""One point in ten again: a tenth of the log-normal prices lies below exp(3.5 − 1.2816 · 0.8)."""
FILTERS: Final[Mapping[str, Where]] = {"10 %": TENTH, "1 %": AllOf((TENTH, CHEAP))}
"""By the share of points that satisfy each."""
FIELDS: Final = {
    "availability": FieldType.KEYWORD,
    "brand": FieldType.KEYWORD,
    "category": FieldType.KEYWORD,
    "colour": FieldType.KEYWORD,
    "in_stock": FieldType.FLAG,
    "material": FieldType.KEYWORD,
    "parent": FieldType.KEYWORD,
    "price": FieldType.NUMBER,
    "size": FieldType.KEYWORD,
}

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Block:
    """The points from `start` on: (n, 2·dim) vectors [image ; text], (n,) whether each satisfies each of FILTERS."""

    start: int
    vectors: Matrix
    passing: Mapping[str, npt.NDArray[np.bool_]]


@dataclass(frozen=True, eq=False)
class Labels:
    """What is said of the families of a block, and of their products where there are two axes."""

    category: Numbers
    brand: Numbers
    material: Numbers
    price: npt.NDArray[np.float64]
    description: Numbers
    """(families, DESCRIPTION)"""
    colour: Numbers
    """(families, VARIANTS), all different within a family"""
    stocked: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Shop:
    """`size` points of 2 × `dim` numbers."""

    size: int
    dim: int = 256
    seed: int = 0

    @property
    def products(self) -> int:
        return -(-self.size // VIEWS)

    def blocks(self) -> Iterator[Block]:
        for number in range(-(-self.size // BLOCK)):
            start = number * BLOCK
            held = min(BLOCK, self.size - start)
            labels = self._labels(number)
            vectors = np.hstack(self._vectors(labels, np.random.default_rng([self.seed, self.dim, number])))[:held]
            blue = np.repeat(labels.colour.ravel() == COLOURS.index(str(TENTH.value)), VIEWS)[:held]
            cheap = np.repeat(labels.price < float(CHEAP.value), VARIANTS * VIEWS)[:held]
            yield Block(start, vectors, {"10 %": blue, "1 %": blue & cheap})

    def points(self, block: Block) -> list[Point]:
        labels = self._labels(block.start // BLOCK)
        return [self._point(place, vector, labels) for place, vector in enumerate(block.vectors, block.start)]

    def point_id(self, place: int) -> UUID:
        return point_id(CATALOG, *_names(place))

    def layout(self) -> Layout:
        first = next(self.blocks()).vectors.mean(axis=0)
        image, text = np.split(first, 2)
        return Layout(self.dim, {Channel.IMAGE: image, Channel.TEXT: text}, FIELDS, Lexicon.of(self._words()))

    def questions(self, number: int) -> dict[str, list[VectorQuery]]:
        """So many of each kind of WEIGHTS."""
        rng = np.random.default_rng([self.seed, self.dim])
        first = min(self.size, BLOCK)
        labels = self._labels(0)
        latent = self._latent(labels, np.random.default_rng([self.seed, self.dim, 0]))
        asked = latent[rng.choice(-(-first // VIEWS), number)]
        words = self._texts(asked, self._draw(rng, number))
        photos = self._photos(asked, self._draw(rng, number), OF_SNAPSHOT)
        images, texts = np.split(next(self.blocks()).vectors, 2, axis=1)
        spreads = {Channel.IMAGE: _spread(words, images), Channel.TEXT: _spread(words, texts)}
        return {
            "words": [_query("words", {Channel.IMAGE: one, Channel.TEXT: one}, spreads) for one in words],
            "photo": [_query("photo", {Channel.IMAGE: one}, {}) for one in photos],
        }

    def _words(self) -> Iterator[str]:
        """Of each product."""
        for number in range(-(-self.size // BLOCK)):
            labels = self._labels(number)
            first = number * BLOCK // VIEWS
            for product in range(first, min(first + BLOCK // VIEWS, self.products)):
                yield self._words_of(product, labels)

    def _words_of(self, product: int, labels: Labels) -> str:
        family, variant = divmod(product % (BLOCK // VIEWS), VARIANTS)
        described = " ".join(f"word{number}" for number in labels.description[family].tolist())
        return (
            f"brand{labels.brand[family]} kind{labels.category[family]} {COLOURS[labels.colour[family, variant]]} "
            f"{MATERIALS[labels.material[family]]} SKU{product:08} {described}"
        )

    def _labels(self, number: int) -> Labels:
        rng = np.random.default_rng([self.seed, number])
        return Labels(
            category=rng.integers(CATEGORIES, size=FAMILIES),
            brand=np.minimum(rng.zipf(1.3, FAMILIES), BRANDS),
            material=rng.integers(len(MATERIALS), size=FAMILIES),
            price=rng.lognormal(3.5, 0.8, FAMILIES).round(2),
            description=np.minimum(rng.zipf(1.2, (FAMILIES, DESCRIPTION)), WORDS),
            colour=rng.permuted(np.tile(np.arange(len(COLOURS)), (FAMILIES, 1)), axis=1)[:, :VARIANTS],
            stocked=rng.random((FAMILIES, VARIANTS)) < 0.8,
        )

    def _point(self, place: int, vector: Vector, labels: Labels) -> Point:
        product_id, image_id = _names(place)
        family, variant = divmod(place % BLOCK // VIEWS, VARIANTS)
        stocked = bool(labels.stocked[family, variant])
        return Point(
            id=self.point_id(place),
            product_id=product_id,
            image_id=image_id,
            vectors={Channel.IMAGE: vector[: self.dim], Channel.TEXT: vector[self.dim :]},
            words=self._words_of(place // VIEWS, labels),
            payload={
                "availability": "in_stock" if stocked else "out_of_stock",
                "brand": f"brand{labels.brand[family]}",
                "category": [f"department{labels.category[family] % 10}", f"kind{labels.category[family]}"],
                "colour": COLOURS[labels.colour[family, variant]],
                "in_stock": stocked,
                "material": MATERIALS[labels.material[family]],
                "parent": f"FAMILY{place // (VIEWS * VARIANTS):07}",
                "price": float(labels.price[family]),
                "size": list(SIZES),
            },
        )

    def _vectors(self, labels: Labels, rng: np.random.Generator) -> tuple[Matrix, Matrix]:
        """Photos and texts of a block, (BLOCK, dim) each."""
        products = self._latent(labels, rng)
        wordings = np.repeat(self._draw(rng, FAMILIES), VARIANTS, axis=0)
        photos = self._photos(np.repeat(products, VIEWS, axis=0), self._draw(rng, BLOCK), OF_VIEW)
        return photos, np.repeat(self._texts(products, wordings), VIEWS, axis=0)

    def _latent(self, labels: Labels, rng: np.random.Generator) -> Matrix:
        """What is to be seen of each product of a block; the first that is drawn from its generator."""
        space = self._space
        families = _share(OF_CATEGORY) * space.categories[labels.category]
        families += _share(OF_FAMILY) * self._draw(rng, FAMILIES)
        products: Matrix = np.repeat(families, VARIANTS, axis=0)
        products += _share(OF_COLOUR) * space.colours[labels.colour.ravel()]
        products += _share(OF_PRODUCT) * self._draw(rng, len(products))
        return products

    def _photos(self, products: Matrix, views: Matrix, of_view: float) -> Matrix:
        return self._placed(products + _share(of_view) * views, self._space.photographed)

    def _texts(self, products: Matrix, wordings: Matrix) -> Matrix:
        return self._placed(_share(SHARED) * products + _share(1 - SHARED) * wordings, self._space.written)

    def _placed(self, latent: Matrix, shared: Vector) -> Matrix:
        """Unit vectors in the cone around `shared`, turned so that no axis is special."""
        rows = np.float32(CONE) * shared + _share(1 - CONE**2) * latent @ self._space.turned
        units: Matrix = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
        return units

    def _draw(self, rng: np.random.Generator, number: int) -> Matrix:
        rows: Matrix = rng.standard_normal((number, self.dim), dtype=np.float32) * self._space.deviations
        return rows

    @cached_property
    def _space(self) -> "Space":
        return Space.of(self.dim, np.random.default_rng(self.seed))


@dataclass(frozen=True, eq=False)
class Space:
    """What the whole shop shares. `deviations` (dim,) have squares of sum 1; `turned` (dim, dim) is a rotation."""

    deviations: Vector
    turned: Matrix
    photographed: Vector
    written: Vector
    categories: Matrix
    colours: Matrix

    @classmethod
    def of(cls, dim: int, rng: np.random.Generator) -> "Space":
        variances = np.arange(1, dim + 1) ** -DECAY
        deviations = np.sqrt(variances / variances.sum()).astype(np.float32)
        turned = np.linalg.qr(rng.standard_normal((dim, dim)))[0].astype(np.float32)
        photographed, other = turned[-1], turned[-2]  # where the latent vectors are thinnest
        written = np.float32(GAP) * photographed + _share(1 - GAP**2) * other
        parts = rng.standard_normal((CATEGORIES + len(COLOURS), dim), dtype=np.float32) * deviations
        return cls(deviations, turned, photographed, written, parts[:CATEGORIES], parts[CATEGORIES:])


def _names(place: int) -> tuple[str, str]:
    """(product_id, image_id) of the point at a place."""
    product, view = divmod(place, VIEWS)
    return f"SKU{product:08}", f"{view}"


def _share(variance: float) -> np.float32:
    return np.float32(np.sqrt(variance))


def _spread(queries: Matrix, rows: Matrix) -> Spread:
    cosines = queries @ rows.T
    return Spread(mean=float(cosines.mean()), deviation=float(cosines.std()))


def _query(kind: str, vectors: Mapping[Channel, Vector], spreads: Mapping[Channel, Spread]) -> VectorQuery:
    return VectorQuery(weighted_vectors(vectors, WEIGHTS[kind], spreads))
