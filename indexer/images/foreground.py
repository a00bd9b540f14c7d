"""Which pixels are the product: a colour model of the picture's border, no learnt model.

Product photos stand on a plain or modest background that reaches the border. The border's colours are clustered in
CIELAB; what resembles them and is connected to the border is background. When the border has no uniform colour
(a room, a street), the product is taken to be in the middle."""

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from indexer.images.clusters import distance_between, k_means, spread_out, squares_between
from indexer.images.colour import Lab, srgb_to_lab
from indexer.images.joined import Mask, core, reachable_from_border, without_specks
from indexer.images.person import Weights, wearer, weighted

if TYPE_CHECKING:
    from indexer.domain import Pixels

Distance = npt.NDArray[np.float32]
"""Shape (h, w): CIELAB distance from the background."""

_BORDER_CLUSTERS, _BORDER_ROUNDS = 3, 3
_FAR = 0.95
"""A cluster starts at a border pixel farther from the other clusters' starts than this share of them."""
_BACKGROUND_SHARE = 0.22
"""A cluster of border pixels is background from this share on; less is the product leaving the picture."""
_UNIFORM_SHARE = 0.55
"""The background's clusters explain at least this much of a border worth trusting."""
_LEAST_DISTANCE, _MOST_DISTANCE = 3.0, 14.0
"""Bounds of the Lab distance that separates product from background; between them it follows the border's noise."""
_LEAST_FOREGROUND = 0.02
_SHADOW_TINT, _DARKEST_SHADOW, _SOFT_STEP = 5.0, 0.5, 13.0
"""A shadow's distance from the background in a* and b*, its least share of the background's L*, and its steepest
change of L* from one pixel to the next in a 64 px picture."""
_UNLIKE, _LEAST_UNLIKE, _LEAST_LIT = 16.0, 0.45, 0.3
"""A shadow is taken away when this share of the rest is so far from its colour, and so much is left."""
_ROUGH, _FEWEST_POINTS = 0.8, 30
"""A smooth backdrop's pixels are on average so near in Lab to the surface fitted through at least so many of them."""
_RIDGE = 1e-3 * np.eye(6, dtype=np.float32)
"""Keeps the fit solvable where those pixels lie in one line."""
_THIN = 0.5
"""A product of which less than this remains without its outermost pixels has no inside to trust alone."""
_CLIPPED = 98.5
"""L* from which a background has been bleached to white, shadows included."""


def foreground(pixels: "Pixels") -> Weights:
    """Weights of shape (h, w) for uint8 pixels of shape (h, w, 3); never all zero. Meant for at most 128 px a side."""
    return separate(srgb_to_lab(pixels)).weights


class Separation(NamedTuple):
    """A picture taken apart."""

    weights: Weights
    backdrop: Lab | None
    """Shape (h, w, 3): the smooth backdrop, also where the product hides it; None if there is none."""
    skin: Mask | None = None
    """Shape (h, w): of somebody who plainly wears the product; None where nobody does."""


def separate(lab: Lab) -> Separation:
    """The same as `foreground` for a picture (h, w, 3) that is already in CIELAB, with the backdrop found."""
    shape = lab.shape[:2]
    border = _border(lab)
    centres, explained = _background_colours(border)
    if explained < _UNIFORM_SHARE:
        return Separation(_ellipse(*shape), None)
    noise = np.partition(_to_nearest(border, centres), rank := int(0.9 * explained * len(border)))[rank]
    limit = min(max(3 * float(noise), _LEAST_DISTANCE), _MOST_DISTANCE)
    distance = _to_nearest(lab.reshape(-1, 3), centres).reshape(shape)
    surface = _surface(lab, reachable_from_border(distance < limit))
    if surface is not None:
        distance, limit = distance_between(lab, surface), _LEAST_DISTANCE
    found = _product(lab, distance, limit, surface)
    weights, skin = (_ellipse(*shape), None) if found is None else found
    return Separation(weights, surface, skin)


def _product(lab: Lab, distance: Distance, limit: float, surface: Lab | None) -> tuple[Weights, Mask | None] | None:
    """Weights and a wearer's skin; None where nothing stands out from the background."""
    background = reachable_from_border(distance < limit)
    mask = without_specks(~background)
    if np.count_nonzero(mask) < _LEAST_FOREGROUND * mask.size:
        return None
    if surface is not None and surface[..., 0].max() < _CLIPPED:
        mask = _without_shadow(mask, lab, background, surface)
    mask = _without_holes(mask, distance < limit * 0.8, distance)
    inside = core(mask)
    if np.count_nonzero(inside) < _THIN * np.count_nonzero(mask):
        return np.asarray(mask * np.clip(distance / _MOST_DISTANCE, 0.02, 1), np.float32), None
    skin = wearer(lab, inside)
    return weighted(inside, skin), skin


