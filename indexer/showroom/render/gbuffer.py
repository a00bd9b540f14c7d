"""The geometry pass: everything shading needs to know about the visible surface, independent of the look."""

from dataclasses import dataclass

import numpy as np

from indexer.showroom.render.arrays import Floats, Ints
from indexer.showroom.render.camera import Camera
from indexer.showroom.render.mesh import Part
from indexer.showroom.render.model import Solid
from indexer.showroom.render.raster import Visible, visible


@dataclass(frozen=True)
class GBuffer:
    """Shading points sorted by part, and how they add up to pixels.

    A pixel whose samples agree is one point; an edge pixel is one point per covered sample. `pixel` (M,) is each
    point's pixel, `weight` (M,) its share of it. Camera axes: `normal` (3, M), `to_eye` (3, M). `uv` (2, M) and
    `footprint` (world size of a pixel) in world units. `openness`, `height` (M,) as in `Solid`.
    """

    size: int
    alpha: Floats
    parts: tuple[tuple[Part, slice], ...]
    pixel: Ints
    weight: Floats
    normal: Floats
    to_eye: Floats
    uv: Floats
    openness: Floats
    height: Floats
    footprint: float

    def resolve(self, colour: Floats, backdrop: Floats) -> Floats:
        """Point colours (3, M) over a backdrop (3, size, size), linear light."""
        image = np.empty_like(backdrop)
        clear = 1 - self.alpha
        for channel in range(3):
            summed = np.bincount(self.pixel, self.weight * colour[channel], minlength=self.size**2)
            image[channel] = summed.reshape(self.size, self.size) + clear * backdrop[channel]
        return image


@dataclass(frozen=True)
class _Samples:
    """Shading points of a cropped raster: pixel row and column in the crop, exact place (pixel units), face, weight."""

    row: Ints
    column: Ints
    y: Floats
    x: Floats
    face: Ints
    weight: Floats


def geometry_pass(solid: Solid, camera: Camera, size: int, samples: int) -> GBuffer:
    """G-buffer of size x size pixels with samples x samples coverage samples each."""
    mesh = solid.mesh
    screen, near = camera.project(mesh.vertices)
    left, top = np.clip(np.floor(screen.min(axis=0)), 0, size - 1).astype(int)
    right, bottom = np.clip(np.ceil(screen.max(axis=0)), 1, size).astype(int)
    width, height = max(right - left, 1), max(bottom - top, 1)
    corner = np.array([left, top])
    seen = visible((screen - corner) * samples, near, mesh.faces, width * samples, height * samples)
    points, alpha = _merge(seen, mesh.parts, samples)
    x, y = points.x + np.float32(left), points.y + np.float32(top)
    attributes = np.concatenate(
        [mesh.normals @ camera.turn.T, mesh.uv, solid.openness[:, None], solid.height[:, None]], axis=1
    ).astype(np.float32)
    values = _interpolate(screen.astype(np.float32), near.astype(np.float32), attributes, mesh.faces[points.face], x, y)
    whole = np.zeros((size, size), dtype=np.float32)
    whole[top : top + height, left : left + width] = alpha
    return GBuffer(
        size=size,
        alpha=whole,
        parts=_part_slices(mesh.parts[points.face]),
        pixel=(points.row + top) * size + points.column + left,
        weight=points.weight,
        normal=_unit(values[:3]),
        to_eye=_unit(-camera.ray(x, y).astype(np.float32)),
        uv=values[3:5],
        openness=np.clip(values[5], 0, 1),
        height=values[6],
        footprint=camera.distance / camera.focal,
    )


def _unit(vectors: Floats) -> Floats:
    """Vectors (3, M) at length one."""
    return np.asarray(vectors / np.sqrt(np.maximum((vectors * vectors).sum(axis=0), 1e-12)))


def _part_slices(parts: Ints) -> tuple[tuple[Part, slice], ...]:
    """Where each part lies in sorted part ids."""
    edges = np.searchsorted(parts, np.arange(len(Part) + 1)).tolist()
    return tuple((part, slice(edges[part], edges[part + 1])) for part in Part if edges[part] < edges[part + 1])


def _merge(seen: Visible, parts: Ints, samples: int) -> tuple[_Samples, Floats]:
    """One point for a pixel whose samples agree, else one per covered sample, sorted by part; and the coverage."""
    cells = [(i, j) for i in range(samples) for j in range(samples)]
    face = np.stack([seen.face[i::samples, j::samples].ravel() for i, j in cells])
    near = np.stack([seen.nearness[i::samples, j::samples].ravel() for i, j in cells])
    part = np.append(parts, len(Part)).astype(np.int8)[face]
    hit = part < len(Part)
    count = hit.sum(axis=0, dtype=np.int8)
    low, high = part.min(axis=0), part.max(axis=0)
    agree = (low == high) & (high < len(Part)) & (near.max(axis=0) < np.float32(1.012) * near.min(axis=0))
    whole = np.flatnonzero(agree)
    torn = np.flatnonzero((count > 0) & ~agree)
    sample, slot = np.nonzero(hit[:, torn])
    pixel = np.concatenate([whole, torn[slot]])
    nearest = np.concatenate([face[0, whole], face[sample, torn[slot]]])
    order = np.argsort(parts[nearest].astype(np.uint8), kind="stable")
    rows, columns = np.divmod(pixel, seen.face.shape[1] // samples)
    middle = np.full(len(whole), 0.5)
    y = rows + np.concatenate([middle, (sample // samples + 0.5) / samples])
    x = columns + np.concatenate([middle, (sample % samples + 0.5) / samples])
    weight = np.concatenate([np.ones(len(whole)), np.full(len(slot), 1 / samples**2)])
    y, x = y.astype(np.float32)[order], x.astype(np.float32)[order]
    alpha = (count / np.float32(samples**2)).reshape(seen.face.shape[0] // samples, -1)
    return _Samples(rows[order], columns[order], y, x, nearest[order], weight[order]), alpha


def _interpolate(
    screen: Floats, near: Floats, attributes: Floats, corners: Ints, column: Floats, row: Floats
) -> Floats:
    """Perspective-correct attributes (A, M) at pixels; `corners` (M, 3) are each point's vertices."""
    a, b, c = (screen[corners[:, k]] for k in range(3))
    b, c = b - a, c - a
    dx, dy = column - a[:, 0], row - a[:, 1]
    area = b[:, 0] * c[:, 1] - c[:, 0] * b[:, 1]
    second = (dx * c[:, 1] - dy * c[:, 0]) / area
    third = (b[:, 0] * dy - b[:, 1] * dx) / area
    second, third = np.clip(second, -0.5, 1.5), np.clip(third, -0.5, 1.5)
    w = np.stack([1 - second - third, second, third]) * near[corners.T]
    w /= w.sum(axis=0)
    mixed = sum(w[k][:, None] * attributes[corners[:, k]] for k in range(3))
    return np.ascontiguousarray(np.asarray(mixed, dtype=np.float32).T)
