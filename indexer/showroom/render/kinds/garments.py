"""The parts that garments share, on an invisible body; z points out of the chest."""

from collections.abc import Callable

import numpy as np

from indexer.showroom.render.arrays import Floats
from indexer.showroom.render.curves import smoothstep, spline
from indexer.showroom.render.mesh import Mesh, Part, patch, union
from indexer.showroom.render.primitives import tube
from indexer.showroom.render.seeds import Traits

COLUMNS = 64


TURN = np.linspace(0, 2 * np.pi, COLUMNS, endpoint=False)


def body_rings(rows: list[tuple[float, float, float]], count: int, exponent: float = 2.4) -> Floats:
    """Smooth rings (count, C, 3) through rows of (height, half width, half depth); column 0 is the back's middle."""
    y, w, d = spline(rows, count).T[:, :, None]
    s, c = np.sin(TURN), -np.cos(TURN)
    swell = (np.abs(s) ** exponent + np.abs(c) ** exponent) ** (-1 / exponent)
    return np.stack(np.broadcast_arrays(w * swell * s, y, d * swell * c), axis=2)


def folded(rings: Floats, t: Traits, strength: Callable[[Floats], Floats]) -> Floats:
    """Push rings in and out in soft drapes, `strength` of the height."""
    y = rings[:, :1, 1]
    wave = np.zeros(rings.shape[:2])
    for _ in range(5):
        k, tilt, phase = t.rng.integers(2, 9), t.uniform(-9, 9), t.uniform(0, 6.3)
        wave += np.sin(k * TURN + tilt * y + phase) / k**0.5
    push = 1 + (strength(y) * wave)[..., None] * np.array([1.0, 0.0, 1.6])
    return np.asarray(rings * push)


def cut_neckline(rings: Floats, kind: str, depth: float) -> Floats:
    """Lower the front of the upper rings into a neckline."""
    front = np.clip(-np.cos(TURN), 0, 1)
    shape = {
        "crew": front**1.5,
        "v": np.clip(1 - np.abs(np.sin(TURN)) * 1.05, 0, 1) * (front > 0),
        "scoop": front**0.8,
        "boat": front**2,
        "square": smoothstep(0.3, 0.55, front),
    }[kind]
    reach = np.linspace(0, 1, len(rings))[:, None] ** 2.2
    lowered = rings.copy()
    lowered[..., 1] -= depth * shape * reach
    lowered[..., 2] += 0.12 * depth * shape * reach
    return lowered


def _cloth_uv(rings: Floats) -> Floats:
    """Cut-to-shape cloth (R, C + 1, 2): u is the way round from the front's middle, v the height."""
    turn = np.linspace(-np.pi, np.pi, COLUMNS + 1)
    girth = np.hypot(rings[..., 0], rings[..., 2]).mean(axis=1, keepdims=True)
    heights = np.broadcast_to(rings[:, :1, 1], (len(rings), COLUMNS + 1))
    return np.stack([girth * turn, heights], axis=2)


def close_garment(rings: Floats, parts: list[Part] | None = None, hem: Part = Part.BODY) -> Mesh:
    """Close the rings: the hem and the neck open into a lining."""
    top, bottom = rings[-1], rings[0]
    collar = top + np.array([0, 0.006, 0])
    within = top * np.array([0.9, 1, 0.9]) - np.array([0, 0.03, 0])
    deep = within * np.array([0.9, 1, 0.8]) - np.array([0, 0.12, 0])
    floor = np.broadcast_to(deep.mean(axis=0), deep.shape)
    neck = patch(np.stack([floor, deep, within, collar]), Part.LINING, wrap=True, facing=(0, 1, 0))
    lip = bottom * np.array([0.97, 1, 0.94]) + np.array([0, 0.02, 0])
    under = np.stack([np.broadcast_to(lip.mean(axis=0), lip.shape), lip, bottom])
    cells = np.full((len(rings) - 1, COLUMNS), int(Part.BODY))
    if parts is not None:
        cells[:] = np.array([int(p) for p in parts])[:, None]
    cells[0] = hem
    return union(
        patch(rings, cells, wrap=True, uv=_cloth_uv(rings)),
        neck,
        patch(under, Part.LINING, wrap=True, facing=(0, -1, 0)),
    )


