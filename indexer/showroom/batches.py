"""Training batches: products of several families of several kinds, with their images, texts, and what is true."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from indexer.showroom.claims import truth
from indexer.showroom.look import KINDS, Look
from indexer.showroom.pool import PHOTOS, Bytes, Pool
from indexer.showroom.recipe import Recipe
from indexer.showroom.training_looks import training_family
from indexer.showroom.words import Caption, caption

SHORT = 80
"""Characters."""
TRIES = 6
ANY_LENGTH = 0.08
"""Chance with which a text that is not short is taken all the same."""


@dataclass(frozen=True)
class Batch:
    """The n products of a step and the texts about them, those of the first product first.

    Images are (n, size, size, 3); `facts[t, p]` says whether text t is true of product p; `family[p]` is the number
    of the product's family.
    """

    studio: Bytes
    photo: Bytes
    texts: Sequence[str]
    facts: NDArray[np.bool_]
    family: NDArray[np.int64]


class Sampler:
    """Draws batches from the families that the pool has finished."""

    def __init__(self, pool: Pool, recipe: Recipe, seed: int) -> None:
        self.pool, self._recipe = pool, recipe
        self._rng, self._words = np.random.default_rng(seed), Random(seed)
        self._looks: dict[int, tuple[Look, ...]] = {}
        ready = pool.ready()
        self._by_kind = [ready[ready % len(KINDS) == kind] for kind in range(len(KINDS))]

    def batch(self) -> Batch:
        """The next batch."""
        recipe, rng = self._recipe, self._rng
        kinds = rng.choice(len(KINDS), recipe.batch_kinds, replace=False)
        chosen = np.concatenate([rng.choice(self._by_kind[k], recipe.batch_families, replace=False) for k in kinds])
        family = np.repeat(chosen, recipe.batch_variants)
        variant = np.concatenate([rng.permutation(recipe.variants)[: recipe.batch_variants] for _ in chosen])
        looks = [self._family(f)[v] for f, v in zip(family.tolist(), variant.tolist(), strict=True)]
        captions = [caption(look, self._words) for look in looks for _ in range(recipe.captions)]
        photo = 1 + rng.integers(PHOTOS, size=len(looks))
        return Batch(
            studio=self.pool.images[family, variant, 0],
            photo=self.pool.images[family, variant, photo],
            texts=[c.text for c in captions],
            facts=truth([c.claim for c in captions], looks),
            family=family,
        )

    def _family(self, number: int) -> tuple[Look, ...]:
        if number not in self._looks:
            self._looks[number] = training_family(number, self._recipe.variants)
        return self._looks[number]


@dataclass(frozen=True)
class HeadBatch:
    """Products by number (family's row × variants + variant), one text about each, and what is true of what."""

    products: NDArray[np.int64]
    texts: Sequence[str]
    facts: NDArray[np.bool_]
    family: NDArray[np.int64]


class HeadSampler:
    """Draws whole families, and mostly short texts about them: those are what shoppers type, and cheap."""

    def __init__(self, families: NDArray[np.int64], recipe: Recipe, seed: int) -> None:
        self._looks = [look for number in families.tolist() for look in training_family(number, recipe.variants)]
        self._by_kind = [np.flatnonzero(families % len(KINDS) == kind) for kind in range(len(KINDS))]
        self._recipe, self._rng, self._words = recipe, np.random.default_rng(seed), Random(seed)

    def batch(self) -> HeadBatch:
        """The next batch."""
        recipe, rng = self._recipe, self._rng
        kinds = rng.choice(len(KINDS), recipe.head_kinds, replace=False)
        chosen = np.concatenate([rng.choice(self._by_kind[k], recipe.head_families, replace=False) for k in kinds])
        family = np.repeat(chosen, recipe.variants)
        products = family * recipe.variants + np.tile(np.arange(recipe.variants), len(chosen))
        looks = [self._looks[number] for number in products.tolist()]
        captions = [self._caption(look) for look in looks]
        return HeadBatch(products, [c.text for c in captions], truth([c.claim for c in captions], looks), family)

    def photo(self) -> int:
        """Which of the photos the next step compares with the studio's."""
        return int(self._rng.integers(PHOTOS))

    def _caption(self, look: Look) -> Caption:
        """The first short one of a few tries, now and then whatever comes."""
        for _ in range(TRIES):
            drawn = caption(look, self._words)
            if len(drawn.text) < SHORT or self._words.random() < ANY_LENGTH:
                break
        return drawn