def _surface(lab: Lab, background: Mask) -> Lab | None:
    """A smooth backdrop (h, w, 3), quadratic in x and y, through the background's pixels; None if it does not fit."""
    terms = _terms(*background.shape)
    rows = np.flatnonzero(background)[::3]
    if len(rows) < _FEWEST_POINTS:
        return None
    known, colours = terms.take(rows, axis=0), lab.reshape(-1, 3).take(rows, axis=0)
    solution = np.linalg.solve(known.T @ known + _RIDGE, known.T @ colours)
    if np.abs(known @ solution - colours).mean() > _ROUGH:
        return None
    return np.asarray((terms @ solution).reshape(lab.shape), np.float32)


@lru_cache(maxsize=16)
def _terms(height: int, width: int) -> npt.NDArray[np.float32]:
    """1, x, y, x², xy, y² for each pixel: (h * w, 6)."""
    y, x = (axis.ravel() for axis in np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j])
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1).astype(np.float32)


def _without_shadow(mask: Mask, lab: Lab, background: Mask, surface: Lab) -> Mask:
    """Without what has the backdrop's tint, is darker, and is joined to the backdrop by soft transitions.

    A white or grey product shades just so; when what is left resembles what went, nothing is taken.
    """
    apart = lab - surface
    apart *= apart
    tinted = apart[..., 1] + apart[..., 2] >= _SHADOW_TINT**2
    lightness = np.ascontiguousarray(lab[..., 0])
    shade = lightness / np.maximum(surface[..., 0], 1)
    soft = (shade > _DARKEST_SHADOW) & (shade < 1.02) & (_steepness(lightness) < _SOFT_STEP) & ~tinted
    shadow = reachable_from_border(background | soft) & mask
    lit = without_specks(mask & ~shadow)
    if not shadow.any() or np.count_nonzero(lit) < _LEAST_LIT * np.count_nonzero(mask):
        return mask
    unlike = _to_nearest(_chosen(lab, lit), _chosen(lab, shadow).mean(axis=0, keepdims=True)) > _UNLIKE
    return lit if unlike.mean() > _LEAST_UNLIKE else mask


def _steepness(lightness: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Largest change of L* towards a neighbour below or to the right or their opposites, per pixel."""
    down, right = np.abs(lightness[1:] - lightness[:-1]), np.abs(lightness[:, 1:] - lightness[:, :-1])
    steep = np.zeros_like(lightness)
    np.maximum(steep[1:], down, out=steep[1:])
    np.maximum(steep[:-1], down, out=steep[:-1])
    np.maximum(steep[:, 1:], right, out=steep[:, 1:])
    np.maximum(steep[:, :-1], right, out=steep[:, :-1])
    return steep


def _chosen(lab: Lab, mask: Mask) -> Lab:
    """The pixels (n, 3) of a mask."""
    return lab.reshape(-1, 3).take(np.flatnonzero(mask), axis=0)


def _border(lab: Lab) -> Lab:
    """Every other of the outer 2 pixels, shape (n, 3)."""
    sides = (lab[:2, ::2], lab[-2:, ::2], lab[2:-2:2, :2], lab[2:-2:2, -2:])
    return np.concatenate([side.reshape(-1, 3) for side in sides])


def _background_colours(border: Lab) -> tuple[Lab, float]:
    """Centres (k, 3) of the large clusters among the border's pixels, and the share of pixels near one of them."""
    middle = len(border) // 2
    starts = spread_out(border, np.partition(border, middle, axis=0)[middle], _BORDER_CLUSTERS, _FAR)
    centres = k_means(border, starts, _BORDER_ROUNDS)
    squares = squares_between(border, centres)
    near = squares.min(axis=0) < _MOST_DISTANCE**2
    shares = np.bincount(squares.argmin(axis=0)[near], minlength=len(centres)) / len(border)
    kept = shares >= _BACKGROUND_SHARE
    return centres[kept], float(shares[kept].sum())


def _to_nearest(points: Lab, centres: Lab) -> npt.NDArray[np.float32]:
    """Lab distance (n,) of each point (n, 3) from the centre nearest to it."""
    return np.asarray(np.sqrt(squares_between(points, centres).min(axis=0)), np.float32)


def _without_holes(mask: Mask, like_background: Mask, distance: Distance) -> Mask:
    """Without enclosed patches of the background, unless the whole product is about that colour."""
    holes = without_specks(mask & like_background)
    product = mask & ~holes
    size = np.count_nonzero(product)
    if not size or np.count_nonzero(product & (distance < _MOST_DISTANCE)) > 0.5 * size:
        return mask
    return product


def _ellipse(height: int, width: int) -> Weights:
    """1 in the middle, falling to 0 at an ellipse that touches the sides."""
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None]
    return np.asarray(np.clip(1.25 * (1 - (x**2 + y**2)), 0.001, 1), np.float32)
