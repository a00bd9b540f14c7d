"""Tileable procedural textures with mip levels: the grain of materials and the masks of patterns.

A tile is a square array that repeats; coordinates below run over [0, 1) along u (columns) and v (rows).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import ndimage

from indexer.showroom.render.arrays import Flags, Floats
from indexer.showroom.render.curves import smoothstep
from indexer.showroom.render.seeds import generator

_SIDE = 256


@dataclass(frozen=True)
class Tile:
    """Mip levels (S, S), (S/2, S/2), ... of each channel, flattened, and the world length of one repeat."""

    levels: tuple[tuple[Floats, ...], ...]
    period: float

    def sample(self, uv: Floats, footprint: float, *, smooth: bool = False) -> tuple[Floats, ...]:
        """Channels (M,) at uv (2, M), filtered for pixels of `footprint` world units.

        Takes the nearest texel of the mip level that fits, or with `smooth` interpolates between four.
        """
        side = self.levels[0][0].shape[0]
        level = int(np.clip(np.floor(np.log2(max(footprint / self.period * side, 1.0)) + 0.3), 0, len(self.levels) - 1))
        side >>= level
        at = uv * np.float32(side / self.period)
        if not smooth:
            texel = np.floor(at).astype(np.int32) & (side - 1)
            index = texel[1] * side + texel[0]
            return tuple(channel.ravel()[index] for channel in self.levels[level])
        at = at - np.float32(0.5)
        floor = np.floor(at)
        (x, y), near = at - floor, floor.astype(np.int32) & (side - 1)
        far = (near + 1) & (side - 1)
        rows = (near[1] * side, far[1] * side)
        blended = []
        for channel in self.levels[level]:
            flat = channel.ravel()
            top, low = ((1 - x) * flat[row + near[0]] + x * flat[row + far[0]] for row in rows)
            blended.append((1 - y) * top + y * low)
        return tuple(blended)


def _build(channels: tuple[Floats, ...], period: float) -> Tile:
    levels = [tuple(channel.astype(np.float32) for channel in channels)]
    while levels[-1][0].shape[0] > 16:
        levels.append(tuple(c.reshape(len(c) // 2, 2, -1, 2).mean(axis=(1, 3)) for c in levels[-1]))
    return Tile(tuple(levels), period)


def _grid(side: int = _SIDE) -> tuple[Floats, Floats]:
    at = (np.arange(side) + 0.5) / side
    u, v = np.meshgrid(at, at)
    return u, v


def _noise(name: str, sigma: tuple[float, float]) -> Floats:
    """Tileable blurred noise of unit variance; `sigma` (rows, columns) in texels."""
    white = generator("tile", name).standard_normal((_SIDE, _SIDE))
    soft = np.asarray(ndimage.gaussian_filter(white, sigma, mode="wrap"))
    return np.asarray(soft / soft.std())


def _relief(height: Floats) -> Floats:
    """Light from the upper left on a height field, zero mean and unit variance."""
    lit = height - np.roll(height, (2, 2), axis=(0, 1))
    lit = lit - lit.mean()
    return np.asarray(lit / max(float(lit.std()), 1e-6))


def _unit(x: Floats) -> Floats:
    return np.asarray((x - x.mean()) / x.std())


def _jersey() -> tuple[Floats, Floats]:
    u, v = _grid()
    height = np.sin(2 * np.pi * 16 * u) * (0.6 + 0.4 * np.sin(2 * np.pi * 16 * v + 6 * u))
    return _unit(0.4 * _noise("jersey", (3, 3)) + 0.3 * height), _relief(height)


def _knit() -> tuple[Floats, Floats]:
    u, v = _grid()
    across = np.abs((u * 8) % 1 - 0.5) * 2
    stitch = np.sin(2 * np.pi * (v * 12 + 0.7 * across))
    rib = np.cos(np.pi * across) * 0.9
    return _unit(rib + 0.7 * stitch), _unit(stitch + 0.4 * rib)


def _weave() -> tuple[Floats, Floats]:
    u, v = _grid()
    over = (np.floor(u * 12) + np.floor(v * 12)) % 2
    along_u, along_v = np.abs(np.sin(np.pi * v * 12)), np.abs(np.sin(np.pi * u * 12))
    height = np.where(over > 0, along_u, 0.85 * along_v)
    return _unit(height + 0.12 * _noise("weave", (2, 12))), _relief(height)


def _pebble() -> tuple[Floats, Floats]:
    height = -(np.abs(_noise("pebble", (5, 5))) ** 0.6)
    return _unit(0.6 * height + 0.1 * _noise("leather", (14, 14))), _relief(height)


def _nap() -> tuple[Floats, Floats]:
    soft = _noise("nap", (20, 9)) + 0.5 * _noise("nap fine", (3, 2))
    return _unit(soft), _relief(_noise("nap fine", (3, 2)))


def _fine() -> tuple[Floats, Floats]:
    return _noise("fine", (2, 2)), _relief(_noise("fine", (2, 2)))


def _sheen() -> tuple[Floats, Floats]:
    drape = _noise("drape", (40, 13))
    return drape, _relief(_noise("drape", (40, 13)))


def _pile() -> tuple[Floats, Floats]:
    brushed = _noise("pile", (26, 18))
    return _unit(brushed + 0.3 * _noise("pile fine", (1.5, 1.5))), _relief(brushed)


def _straw() -> tuple[Floats, Floats]:
    u, v = _grid()
    over = (np.floor(u * 8) + np.floor(v * 8)) % 2
    strands = np.where(over > 0, np.abs(np.sin(np.pi * v * 24)), np.abs(np.sin(np.pi * u * 24)))
    crown = np.where(over > 0, np.sin(np.pi * (u * 8 % 1)), np.sin(np.pi * (v * 8 % 1)))
    height = crown**0.5 + 0.35 * strands
    return _unit(height + 0.1 * _noise("straw", (5, 5))), _relief(height)


def _grain() -> tuple[Floats, Floats]:
    u, v = _grid()
    warp = v + 0.035 * _noise("grain warp", (22, 60))
    rings = np.sin(2 * np.pi * 7 * warp) + 0.5 * np.sin(2 * np.pi * 17 * warp + 1)
    fibres = _noise("fibres", (1, 24))
    return _unit(0.8 * rings + 0.6 * fibres), _relief(fibres + 0 * u)


def _brushed() -> tuple[Floats, Floats]:
    lines = _noise("brushed", (0.8, 60))
    return lines, lines


def _speckle() -> tuple[Floats, Floats]:
    field = _noise("speckle", (2.4, 2.4))
    spots = smoothstep(1.7, 2.1, field)
    return -2.6 * spots + 0.35 * _noise("glaze", (16, 16)), _relief(_noise("clay", (4, 12)))


_GRAINS: dict[str, tuple[Callable[[], tuple[Floats, Floats]], float]] = {
    "jersey": (_jersey, 0.16),
    "knit": (_knit, 0.36),
    "weave": (_weave, 0.34),
    "pebble": (_pebble, 0.26),
    "nap": (_nap, 0.4),
    "fine": (_fine, 0.4),
    "sheen": (_sheen, 0.8),
    "pile": (_pile, 0.5),
    "straw": (_straw, 0.42),
    "grain": (_grain, 0.45),
    "brushed": (_brushed, 0.5),
    "speckle": (_speckle, 0.55),
}
GRAINS = tuple(_GRAINS)


@cache
def grain(name: str) -> Tile:
    """Tile of a material's grain: channels (albedo variation, relief), both about zero with unit variance."""
    draw, period = _GRAINS[name]
    return _build(draw(), period)


