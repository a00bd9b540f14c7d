"""A product's few main colours in CIELAB: deterministic k-means over the foreground of a small copy."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

from indexer.images.colour import Lab, ciede2000, srgb_to_lab
from indexer.images.foreground import separate, squares_between

if TYPE_CHECKING:
    from indexer.domain import Pixels

_SIDE = 64
"""Longest side of the copy that is looked at, in pixels."""
_CLUSTERS = 6
_ROUNDS = 6
_BIN = 3.0
"""Pixels within a cube of this many Lab units are one point of the k-means."""
_MERGE_BELOW = 10.0
"""CIEDE2000 under which two clusters are one colour."""
_MOST_COLOURS = 5
_BRIGHT, _NEUTRAL = 78.0, 6.0
"""L* from which, and chroma up to which, a backdrop is meant to be white."""
_BLACK = np.array([16, 0, 0], np.float32)
_LEAST_SHARE = 0.03


@dataclass(frozen=True, slots=True)
class PaletteColour:
    """`lab` is CIELAB (D65); `share` of the foreground, 0 to 1."""

    lab: tuple[float, float, float]
    share: float


@dataclass(frozen=True, slots=True)
class Palette:
    """At most five colours, largest share first; the shares sum to 1."""

    colours: tuple[PaletteColour, ...]


def palette(pixels: "Pixels") -> Palette:
    """Of uint8 sRGB pixels (h, w, 3) of any size; the same pixels always give the same palette."""
    lab = srgb_to_lab(np.asarray(small_copy(Image.fromarray(pixels))))
    parts = separate(lab)
    points, weights = _binned(_exposed(lab, parts.backdrop).reshape(-1, 3), parts.weights.ravel())
    centres, shares = _merged(*_k_means(points, weights))
    order = np.argsort(-shares, kind="stable")[:_MOST_COLOURS]
    order = order[shares[order] >= min(_LEAST_SHARE, shares.max())]
    total = shares[order].sum()
    return Palette(tuple(_colour(centres[k], shares[k] / total) for k in order))


def _exposed(lab: Lab, backdrop: Lab | None) -> Lab:
    """Brightened until a bright neutral backdrop is white, as a photographer would; otherwise unchanged.

    A change of exposure scales all of XYZ, and with it L* + 16, a* and b* by the cube root.
    """
    if backdrop is None:
        return lab
    lightness, a, b = backdrop.reshape(-1, 3).mean(axis=0)
    if lightness < _BRIGHT or np.hypot(a, b) > _NEUTRAL:
        return lab
    factor = max(1.0, 116 / (lightness + 16))
    return np.asarray((lab + _BLACK) * factor - _BLACK, np.float32)


def small_copy(image: Image.Image) -> Image.Image:
    """At most 64 px a side, each pixel the mean of those it covers: all that `palette` looks at."""
    scale = _SIDE / max(image.size)
    if scale >= 1:
        return image
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(size, Image.Resampling.BOX)


def _colour(lab: Lab, share: float) -> PaletteColour:
    lightness, a, b = (round(float(value), 2) for value in lab)
    return PaletteColour((lightness, a, b), round(float(share), 4))


def _binned(points: Lab, weights: npt.NDArray[np.float32]) -> tuple[Lab, npt.NDArray[np.float64]]:
    """Weighted means of the occupied cubes of Lab space, heaviest first: (n, 3) and (n,)."""
    used = weights > 0
    points, weights = points[used], weights[used]
    cells = np.floor(points / _BIN).astype(np.int64) + 64
    _, cell = np.unique(cells @ np.array([1 << 16, 1 << 8, 1]), return_inverse=True)
    mass = np.asarray(np.bincount(cell, weights), np.float64)
    means = np.stack([np.bincount(cell, weights * points[:, k]) / mass for k in range(3)], axis=1)
    order = np.argsort(-mass, kind="stable")
    return means[order].astype(np.float32), mass[order]


def _k_means(points: Lab, mass: npt.NDArray[np.float64]) -> tuple[Lab, npt.NDArray[np.float64]]:
    """Centres (k, 3) and their share of the mass, k at most 6; starts at heavy points far from each other."""
    centres = _starts(points, mass)
    weighted = np.concatenate([points * mass[:, None], mass[:, None]], axis=1)
    labels = np.arange(len(centres))[:, None]
    sums = np.zeros((len(centres), 4))
    for _ in range(_ROUNDS):
        sums = (squares_between(points, centres).argmin(axis=1) == labels) @ weighted
        centres = (sums[:, :3] / np.maximum(sums[:, 3:], 1e-9)).astype(np.float32)
    used = sums[:, 3] > 0
    return centres[used], sums[used, 3] / mass.sum()


def _starts(points: Lab, mass: npt.NDArray[np.float64]) -> Lab:
    """The heaviest point, then each time the one with the largest mass times squared distance to those taken."""
    chosen = [0]
    squares = squares_between(points, points[:1])[:, 0]
    while len(chosen) < _CLUSTERS and squares.max() > _BIN**2:
        chosen.append(int((mass * squares).argmax()))
        squares = np.minimum(squares, squares_between(points, points[chosen[-1:]])[:, 0])
    return points[chosen]


def _merged(centres: Lab, shares: npt.NDArray[np.float64]) -> tuple[Lab, npt.NDArray[np.float64]]:
    """Nearest pairs joined until all are at least 10 CIEDE2000 apart."""
    while len(centres) > 1:
        apart = ciede2000(centres[:, None], centres[None])
        np.fill_diagonal(apart, np.inf)
        first, second = divmod(int(apart.argmin()), len(centres))
        if apart[first, second] >= _MERGE_BELOW:
            break
        both = shares[first] + shares[second]
        centres[first] = (centres[first] * shares[first] + centres[second] * shares[second]) / both
        shares[first] = both
        centres, shares = np.delete(centres, second, axis=0), np.delete(shares, second)
    return centres, shares
