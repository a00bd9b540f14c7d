"""A finished product shape: its mesh, how it stands and what light reaches it."""

from dataclasses import dataclass

import numpy as np

from indexer.showroom.render.arrays import Floats
from indexer.showroom.render.mesh import Mesh
from indexer.showroom.render.raster import visible
from indexer.showroom.render.seeds import generator

_DIRECTIONS = 14
_MAP = 72


@dataclass(frozen=True)
class Model:
    """A kind's builder's answer.

    `stands`: on a floor (otherwise it hangs before a wall). `yaw`, `pitch`: camera offset in degrees under which the
    main photo looks best; `turn` scales how far other views walk round it. `split`: share of the height at which the
    two-tone colour block changes.
    """

    mesh: Mesh
    stands: bool = True
    yaw: float = 20.0
    pitch: float = 12.0
    turn: float = 1.0
    split: float = 0.42


@dataclass(frozen=True)
class Solid:
    """A model at unit size, its foot at y = 0, with light baked in.

    `openness` (V,): share of the sky each vertex sees; `height` (V,): 0 at the foot, 1 at the top; `dust` (N, 3):
    points spread evenly over the surface, `dust_area` the surface one of them stands for.
    """

    model: Model
    mesh: Mesh
    openness: Floats
    height: Floats
    dust: Floats
    dust_area: float


def solidify(model: Model) -> Solid:
    """Normalise and bake."""
    mesh = model.mesh
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    factor = 1.0 / float((high - low).max())
    foot = np.array([(low[0] + high[0]) / 2, low[1], (low[2] + high[2]) / 2])
    vertices = (mesh.vertices - foot) * factor
    placed = Mesh(vertices, mesh.normals, mesh.uv * factor, mesh.faces, mesh.parts)
    height = vertices[:, 1] / max(float(vertices[:, 1].max()), 1e-6)
    dust, area = _dust(placed)
    return Solid(model, placed, _openness(placed, model.stands), height, dust, area)


def _directions() -> Floats:
    """Evenly spread directions (D, 3), most of them from above (Fibonacci spiral)."""
    k = np.arange(_DIRECTIONS) + 0.5
    y = 1 - 1.5 * k / _DIRECTIONS
    angle = np.pi * (1 + 5**0.5) * k
    radius = np.sqrt(1 - y * y)
    return np.stack([radius * np.cos(angle), y, radius * np.sin(angle)], axis=1)


def _openness(mesh: Mesh, stands: bool) -> Floats:
    """Ambient visibility of each vertex in [0, 1], cosine-weighted over directions (Zhukov et al. 1998)."""
    seen = np.full(len(mesh.vertices), 1e-3)
    total = np.full(len(mesh.vertices), 1e-3)
    lifted = mesh.vertices + 0.012 * mesh.normals
    for direction in _directions():
        weight = np.maximum(mesh.normals @ direction, 0)
        lit = _unoccluded(mesh, lifted, direction)
        if stands and direction[1] < 0:
            lit = lit * np.clip(mesh.vertices[:, 1] / 0.5, 0, 1)
        seen += weight * lit
        total += weight
    return np.asarray(seen / total)


def _unoccluded(mesh: Mesh, points: Floats, direction: Floats) -> Floats:
    """1 where a parallel ray from `points` towards `direction` leaves the mesh, else 0."""
    side = np.cross(direction, [0.0, 0.0, 1.0] if abs(direction[1]) > 0.9 else [0.0, 1.0, 0.0])
    side /= np.linalg.norm(side)
    basis = np.stack([side, np.cross(side, direction)])
    flat = mesh.vertices @ basis.T
    low = flat.min(axis=0)
    factor = (_MAP - 4) / float((flat.max(axis=0) - low).max())
    near = 4.0 + mesh.vertices @ direction
    buffer = visible((flat - low) * factor + 2, near, mesh.faces, _MAP, _MAP).nearness
    at = np.clip(((points @ basis.T - low) * factor + 2).astype(np.int64), 0, _MAP - 1)
    return np.asarray(4.0 + points @ direction >= buffer[at[:, 1], at[:, 0]] - 0.025, dtype=np.float64)


def _dust(mesh: Mesh, count: int = 3000) -> tuple[Floats, float]:
    """Points spread evenly over the surface (count, 3) and the area each stands for."""
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    rng = generator("dust")
    ends = np.cumsum(area)
    face = np.minimum(np.searchsorted(ends, (np.arange(count) + 0.5) / count * ends[-1]), len(area) - 1)
    r, s = rng.random((2, count, 1))
    root = np.sqrt(r)
    return (1 - root) * a[face] + root * (1 - s) * b[face] + root * s * c[face], float(ends[-1]) / count
