"""Which pixels are the product: a colour model of the picture's border, no learnt model.

Product photos stand on a plain or modest background that reaches the border. The border's colours are clustered in
CIELAB; what resembles them and is connected to the border is background. When the border has no uniform colour
(a room, a street), the product is taken to be in the middle."""

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from indexer.images.colour import Lab, srgb_to_lab
from indexer.images.person import Mask, Weights, wearer, weighted

if TYPE_CHECKING:
    from indexer.domain import Pixels

Distance = npt.NDArray[np.float32]
"""Shape (h, w): CIELAB distance from the background."""

_BORDER_CLUSTERS = 3
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
_ROUGH, _FEWEST_POINTS, _RIDGE = 0.8, 30, 1e-3
"""A smooth backdrop's pixels are on average so near in Lab to the surface fitted through at least so many of them; the
ridge keeps the fit solvable where they lie in one line."""
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
    border = _border(lab)
    centres, explained = _background_colours(border)
    if explained < _UNIFORM_SHARE:
        return Separation(_ellipse(*lab.shape[:2]), None)
    noise = np.partition(_distance(border, centres), rank := int(0.9 * explained * len(border)))[rank]
    limit = float(np.clip(3 * noise, _LEAST_DISTANCE, _MOST_DISTANCE))
    distance = _distance(lab, centres)
    surface = _surface(lab, _reachable_from_border(distance < limit))
    if surface is not None:
        distance, limit = np.sqrt(((lab - surface) ** 2).sum(axis=-1)), _LEAST_DISTANCE
    found = _product(lab, distance, limit, surface)
    weights, skin = (_ellipse(*lab.shape[:2]), None) if found is None else found
    return Separation(weights, surface, skin)


def _product(lab: Lab, distance: Distance, limit: float, surface: Lab | None) -> tuple[Weights, Mask | None] | None:
    """Weights and a wearer's skin; None where nothing stands out from the background."""
    background = _reachable_from_border(distance < limit)
    mask = _without_specks(~background)
    if mask.mean() < _LEAST_FOREGROUND:
        return None
    if surface is not None and surface[..., 0].max() < _CLIPPED:
        mask = _without_shadow(mask, lab, background, surface)
    mask = _without_holes(mask, distance < limit * 0.8, distance)
    core = _core(mask)
    if core.sum() < _THIN * mask.sum():
        return np.asarray(mask * np.clip(distance / _MOST_DISTANCE, 0.02, 1), np.float32), None
    skin = wearer(lab, core)
    return weighted(core, skin), skin


def _surface(lab: Lab, background: Mask) -> Lab | None:
    """A smooth backdrop (h, w, 3), quadratic in x and y, through the background's pixels; None if it does not fit."""
    terms = _terms(*background.shape)
    rows = np.flatnonzero(background)[::3]
    if len(rows) < _FEWEST_POINTS:
        return None
    known, colours = terms[rows], lab.reshape(-1, 3)[rows]
    solution = np.linalg.solve(known.T @ known + _RIDGE * np.eye(6, dtype=np.float32), known.T @ colours)
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
    tint = np.hypot(lab[..., 1] - surface[..., 1], lab[..., 2] - surface[..., 2])
    shade = lab[..., 0] / np.maximum(surface[..., 0], 1)
    soft = (tint < _SHADOW_TINT) & (shade > _DARKEST_SHADOW) & (shade < 1.02) & (_steepness(lab[..., 0]) < _SOFT_STEP)
    shadow = _reachable_from_border(background | soft) & mask
    lit = _without_specks(mask & ~shadow)
    if not shadow.any() or lit.sum() < _LEAST_LIT * mask.sum():
        return mask
    unlike = _distance(lab[lit], lab[shadow].mean(axis=0, keepdims=True)) > _UNLIKE
    return lit if unlike.mean() > _LEAST_UNLIKE else mask