def _sleeve(path: list[tuple[float, float, float]], radii: list[float], t: Traits, cuff: Part, count: int = 16) -> Mesh:
    """Right sleeve along a path from the shoulder; its end opens into a lining."""
    line, radius = spline(path, count), spline(np.array(radii)[:, None], count)[:, 0]
    ahead = np.gradient(line, axis=0)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    up = np.cross(np.array([0, 0, 1.0]), ahead)
    angle = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    crumple = 1 + 0.035 * np.sin(3 * angle + t.uniform(0, 6) + np.arange(count)[:, None] * 0.9)
    crumple[0] = 1
    reach = (radius[:, None] * crumple)[..., None]
    rings = line[:, None] + reach * (
        np.cos(angle)[:, None] * up[:, None] + 0.72 * np.sin(angle)[:, None] * np.array([0, 0, 1.0])
    )
    cells = np.full((count - 1, 28), int(Part.BODY))
    cells[-1] = cuff
    end = rings[-1]
    inner = end.mean(axis=0) + 0.86 * (end - end.mean(axis=0)) - 0.02 * ahead[-1]
    deep = np.broadcast_to(end.mean(axis=0) - 0.06 * ahead[-1], end.shape)
    mouth = patch(np.stack([deep, inner, end]), Part.LINING, wrap=True, facing=tuple(ahead[-1].tolist()))
    return union(patch(rings, cells, wrap=True), mouth)


def both_sides(sleeve: Mesh) -> list[Mesh]:
    return [sleeve, sleeve.mirrored()]


def collar_ring(rings: Floats, thickness: float, part: Part) -> Mesh:
    return tube(rings[-1], thickness, part, sides=8, closed=True, flat=1.0)


def torso_rows(
    width: float, length: float, waist: float, neck: float, bare: bool = False
) -> list[tuple[float, float, float]]:
    """Rows of a top from the hem (y = 1 - length) to the neck at y = 1; `bare` cuts it in at the arms."""
    low = 1 - length
    if bare:
        arms = [
            (0.74, width * 0.97, 0.135),
            (0.8, width * 0.84, 0.125),
            (0.87, width * 0.66, 0.1),
            (0.94, width * 0.6, 0.075),
            (0.975, width * 0.5, 0.072),
            (1.0, width * 0.42, 0.085),
        ]
        return [(low, width, 0.135), (low + 0.5 * (0.74 - low), width * waist, 0.128), *arms]
    return [
        (low, width * 1.0, 0.135),
        (low + 0.3 * (0.72 - low), width * waist, 0.128),
        (low + 0.65 * (0.72 - low), width * (0.5 + 0.5 * waist), 0.135),
        (0.74, width * 0.99, 0.135),
        (0.84, width * 0.985, 0.115),
        (0.905, width * 0.93, 0.085),
        (0.95, width * 0.72, 0.072),
        (0.972, (width * 0.72 + neck) / 2, 0.076),
        (0.992, neck, 0.088),
    ]


def pair_of_sleeves(t: Traits, sleeve: str, width: float, cuff: Part, wide: float = 1.0) -> list[Mesh]:
    x = width * 0.8
    r = 0.115 * wide
    if sleeve == "none":
        return []
    if sleeve in ("short", "cap"):
        k = 1.0 if sleeve == "short" else 0.5
        path = [
            (x - 0.09, 0.83, -0.01),
            (x, 0.815, -0.005),
            (x + 0.09 * k + 0.04, 0.775, 0),
            (x + 0.17 * k + 0.05, 0.70 + 0.06 * (1 - k), 0.01),
        ]
        return both_sides(_sleeve(path, [r * 0.55, r * 0.84, r * 0.98, r * 0.97], t, cuff))
    reach = 1.0 if sleeve == "long" else 0.62
    end = (x + 0.17 + 0.06 * reach, 0.8 - 0.52 * reach, 0.05 * reach)
    path = [
        (x - 0.09, 0.83, -0.01),
        (x, 0.812, -0.005),
        (x + 0.09, 0.745, 0.0),
        (x + 0.15, 0.8 - 0.27 * reach, 0.01),
        end,
    ]
    return both_sides(_sleeve(path, [r * 0.55, r * 0.84, r * 0.9, r * 0.76, r * 0.58], t, cuff, 26))
