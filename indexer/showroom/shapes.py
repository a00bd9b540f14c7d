"""Which shape seeds the catalogue's families have: per kind, those that look least alike.

`python -m indexer.showroom.shapes` chooses them anew and prints the table (about two minutes on two cores).
"""

from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from indexer.showroom.look import KINDS, Look
from indexer.showroom.render import VIEWS, studio
from indexer.showroom.split import CATALOGUE_SHAPES

FAMILIES_PER_KIND = 11
CANDIDATES = CATALOGUE_SHAPES[:32]

SHAPES: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "sneaker": (1, 3, 4, 6, 11, 15, 16, 23, 29, 31, 32),
        "boot": (1, 2, 5, 6, 9, 10, 12, 23, 29, 30, 32),
        "heel": (1, 2, 5, 7, 12, 14, 20, 21, 23, 27, 31),
        "t-shirt": (1, 3, 12, 14, 17, 18, 25, 27, 28, 29, 30),
        "dress": (1, 4, 5, 10, 12, 13, 14, 25, 26, 27, 32),
        "hoodie": (1, 4, 6, 7, 8, 13, 19, 23, 26, 27, 28),
        "hat": (1, 2, 3, 5, 7, 9, 13, 16, 18, 28, 30),
        "sunglasses": (1, 16, 17, 18, 20, 21, 23, 24, 27, 28, 32),
        "watch": (1, 2, 4, 5, 6, 14, 15, 17, 18, 23, 27),
        "umbrella": (1, 3, 4, 6, 9, 12, 15, 16, 17, 23, 28),
        "backpack": (1, 3, 4, 6, 7, 13, 16, 18, 20, 26, 32),
        "handbag": (1, 3, 4, 8, 10, 12, 15, 18, 22, 29, 32),
        "suitcase": (1, 4, 6, 8, 10, 13, 14, 15, 19, 23, 25),
        "mug": (1, 4, 10, 11, 13, 14, 22, 24, 29, 30, 32),
        "bowl": (1, 7, 8, 10, 13, 15, 17, 21, 24, 25, 27),
        "kettle": (1, 3, 6, 9, 11, 12, 15, 20, 23, 29, 32),
        "vase": (1, 3, 5, 7, 8, 13, 14, 15, 18, 19, 23),
        "lamp": (1, 4, 6, 10, 13, 16, 17, 19, 27, 28, 30),
        "cushion": (1, 4, 8, 9, 11, 12, 13, 20, 24, 28, 31),
        "chair": (1, 3, 4, 5, 8, 10, 13, 18, 22, 25, 32),
        "sofa": (1, 3, 4, 13, 18, 20, 23, 24, 26, 28, 29),
        "plant pot": (1, 2, 5, 6, 10, 11, 22, 25, 27, 28, 30),
        "bicycle": (1, 5, 6, 7, 9, 11, 14, 16, 20, 22, 32),
        "headphones": (1, 3, 5, 11, 12, 14, 21, 25, 27, 29, 30),
    }
)


"""Kind → the shape seeds of its families; `main` prints this table."""


def least_alike(features: NDArray[np.float32], count: int) -> list[int]:
    """Rows of `features` (n, d) far from each other: greedy farthest-point choice (Gonzalez 1985), first row first."""
    chosen = [0]
    nearest = np.linalg.norm(features - features[0], axis=1)
    while len(chosen) < count:
        chosen.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, np.linalg.norm(features - features[chosen[-1]], axis=1))
    return chosen


def appearance(kind: str, shape: int) -> NDArray[np.float32]:
    """How a plain product of this shape looks: grey values of two studio views at 48 px."""
    look = Look(kind, shape, "blue", "white", "plain", KINDS[kind].materials[0])
    views = [studio(look, view, size=48).mean(axis=2) for view in VIEWS[:2]]
    return np.concatenate([view.ravel() for view in views]).astype(np.float32)


def choose(kind: str) -> tuple[int, ...]:
    """The kind's catalogue shapes among the candidates."""
    features = np.stack([appearance(kind, shape) for shape in CANDIDATES])
    return tuple(sorted(CANDIDATES[row] for row in least_alike(features, FAMILIES_PER_KIND)))


def main() -> None:
    """Prints the table."""
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for kind, shapes in zip(KINDS, pool.map(choose, KINDS), strict=True):
            print(f'        "{kind}": {shapes},', flush=True)


if __name__ == "__main__":
    main()
