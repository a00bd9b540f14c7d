"""A generator that draws plain pictures, for tests of those who ask it."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from indexer.domain import Pixels
from indexer.generate_settings import GeneratorName
from service.generate.cache import ImageCache
from service.generate.seam import Generated, Provenance, Recipe, Request, Unsuited, Watch
from tests.fakes import COLOURS

BACKDROP = (250, 250, 250)


def photo(colour: tuple[int, int, int] | str, side: int = 32) -> Pixels:
    """A product of one colour, half as wide and high as the picture, on a light backdrop; a colour by its name in
    `COLOURS`."""
    drawn = np.full((side, side, 3), BACKDROP, np.uint8)
    drawn[side // 4 : -(side // 4), side // 4 : -(side // 4)] = COLOURS[colour] if isinstance(colour, str) else colour
    return drawn


def recipe(
    seed: int = 0, instruction: str = "but blue", generator: str = "diffusion", pipeline: str = "plain"
) -> Recipe:
    return Recipe(
        generator=generator, pipeline=pipeline, model="none", instruction=instruction, size=(32, 32), seed=seed
    )


def drawn(of: Recipe, pixels: Pixels, seconds: float = 0.25) -> Generated:
    return Generated(pixels, Provenance(recipe=of, made=datetime(2026, 1, 1, tzinfo=UTC), seconds=seconds))


def noise(seed: int, side: int = 64) -> Generated:
    """A picture that no PNG makes smaller than side * side * 3 bytes."""
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)
    return drawn(recipe(seed), pixels)


def fill(folder: Path, limit_bytes: int, first: int) -> None:
    """Puts twenty pictures into a cache, and uses the first again and again."""
    cache = ImageCache(folder, limit_bytes)
    for seed in range(first, first + 20):
        cache.put(noise(seed))
        cache.get(noise(first).id)


@dataclass
class Painter:
    """Draws `colours` by turns, one for each seed, in `seconds`, and says that each took `said`. `before` is called for
    each drawing, and may raise; `unsuited` is why it refuses. `made` are the seeds drawn."""

    name: GeneratorName = "diffusion"
    colours: Sequence[tuple[int, int, int] | str] = ("blue",)
    seconds: float = 0.0
    said: float = 0.25
    unsuited: str = ""
    before: Callable[[], None] = lambda: None
    made: list[int] = field(default_factory=list)
    most_at_once: int = 0
    closed: bool = False
    _now: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def plan(self, request: Request) -> Sequence[Recipe]:
        if self.unsuited:
            raise Unsuited(self.unsuited)
        return [recipe(seed, request.instruction, self.name) for seed in request.seeds]

    def make(self, request: Request, recipes: Sequence[Recipe], watch: Watch) -> Sequence[Generated]:
        with self._lock:
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        try:
            self.before()
            time.sleep(self.seconds)
            seeds = [one.seed or 0 for one in recipes]
            self.made += seeds
            pictures = [photo(self.colours[seed % len(self.colours)]) for seed in seeds]
            return [drawn(one, pixels, self.said) for one, pixels in zip(recipes, pictures, strict=True)]
        finally:
            with self._lock:
                self._now -= 1

    def close(self) -> None:
        self.closed = True