def _striped(u: Floats, v: Floats) -> Floats:
    return np.asarray(v % 0.5 < 0.17, dtype=np.float64)


def _dotted(u: Floats, v: Floats) -> Floats:
    def spot(x: float, y: float) -> Flags:
        return np.asarray(np.hypot((u - x + 0.5) % 1 - 0.5, (v - y + 0.5) % 1 - 0.5) < 0.17)

    return np.asarray(spot(0.25, 0.25) | spot(0.75, 0.75), dtype=np.float64)


def _checked(u: Floats, v: Floats) -> Floats:
    return 0.5 * (u < 0.37) + 0.5 * (v < 0.37)


def _zigzag(u: Floats, v: Floats) -> Floats:
    return np.asarray((v + 0.5 * np.abs((u * 2) % 1 - 0.5)) % 0.5 < 0.17, dtype=np.float64)


def _floral(u: Floats, v: Floats) -> Floats:
    mask = np.zeros_like(u)
    for x, y, radius, petals, turn in (
        (0.3, 0.28, 0.25, 5, 0.4),
        (0.78, 0.74, 0.2, 6, 1.1),
        (0.8, 0.2, 0.09, 4, 0.0),
        (0.26, 0.8, 0.11, 4, 0.6),
    ):
        dx, dy = (u - x + 0.5) % 1 - 0.5, (v - y + 0.5) % 1 - 0.5
        reach, angle = np.hypot(dx, dy), np.arctan2(dy, dx) + turn
        flower = reach < radius * (0.55 + 0.45 * np.abs(np.cos(petals * angle / 2)))
        mask = np.where(flower & ~(reach < 0.28 * radius), 1.0, mask)
    return mask


_PATTERNS: dict[str, tuple[Callable[[Floats, Floats], Floats], float]] = {
    "striped": (_striped, 0.2),
    "dotted": (_dotted, 0.2),
    "checked": (_checked, 0.2),
    "zigzag": (_zigzag, 0.2),
    "floral": (_floral, 0.3),
}


@cache
def pattern(name: str) -> Tile:
    """Tile of a pattern: one channel, the share of the second colour in [0, 1]; not for plain and two-tone."""
    draw, period = _PATTERNS[name]
    fine = draw(*_grid(3 * _SIDE))
    return _build((fine.reshape(_SIDE, 3, _SIDE, 3).mean(axis=(1, 3)),), period)
