"""Triangle meshes and the operations that put them together.

Space is right-handed: x to the right, y up, z towards the viewer. A finished product is about one unit large.
"""

from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np

from indexer.showroom.render.arrays import Floats, Ints

Vec = tuple[float, float, float]


class Part(IntEnum):
    """What a face is made of; `surfaces.surface_of` says how a look fills it."""

    BODY = 0
    TRIM = 1
    CLOTH = 2
    LINING = 3
    SOLE = 4
    RUBBER = 5
    CHROME = 6
    BRASS = 7
    DARK = 8
    WOOD = 9
    LENS = 10
    CREAM = 11
    GLOW = 12
    LEAF = 13
    SOIL = 14
    TAN = 15


@dataclass(frozen=True)
class Mesh:
    """Vertices (V, 3), unit normals (V, 3), uv in world units (V, 2), faces (F, 3), part of each face (F,)."""

    vertices: Floats
    normals: Floats
    uv: Floats
    faces: Ints
    parts: Ints

    def moved(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> "Mesh":
        return replace(self, vertices=self.vertices + np.array([x, y, z]))

    def turned(self, axis: str, degrees: float) -> "Mesh":
        """Rotated about the origin, anticlockwise seen from the axis' positive end."""
        turn = rotation(axis, degrees).T
        return replace(self, vertices=self.vertices @ turn, normals=self.normals @ turn)

    def scaled(self, x: float, y: float, z: float) -> "Mesh":
        """Stretched by positive factors; uv stay."""
        factors = np.array([x, y, z])
        normals = self.normals / factors
        return replace(
            self,
            vertices=self.vertices * factors,
            normals=normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12),
        )

    def mirrored(self) -> "Mesh":
        """Reflected in the plane x = 0."""
        flip = np.array([-1.0, 1.0, 1.0])
        return replace(self, vertices=self.vertices * flip, normals=self.normals * flip, faces=self.faces[:, ::-1])

    def two_sided(self, inside: Part | None = None) -> "Mesh":
        """With a back to every face, in part `inside` where given."""
        count = len(self.vertices)
        back = self.parts if inside is None else np.full_like(self.parts, inside)
        return Mesh(
            np.concatenate([self.vertices, self.vertices - 2e-3 * self.normals]),
            np.concatenate([self.normals, -self.normals]),
            np.concatenate([self.uv, self.uv]),
            np.concatenate([self.faces, self.faces[:, ::-1] + count]),
            np.concatenate([self.parts, back]),
        )


def rotation(axis: str, degrees: float) -> Floats:
    """Rotation matrix (3, 3) about x, y or z."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    matrix = np.eye(3)
    matrix[[i, i, j, j], [i, j, i, j]] = c, -s, s, c
    return matrix


def union(*meshes: Mesh) -> Mesh:
    """All meshes in one; surfaces may interpenetrate, the depth buffer sorts them out."""
    starts = np.cumsum([0] + [len(m.vertices) for m in meshes[:-1]])
    return Mesh(
        np.concatenate([m.vertices for m in meshes]),
        np.concatenate([m.normals for m in meshes]),
        np.concatenate([m.uv for m in meshes]),
        np.concatenate([m.faces + start for m, start in zip(meshes, starts, strict=True)]),
        np.concatenate([m.parts for m in meshes]),
    )


def _grid_normals(points: Floats, wrap: bool) -> Floats:
    """Area-weighted vertex normals of a grid (R, C, 3); with `wrap` the last column repeats the first."""
    cross = np.cross(points[1:, 1:] - points[:-1, :-1], points[1:, :-1] - points[:-1, 1:])
    total = np.zeros_like(points)
    for rows in (slice(None, -1), slice(1, None)):
        for columns in (slice(None, -1), slice(1, None)):
            total[rows, columns] += cross
    if wrap:
        total[:, [0, -1]] = total[:, :1] + total[:, -1:]
    for row in (0, -1):
        if np.ptp(points[row], axis=0).max() < 1e-9:
            total[row] = total[row].sum(axis=0)
    return np.asarray(total / np.maximum(np.linalg.norm(total, axis=2, keepdims=True), 1e-12))


def _arc_lengths(points: Floats) -> tuple[Floats, Floats]:
    """Mean arc length along the columns (C,) and along the rows (R,) of a grid."""
    across = np.linalg.norm(np.diff(points, axis=1), axis=2)
    down = np.linalg.norm(np.diff(points, axis=0), axis=2).mean(axis=1)
    u = np.concatenate([[0.0], np.cumsum(across.max(axis=0))])
    return u, np.concatenate([[0.0], np.cumsum(down)])


PATTERN_PERIOD = 0.2
"""World length of one pattern repeat; circumferences are snapped to it so that no seam shows."""


def patch(
    points: Floats,
    part: Part | Ints,
    *,
    wrap: bool = False,
    uv: Floats | None = None,
    facing: Vec | None = None,
) -> Mesh:
    """Surface over a grid of points (R, C, 3), closed across the columns with `wrap`.

    Two equal rows make a crease. Faces look away from the enclosed volume, or towards `facing`.
    `part` is one part or one per grid cell.
    """
    points = np.asarray(points, dtype=np.float64)
    if wrap:
        points = np.concatenate([points, points[:, :1]], axis=1)
    rows, columns = points.shape[:2]
    if uv is None:
        u, v = _arc_lengths(points)
        if wrap:
            u = u * (max(round(u[-1] / PATTERN_PERIOD), 1) * PATTERN_PERIOD / max(u[-1], 1e-9))
        uv = np.stack(np.broadcast_arrays(u[None, :], v[:, None]), axis=2)
    corner = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = corner[:-1, :-1], corner[:-1, 1:], corner[1:, 1:], corner[1:, :-1]
    faces = np.stack([np.stack([a, b, c], axis=2), np.stack([a, c, d], axis=2)], axis=2).reshape(-1, 3)
    cells = np.broadcast_to(np.asarray(part, dtype=np.int64), (rows - 1, columns - 1))
    normals = _grid_normals(points, wrap).reshape(-1, 3)
    vertices = points.reshape(-1, 3)
    if _inverted(vertices, normals, faces, facing):
        normals, faces = -normals, faces[:, ::-1]
    faces, parts = _without_slivers(vertices, faces, np.repeat(cells.ravel(), 2))
    return Mesh(vertices, normals, uv.reshape(-1, 2), faces, parts)


def _inverted(vertices: Floats, normals: Floats, faces: Ints, facing: Vec | None) -> bool:
    a, b, c = (vertices[faces[:, k]] - vertices.mean(axis=0) for k in range(3))
    cross = np.cross(b - a, c - a)
    if facing is not None:
        return float(cross.sum(axis=0) @ np.array(facing)) < 0
    return float((a * cross).sum()) < 0


def _without_slivers(vertices: Floats, faces: Ints, parts: Ints) -> tuple[Ints, Ints]:
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    keep = np.linalg.norm(np.cross(b - a, c - a), axis=1) > 1e-10
    return faces[keep], parts[keep]
