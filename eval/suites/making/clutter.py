"""A room to stand a product in: wall, floor and things that are not for sale, drawn from a seed."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Scene = NDArray[np.float32]
"""Shape (side, side, 3), sRGB 0 to 255."""

_TINTS = np.array(
    [
        (214, 206, 194),
        (188, 196, 202),
        (168, 148, 122),
        (120, 92, 66),
        (92, 98, 106),
        (196, 178, 160),
        (142, 156, 146),
        (226, 224, 220),
    ],
    np.float32,
)
"""Walls, floors and furniture: muted, as rooms are."""
_FEWEST_THINGS, _MOST_THINGS = 3, 8
Box = tuple[float, float, float, float]


def room(side: int, rng: np.random.Generator) -> Scene:
    """Wall above, floor or table below, a few blurred objects, uneven light."""
    scene = _surfaces(side, rng)
    picture = Image.fromarray(np.clip(scene, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    for _ in range(int(rng.integers(_FEWEST_THINGS, _MOST_THINGS + 1))):
        _thing(draw, side, rng)
    blurred = np.asarray(picture.filter(ImageFilter.GaussianBlur(float(rng.uniform(1.0, 3.5)) * side / 384)))
    return np.asarray(blurred * _gradient(side, rng), np.float32)


def _surfaces(side: int, rng: np.random.Generator) -> Scene:
    wall, floor = rng.choice(_TINTS, 2, replace=False)
    horizon = int(side * rng.uniform(0.35, 0.75))
    below = (np.arange(side) >= horizon)[:, None, None]
    grain = _noise(side, rng) * rng.uniform(4, 16)
    stripes = np.repeat(_noise(side, rng).mean(axis=1, keepdims=True), side, axis=1) * rng.uniform(0, 60)
    return np.asarray(np.where(below, floor + stripes + grain, wall + grain / 2), np.float32)


def _noise(side: int, rng: np.random.Generator) -> Scene:
    """Value noise of three octaves, about −1 to 1: (side, side, 1)."""
    total = np.zeros((side, side), np.float32)
    for cells, strength in ((6, 0.5), (24, 0.3), (96, 0.2)):
        coarse = Image.fromarray(rng.uniform(-1, 1, (cells, cells)).astype(np.float32))
        total += strength * np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC))
    return np.asarray(total[..., None], np.float32)


def _gradient(side: int, rng: np.random.Generator) -> Scene:
    """Light that falls off across the picture: (side, side, 1), about 0.75 to 1.1."""
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    return np.asarray((0.93 + 0.17 * (np.cos(angle) * x + np.sin(angle) * y))[..., None], np.float32)


def _thing(draw: ImageDraw.ImageDraw, side: int, rng: np.random.Generator) -> None:
    """A box, a ball or a slanted board, mostly towards the edges."""
    width, height = rng.uniform(0.08, 0.35, 2) * side
    angle = rng.uniform(0, 2 * np.pi)
    centre = side / 2 + np.array([np.cos(angle), np.sin(angle)]) * rng.uniform(0.3, 0.6) * side
    colour = rng.choice(_TINTS) * rng.uniform(0.5, 1.1) + rng.uniform(-25, 25, 3)
    fill = tuple(int(one) for one in np.clip(colour, 0, 255))
    box = (centre[0] - width / 2, centre[1] - height / 2, centre[0] + width / 2, centre[1] + height / 2)
    shapes: tuple[Callable[[], None], ...] = (
        lambda: draw.rectangle(box, fill=fill),
        lambda: draw.ellipse(box, fill=fill),
        lambda: draw.polygon(_slanted(box, float(rng.uniform(-0.5, 0.5)) * width), fill=fill),
    )
    shapes[int(rng.integers(len(shapes)))]()


def _slanted(box: Box, shift: float) -> list[tuple[float, float]]:
    left, top, right, bottom = box
    return [(left + shift, top), (right + shift, top), (right - shift, bottom), (left - shift, bottom)]