def _steepness(lightness: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Largest change of L* towards a neighbour below or to the right or their opposites, per pixel."""
    down, right = np.abs(np.diff(lightness, axis=0)), np.abs(np.diff(lightness, axis=1))
    steep = np.zeros_like(lightness)
    np.maximum(steep[1:], down, out=steep[1:])
    np.maximum(steep[:-1], down, out=steep[:-1])
    np.maximum(steep[:, 1:], right, out=steep[:, 1:])
    np.maximum(steep[:, :-1], right, out=steep[:, :-1])
    return steep


def _border(lab: Lab) -> Lab:
    """Every other of the outer 2 pixels, shape (n, 3)."""
    sides = (lab[:2, ::2], lab[-2:, ::2], lab[2:-2:2, :2], lab[2:-2:2, -2:])
    return np.concatenate([side.reshape(-1, 3) for side in sides])


def _background_colours(border: Lab) -> tuple[Lab, float]:
    """Centres (k, 3) of the large clusters among the border's pixels, and the share of pixels near one of them."""
    centres = _spread_out(border)
    for _ in range(3):
        nearest = squares_between(border, centres).argmin(axis=1)
        centres = np.stack(
            [border[nearest == k].mean(axis=0) if (nearest == k).any() else c for k, c in enumerate(centres)]
        )
    squares = squares_between(border, centres)
    near = squares.min(axis=1) < _MOST_DISTANCE**2
    shares = np.bincount(squares.argmin(axis=1)[near], minlength=len(centres)) / len(border)
    kept = shares >= _BACKGROUND_SHARE
    return centres[kept], float(shares[kept].sum())


def _spread_out(points: Lab) -> Lab:
    """Starting centres: the median, then each time the farthest point at the 95th percentile."""
    centres = [np.partition(points, len(points) // 2, axis=0)[len(points) // 2]]
    rank = int(0.95 * (len(points) - 1))
    for _ in range(_BORDER_CLUSTERS - 1):
        squares = squares_between(points, np.stack(centres)).min(axis=1)
        centres.append(points[np.argsort(squares, kind="stable")[rank]])
    return np.stack(centres)


def squares_between(points: Lab, centres: Lab) -> npt.NDArray[np.float32]:
    """Squared Lab distances (n, k) of points (n, 3) and centres (k, 3)."""
    lengths = np.einsum("ij,ij->i", points, points)[:, None] + np.einsum("ij,ij->i", centres, centres)
    return np.asarray(np.maximum(lengths - 2 * (points @ centres.T), 0), np.float32)


def _distance(lab: Lab, centres: Lab) -> npt.NDArray[np.float32]:
    """To the nearest centre; shape of `lab` less its last axis."""
    squares = squares_between(lab.reshape(-1, 3), centres).min(axis=1)
    return np.asarray(np.sqrt(squares).reshape(lab.shape[:-1]), np.float32)


def _reachable_from_border(passable: Mask) -> Mask:
    """Passable pixels joined to the border by passable ones, so that holes in the product stay product."""
    reached = np.zeros_like(passable)
    reached[[0, -1]] = passable[[0, -1]]
    reached[:, [0, -1]] = passable[:, [0, -1]]
    return reachable(reached, passable)


def reachable(reached: Mask, passable: Mask) -> Mask:
    """Passable pixels joined to the reached ones, side by side, by passable ones."""
    count = -1
    while (now := int(reached.sum())) != count:
        count = now
        reached = _along_rows(reached, passable)
        reached = _along_rows(reached.T, passable.T).T
    return reached


def _along_rows(reached: Mask, passable: Mask) -> Mask:
    """Every run of passable pixels in a row that holds a reached one is reached."""
    walls = ~passable
    walls = np.concatenate([np.ones((len(walls), 1), bool), walls], axis=1)
    runs = np.cumsum(walls.ravel()).reshape(walls.shape)[:, 1:]
    hit = np.zeros(int(runs[-1, -1]) + 1, bool)
    hit[runs[reached]] = True
    return np.asarray(hit[runs] & passable, np.bool_)


def _without_specks(mask: Mask) -> Mask:
    """Without pixels that lack a majority of their 3 x 3 neighbourhood: dust, thin lines and JPEG noise."""
    padded = np.zeros((mask.shape[0] + 2, mask.shape[1] + 2), np.uint8)
    padded[1:-1, 1:-1] = mask
    across = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
    return np.asarray((across[:-2] + across[1:-1] + across[2:] >= 5) & mask, np.bool_)


def _core(mask: Mask) -> Mask:
    """Without the outermost pixels, which mix product and background."""
    core = mask.copy()
    core[1:] &= mask[:-1]
    core[:-1] &= mask[1:]
    core[:, 1:] &= mask[:, :-1]
    core[:, :-1] &= mask[:, 1:]
    return core


def _without_holes(mask: Mask, like_background: Mask, distance: npt.NDArray[np.float32]) -> Mask:
    """Without enclosed patches of the background, unless the whole product is about that colour."""
    holes = _without_specks(mask & like_background)
    product = mask & ~holes
    if not product.any() or (distance[product] < _MOST_DISTANCE).mean() > 0.5:
        return mask
    return product


def _ellipse(height: int, width: int) -> Weights:
    """1 in the middle, falling to 0 at an ellipse that touches the sides."""
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None]
    return np.asarray(np.clip(1.25 * (1 - (x**2 + y**2)), 0.001, 1), np.float32)
