"""A catalogue's own vectors, and as many more as one likes that lie as they do.

Every family begins at a real product and lies near it, its variants near each other, their photos nearer still; what
makes them differ is drawn from how the catalogue's products differ (its covariance), so that crowded directions stay
crowded. The photos of a product share its text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from indexer.domain import VECTOR_CHANNELS, Channel, Matrix, Point, Vector, point_id
from indexer.stores.lexical import Lexicon
from indexer.stores.seam import Layout

CATALOG: Final = "grown"
VARIANTS: Final = 4
"""Products of a family."""
VIEWS: Final = 2
"""Photos, and so points, of a product."""
OF_FAMILY, OF_PRODUCT, OF_VIEW = 0.10, 0.05, 0.05
"""What each adds to the variance of the catalogue's own vectors."""
BASIS: Final = 512
"""Real vectors that differences are drawn from."""


@dataclass(frozen=True, eq=False)
class Shelf:
    """Points, the photos of a product in a row. `vectors` (n, 2·dim) are [image ; text], missing halves filled."""

    name: str
    points: Sequence[Point]
    vectors: Matrix
    layout: Layout

    @property
    def starts(self) -> npt.NDArray[np.intp]:
        """(products,) the first point of each."""
        ids = [point.product_id for point in self.points]
        return np.array([place for place, id in enumerate(ids) if not place or ids[place - 1] != id], dtype=np.intp)


def shelf_of(name: str, points: Sequence[Point], layout: Layout) -> Shelf:
    """The points of a build without their words and payload, which fusion does not look at."""
    fill = layout.fill
    bare = [Point(one.id, one.product_id, one.image_id, one.vectors, "", {}) for one in points]
    rows = [np.concatenate([one.vectors.get(channel, fill[channel]) for channel in VECTOR_CHANNELS]) for one in bare]
    return Shelf(name, bare, np.array(rows, dtype=np.float32), _layout(fill[Channel.IMAGE], fill[Channel.TEXT]))


def grown(shelf: Shelf, size: int, seed: int = 0) -> Shelf:
    """So many points near the shelf's."""
    rng = np.random.default_rng(seed)
    families = -(-size // (VARIANTS * VIEWS))
    bases = shelf.vectors[rng.integers(len(shelf.vectors), size=families)]
    images, texts = (_varied(rng, *halves) for halves in zip(_halves(bases), _halves(shelf.vectors), strict=True))
    product = np.arange(size) // VIEWS
    vectors = np.hstack([_seen(rng, images[product], _halves(shelf.vectors)[0]), texts[product]])
    points = [_point(place, vector) for place, vector in enumerate(vectors)]
    image, text = _halves(vectors.mean(axis=0, keepdims=True))
    return Shelf(f"{shelf.name}, grown", points, vectors, _layout(image[0], text[0]))


def _varied(rng: np.random.Generator, bases: Matrix, real: Matrix) -> Matrix:
    """A unit row for every variant of every family."""
    families = bases + differences(rng, len(bases), real, OF_FAMILY)
    variants = np.repeat(families, VARIANTS, axis=0)
    return units(variants + differences(rng, len(variants), real, OF_PRODUCT))


def _seen(rng: np.random.Generator, photos: Matrix, real: Matrix) -> Matrix:
    return units(photos + differences(rng, len(photos), real, OF_VIEW))


def differences(rng: np.random.Generator, number: int, real: Matrix, share: float) -> Matrix:
    """(number, dim) Gaussian, their covariance `share` times that of the real rows."""
    some = real[rng.choice(len(real), min(BASIS, len(real)), replace=False)]
    spread = (some - some.mean(axis=0)) * np.float32(np.sqrt(share / len(some)))
    drawn: Matrix = rng.standard_normal((number, len(some)), dtype=np.float32) @ spread
    return drawn


def _halves(vectors: Matrix) -> tuple[Matrix, Matrix]:
    image, text = np.split(vectors, 2, axis=1)
    return image, text


def units(rows: Matrix) -> Matrix:
    units: Matrix = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return units


def _layout(image: Vector, text: Vector) -> Layout:
    return Layout(image.size, {Channel.IMAGE: image, Channel.TEXT: text}, {}, Lexicon.of([]))


def _point(place: int, vector: Vector) -> Point:
    product, image = f"P{place // VIEWS:07}", str(place % VIEWS)
    halves = np.split(vector, 2)
    return Point(
        point_id(CATALOG, product, image), product, image, dict(zip(VECTOR_CHANNELS, halves, strict=True)), "", {}
    )
