"""Plant pots and what grows in them."""

import numpy as np

from indexer.showroom.render.arrays import Floats
from indexer.showroom.render.curves import spline
from indexer.showroom.render.kinds.vessels import hollow_vessel
from indexer.showroom.render.mesh import Mesh, Part, patch, union
from indexer.showroom.render.model import Model
from indexer.showroom.render.primitives import lathe, rod
from indexer.showroom.render.seeds import Traits


def plant_pot(t: Traits) -> Model:
    body, base = t.pick("tapered", "cylinder", "belly", "square", "bowl"), t.pick("saucer", "legs", "none")
    plant, rim = t.pick("cactus", "blades", "rosette", "bush"), t.pick(True, False)
    h = t.uniform(0.52, 0.66)
    knots = {
        "tapered": [(0.28, 0), (0.31, 0.2), (0.36, 0.6), (0.41, 1)],
        "cylinder": [(0.36, 0), (0.37, 0.1), (0.37, 0.6), (0.37, 1)],
        "belly": [(0.26, 0), (0.39, 0.25), (0.44, 0.55), (0.35, 1)],
        "square": [(0.27, 0), (0.29, 0.2), (0.32, 0.6), (0.34, 1)],
        "bowl": [(0.2, 0), (0.4, 0.25), (0.48, 0.6), (0.47, 1)],
    }[body]
    lift = 0.2 if base == "legs" else 0.04 if base == "saucer" else 0.0
    profile = spline(np.array(knots) * np.array([1, h * (0.8 if body == "bowl" else 1)]) + np.array([0, lift]), 26)
    square = 5.0 if body == "square" else 2.0
    r, top = float(profile[-1, 0]), float(profile[-1, 1])
    pieces = [hollow_vessel(profile, 0.03, top - 0.06, exponent=square, inside=Part.SOIL)]
    if rim:
        pieces.append(
            lathe(
                [
                    (r, top - 0.13),
                    (r + 0.035, top - 0.12),
                    (r + 0.04, top),
                    (r + 0.02, top + 0.02),
                    (r - 0.03, top + 0.015),
                ],
                Part.BODY,
                exponent=square,
                segments=56,
            )
        )
    pieces += _stand(base, profile, lift, square) + _plant(plant, r, top - 0.06, t)
    return Model(union(*pieces), yaw=24, pitch=14, split=0.3)


def _stand(base: str, profile: Floats, lift: float, exponent: float) -> list[Mesh]:
    r = float(profile[0, 0])
    if base == "saucer":
        return [
            lathe(
                [(0, 0), (r * 1.15, 0), (r * 1.42, 0.06), (r * 1.38, 0.075), (r * 1.1, 0.03), (0, 0.03)],
                Part.BODY,
                exponent=exponent,
            )
        ]
    if base == "legs":
        reach = float(profile[:, 0].max()) * 0.9
        return [
            rod(
                (reach * 0.95 * np.sin(a), 0, reach * 0.95 * np.cos(a)),
                (reach * np.sin(a), lift + 0.3, reach * np.cos(a)),
                0.024,
                Part.WOOD,
                taper=1.25,
            )
            for a in np.radians([45, 135, 225, 315])
        ]
    return []


def _leaf(length: float, width: float, lean: float, turn: float, fold: float = 0.25) -> Mesh:
    """Leaf rising from the origin and bending outwards."""
    s, c = np.linspace(0, 1, 9)[:, None], np.linspace(-1, 1, 5)[None]
    half = width * np.sin(np.pi * np.clip(s * 0.94 + 0.06, 0, 1)) ** 0.8
    out = length * lean * s**1.8
    points = np.stack(
        np.broadcast_arrays(half * c, length * s * (1 - 0.35 * lean * s) + fold * half * c**2, out), axis=2
    )
    return patch(points, Part.LEAF, facing=(0, 1, 1)).two_sided().turned("y", turn)


def _plant(plant: str, r: float, y: float, t: Traits) -> list[Mesh]:
    if plant == "cactus":
        tall = t.uniform(0.26, 0.36)
        column = spline([(0.09, 0), (0.12, tall * 0.3), (0.12, tall * 0.75), (0.06, tall * 0.97), (0, tall)], 16)
        return [lathe(column, Part.LEAF, segments=60, flutes=10, depth=0.12).moved(0, y, 0)]
    count, length, width, low, high = {
        "blades": (9, 0.42, 0.045, 0.05, 0.35),
        "rosette": (18, 0.24, 0.06, 0.5, 1.5),
        "bush": (22, 0.34, 0.075, 0.3, 1.2),
    }[plant]
    leaves = []
    for k in range(count):
        long = length * t.uniform(0.75, 1.1)
        leaves.append(
            _leaf(long, width, t.uniform(low, high), k * 137.5).moved(
                0.25 * r * np.sin(k * 2.4), y, 0.25 * r * np.cos(k * 2.4)
            )
        )
    return leaves
