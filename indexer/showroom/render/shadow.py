"""Soft shadows of a product on the floor it stands on or the wall it hangs before."""

import numpy as np
from PIL import Image
from scipy import ndimage

from indexer.showroom.render.arrays import Floats
from indexer.showroom.render.camera import Camera
from indexer.showroom.render.model import Solid

_GRID = 96


def shadow(solid: Solid, camera: Camera, key: Floats, size: int, hardness: float) -> Floats:
    """Share of light the product takes from the ground, (96, 96) over the frame, in [0, 1].

    `key` points to the light in camera axes. Dust on the product is projected along the light, counted per cell and
    blurred: wide for what is high above the ground, tight where it touches. `hardness` in [0, 1] narrows the blur.
    """
    towards = camera.turn.T @ key.astype(np.float64)
    dust = solid.dust
    if solid.model.stands:
        above = dust[:, 1]
        drop = towards / max(float(towards[1]), 0.45)
    else:
        back = float(dust[:, 2].min()) - 0.12
        above = dust[:, 2] - back
        drop = towards / max(float(towards[2]), 0.5)
    landed = dust - above[:, None] * drop
    wide = _splat(solid, camera, landed, size, np.exp(-above * 1.2))
    soft = _blur(wide, 4.2 - 2.8 * hardness)
    if not solid.model.stands:
        return np.asarray(0.55 * (1 - np.exp(-0.9 * soft)))
    under = dust * np.array([1.0, 0.0, 1.0])
    contact = _blur(_splat(solid, camera, under, size, np.exp(-above * 14)), 1.6)
    return np.asarray(1 - np.exp(-0.55 * soft) * np.exp(-1.1 * contact))


def _splat(solid: Solid, camera: Camera, points: Floats, size: int, weight: Floats) -> Floats:
    """Layers of surface over each cell."""
    pixels, near = camera.project(points)
    cell = np.floor(pixels * (_GRID / size)).astype(np.int64)
    inside = ((cell >= 0) & (cell < _GRID)).all(axis=1)
    flat = cell[inside, 1] * _GRID + cell[inside, 0]
    side = size / _GRID / (camera.focal * near[inside])
    layers = weight[inside] * solid.dust_area / side**2
    return np.asarray(np.bincount(flat, layers, minlength=_GRID * _GRID), dtype=np.float64).reshape(_GRID, _GRID)


def _blur(grid: Floats, sigma: float) -> Floats:
    return np.asarray(ndimage.gaussian_filter(grid.astype(np.float32), sigma, mode="nearest", truncate=3.0))


def enlarge(grid: Floats, size: int) -> Floats:
    """Bilinear enlargement of a square grid to size x size."""
    image = Image.fromarray(np.ascontiguousarray(grid, dtype=np.float32))
    return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR))
