"""A product's few main colours in CIELAB: deterministic k-means over the foreground of a small copy."""

import math
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

from indexer.images.clusters import Mass, mean, squares_between, weighted_k_means
from indexer.images.colour import Lab, difference, srgb_to_lab
from indexer.images.foreground import separate

if TYPE_CHECKING:
    from indexer.domain import Pixels

Planes = npt.NDArray[np.float32]
"""Shape (3, n): all L*, all a*, all b*, which NumPy goes through several times as fast as through (n, 3)."""

_SIDE = 64
"""Longest side of the copy that is looked at, in pixels."""
_CLUSTERS = 6
_ROUNDS = 6
_BIN = 3.0
"""Pixels within a cube of this many Lab units are one point of the k-means."""
_MERGE_BELOW = 10.0
"""CIEDE2000 under which two clusters are one colour."""
_UNLIKE_IN_LIGHT = 17.5
"""A difference in L* that is 10 CIEDE2000 by itself: S_L is 1.75 at most."""
_MOST_COLOURS = 5
_BRIGHT, _NEUTRAL = 78.0, 6.0
"""L* from which, and chroma up to which, a backdrop is meant to be white."""
_BLACK = np.array([[16], [0], [0]], np.float32)
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
    small = pixels if max(pixels.shape[:2]) <= _SIDE else np.asarray(small_copy(Image.fromarray(pixels)))
    lab = srgb_to_lab(small)
    parts = separate(lab)
    used = np.flatnonzero(parts.weights > 0)
    planes = np.ascontiguousarray(lab.reshape(-1, 3).take(used, axis=0).T)
    points, mass = _binned(_exposed(planes, parts.backdrop), parts.weights.ravel()[used])
    centres, masses = weighted_k_means(points, mass, _starts(points, mass), _ROUNDS)
    centres, shares = _merged(centres, masses / mass.sum())
    order = np.argsort(-shares, kind="stable")[:_MOST_COLOURS]
    order = order[shares[order] >= min(_LEAST_SHARE, shares.max())]
    total = shares[order].sum()
    return Palette(tuple(_colour(centres[k], shares[k] / total) for k in order))


def _exposed(planes: Planes, backdrop: Lab | None) -> Planes:
    """Brightened until a bright neutral backdrop is white, as a photographer would; otherwise unchanged.

    A change of exposure scales all of XYZ, and with it L* + 16, a* and b* by the cube root.
    """
    if backdrop is None:
        return planes
    lightness, a, b = mean(backdrop.reshape(-1, 3))
    if lightness < _BRIGHT or np.hypot(a, b) > _NEUTRAL:
        return planes
    factor = max(1.0, 116 / (lightness + 16))
    return np.asarray((planes + _BLACK) * factor - _BLACK, np.float32)


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


def _binned(planes: Planes, weights: npt.NDArray[np.float32]) -> tuple[Lab, Mass]:
    """Weighted means of the occupied cubes of Lab space (n, 3), and their mass (n,)."""
    cells = np.floor(planes / _BIN).astype(np.intp)
    cells -= cells.min(axis=1, keepdims=True)
    _, across, along = cells.max(axis=1) + 1
    cell = (cells[0] * across + cells[1]) * along + cells[2]
    mass = np.asarray(np.bincount(cell, weights), np.float64)
    occupied = np.flatnonzero(mass > 0)
    mass = mass[occupied]
    means = np.stack([np.bincount(cell, weights * plane)[occupied] / mass for plane in planes])
    return means.astype(np.float32).T, mass


def _starts(points: Lab, mass: Mass) -> Lab:
    """The heaviest point, then each time the one with the largest mass times squared distance to those taken."""
    chosen = [int(mass.argmax())]
    squares = squares_between(points, points[chosen])[0]
    while len(chosen) < _CLUSTERS and squares.max() > _BIN**2:
        chosen.append(int((mass * squares).argmax()))
        squares = np.minimum(squares, squares_between(points, points[chosen[-1:]])[0])
    return points[chosen]


def _merged(centres: Lab, shares: npt.NDArray[np.float64]) -> tuple[Lab, npt.NDArray[np.float64]]:
    """Nearest pairs joined until all are at least 10 CIEDE2000 apart."""
    while len(centres) > 1:
        pairs = combinations(enumerate(centres.tolist()), 2)
        near = [(i, j, one, two) for (i, one), (j, two) in pairs if abs(one[0] - two[0]) < _UNLIKE_IN_LIGHT]
        apart, first, second = min(((difference(one, two), i, j) for i, j, one, two in near), default=(math.inf, 0, 0))
        if apart >= _MERGE_BELOW:
            break
        both = shares[first] + shares[second]
        centres[first] = (centres[first] * shares[first] + centres[second] * shares[second]) / both
        shares[first] = both
        centres, shares = np.delete(centres, second, axis=0), np.delete(shares, second)
    return centres, shares
