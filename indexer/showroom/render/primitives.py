"""Solids that the kinds are built from."""

from collections.abc import Sequence

import numpy as np

from indexer.showroom.render.arrays import Floats
from indexer.showroom.render.curves import Points, rounded_rectangle, superellipse
from indexer.showroom.render.mesh import Mesh, Part, patch, union


def lathe(
    profile: Points, part: Part, *, segments: int = 44, exponent: float = 2.0, flutes: int = 0, depth: float = 0.0
) -> Mesh:
    """Surface of revolution about y of a profile of (radius, height); the uv seam is at the back.

    `exponent` above 2 squares the cross-section; `flutes` waves of relative `depth` run round it.
    """
    rz = np.asarray(profile, dtype=np.float64)
    angle = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    s, c = np.sin(angle), -np.cos(angle)
    swell = (np.abs(c) ** exponent + np.abs(s) ** exponent) ** (-1 / exponent) * (1 + depth * np.cos(flutes * angle))
    radius = rz[:, :1] * swell
    height = np.broadcast_to(rz[:, 1:], radius.shape)
    return patch(np.stack([radius * s, height, radius * c], axis=2), part, wrap=True)


def loft(rings: Floats, part: Part, *, caps: bool = True) -> Mesh:
    """Surface through closed rings (R, C, 3), its ends closed to their centres with `caps`."""
    rings = np.asarray(rings, dtype=np.float64)
    if caps:
        ends = [np.broadcast_to(ring.mean(axis=0), ring.shape)[None] for ring in (rings[0], rings[-1])]
        rings = np.concatenate([ends[0], rings[:1], rings, rings[-1:], ends[1]])
    return patch(rings, part, wrap=True)


def _frames(path: Floats, closed: bool) -> tuple[Floats, Floats]:
    """Normals and binormals along a path by projection of one fixed up vector, carried on where it degenerates."""
    ahead = np.roll(path, -1, axis=0) - np.roll(path, 1, axis=0)
    if not closed:
        ahead[0], ahead[-1] = path[1] - path[0], path[-1] - path[-2]
    ahead /= np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-12)
    extent = np.ptp(path, axis=0)
    normal = np.eye(3)[int(np.argmin(extent))]
    normals = np.empty_like(path)
    for i, tangent in enumerate(ahead):
        normal = normal - tangent * (normal @ tangent)
        normal /= max(float(np.linalg.norm(normal)), 1e-9)
        normals[i] = normal
    return normals, np.cross(ahead, normals)


def tube(
    path: Points,
    radius: float | Floats,
    part: Part,
    *,
    sides: int = 10,
    closed: bool = False,
    flat: float = 1.0,
    exponent: float = 2.0,
) -> Mesh:
    """Tube along a path (N, 3); `flat` scales it across the path's plane normal (a strap lies flat with > 1)."""
    line = np.asarray(path, dtype=np.float64)
    normals, binormals = _frames(line, closed)
    section = superellipse(2, 2, exponent, sides)
    reach = np.broadcast_to(np.asarray(radius, dtype=np.float64), (len(line),))[:, None, None]
    offset = flat * section[None, :, :1] * normals[:, None] + section[None, :, 1:] * binormals[:, None]
    rings = line[:, None] + reach * offset
    if closed:
        return patch(np.concatenate([rings, rings[:1]]), part, wrap=True)
    return loft(rings, part)


def rod(
    start: Sequence[float] | Floats,
    end: Sequence[float] | Floats,
    radius: float,
    part: Part,
    *,
    sides: int = 10,
    taper: float = 1.0,
) -> Mesh:
    """Straight tube whose radius ends at `taper` times its start."""
    path = np.linspace(np.asarray(start, dtype=np.float64), np.asarray(end, dtype=np.float64), 2)
    return tube(path, radius * np.array([1.0, taper]), part, sides=sides)


def slab(
    outline: Points,
    depth: float,
    part: Part,
    *,
    bevel: float = 0.02,
    puff: float = 0.0,
    side: Part | None = None,
    rows: int = 5,
) -> Mesh:
    """Star-shaped outline (C, 2) in the xy plane, extruded to z = +-depth / 2, edges rounded by `bevel`.

    `puff` bulges both faces by that height at the centre, like a cushion. Faces carry planar uv.
    """
    ring = np.asarray(outline, dtype=np.float64)
    centre = ring.mean(axis=0)
    reach = float(np.linalg.norm(ring - centre, axis=1).mean())
    bevel = min(bevel, depth / 2)
    turn = np.linspace(0, np.pi / 2, 5)[1:]
    inner = 1 - bevel / reach
    scale = np.concatenate([np.linspace(0, inner, rows), inner + (1 - inner) * np.sin(turn)])
    height = np.concatenate([np.full(rows, depth / 2), depth / 2 - bevel * (1 - np.cos(turn))])
    height = height + puff * (1 - scale**2) ** 0.8
    xy = centre + scale[:, None, None] * (ring - centre)
    front = np.concatenate([xy, np.broadcast_to(height[:, None, None], (*xy.shape[:2], 1))], axis=2)
    back = front * np.array([1.0, 1.0, -1.0])
    uv = np.concatenate([xy, xy[:, :1]], axis=1)
    edge = np.stack([front[-1], back[-1]])
    return union(
        patch(front, part, wrap=True, uv=uv, facing=(0, 0, 1)),
        patch(back, part, wrap=True, uv=uv * np.array([-1.0, 1.0]), facing=(0, 0, -1)),
        patch(edge, part if side is None else side, wrap=True),
    )


def box(width: float, height: float, depth: float, part: Part, *, radius: float = 0.02, puff: float = 0.0) -> Mesh:
    """Box with rounded edges, centred; `puff` bulges its front and back."""
    return slab(rounded_rectangle(width, height, radius), depth, part, bevel=radius, puff=puff)


def ball(
    radius: float, part: Part, *, segments: int = 28, stretch: tuple[float, float, float] = (1.0, 1.0, 1.0)
) -> Mesh:
    """Sphere or, with `stretch`, ellipsoid about the origin."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, segments // 2 + 1)
    profile = radius * np.stack([np.cos(angle).round(12), np.sin(angle)], axis=1)
    return lathe(profile, part, segments=segments).scaled(*stretch)


def torus(radius: float, thickness: float, part: Part, *, segments: int = 48, sides: int = 10) -> Mesh:
    """Ring about the z axis."""
    angle = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    path = np.stack([radius * np.cos(angle), radius * np.sin(angle), np.zeros(segments)], axis=1)
    return tube(path, thickness, part, sides=sides, closed=True)


def disc(
    radius: float, depth: float, part: Part, *, bevel: float = 0.01, segments: int = 36, puff: float = 0.0
) -> Mesh:
    """Flat cylinder about the z axis."""
    return slab(superellipse(2 * radius, 2 * radius, 2, segments), depth, part, bevel=bevel, puff=puff, rows=3)
