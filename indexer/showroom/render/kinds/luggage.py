"""Suitcases; the front looks along +z."""

import numpy as np

from indexer.showroom.render.curves import rounded_rectangle, spline
from indexer.showroom.render.mesh import Mesh, Part, union
from indexer.showroom.render.model import Model
from indexer.showroom.render.primitives import box, disc, rod, torus, tube
from indexer.showroom.render.seeds import Traits


def suitcase(t: Traits) -> Model:
    style, grooves = t.pick("trolley", "vintage", "carry-on", "trunk"), t.pick("vertical", "horizontal", "none")
    corners, radius = t.pick(True, False), t.pick(0.1, 0.05)
    upright = style in ("trolley", "carry-on")
    wide = {"trolley": 0.6, "carry-on": 0.66, "vintage": 1.0, "trunk": 0.95}[style] * t.uniform(0.95, 1.05)
    tall = {"trolley": 0.9, "carry-on": 0.74, "vintage": 0.66, "trunk": 0.52}[style]
    depth = {"trolley": 0.34, "carry-on": 0.3, "vintage": 0.28, "trunk": 0.5}[style]
    pieces = [box(wide, tall, depth, Part.BODY, radius=radius).moved(0, tall / 2, 0)]
    pieces += _grooves(grooves, wide, tall, depth)
    seam = np.concatenate([rounded_rectangle(wide + 0.008, tall + 0.008, radius, 8), np.zeros((36, 1))], axis=1)
    pieces.append(tube(seam, 0.012, Part.DARK if upright else Part.TRIM, closed=True).moved(0, tall / 2, 0))
    if corners:
        pieces += [
            box(0.14, 0.14, depth + 0.02, Part.TRIM, radius=0.05).moved(
                x * (wide / 2 - 0.062), tall / 2 + y * (tall / 2 - 0.062), 0
            )
            for x in (1, -1)
            for y in (1, -1)
        ]
    pieces += _trolley(wide, tall, depth) if upright else _vintage(style, wide, tall, depth)
    return Model(union(*pieces).moved(y=0.06 if upright else 0), yaw=28, pitch=10, split=0.45)


def _grooves(direction: str, wide: float, tall: float, depth: float) -> list[Mesh]:
    ribs = []
    for k in np.linspace(-0.36, 0.36, 6):
        if direction == "vertical":
            ribs.append(box(0.045, tall * 0.84, depth + 0.035, Part.BODY, radius=0.016).moved(k * wide, tall / 2, 0))
        if direction == "horizontal":
            ribs.append(
                box(wide * 0.84, 0.045, depth + 0.035, Part.BODY, radius=0.016).moved(0, tall / 2 + k * tall, 0)
            )
    return ribs


def _trolley(wide: float, tall: float, depth: float) -> list[Mesh]:
    wheel = torus(0.035, 0.024, Part.RUBBER, segments=20, sides=8)
    wheels = [
        wheel.turned("y", 90).moved(x * (wide / 2 - 0.08), -0.005, z * (depth / 2 - 0.06))
        for x in (1, -1)
        for z in (1, -1)
    ]
    x = wide * 0.24
    bars = [
        rod((s * x, tall - 0.02, -depth * 0.3), (s * x, tall + 0.24, -depth * 0.3), 0.014, Part.CHROME) for s in (1, -1)
    ]
    grip = rod((-x - 0.03, tall + 0.25, -depth * 0.3), (x + 0.03, tall + 0.25, -depth * 0.3), 0.026, Part.DARK)
    carry = tube(
        spline([(-0.1, tall, 0), (-0.08, tall + 0.05, 0), (0.08, tall + 0.05, 0), (0.1, tall, 0)], 14),
        0.016,
        Part.DARK,
        flat=1.5,
    )
    return [*wheels, *bars, grip, carry]


def _vintage(style: str, wide: float, tall: float, depth: float) -> list[Mesh]:
    z = depth / 2
    locks = [
        box(0.08, 0.07, 0.03, Part.BRASS, radius=0.01).moved(
            s * wide * 0.28, tall * 0.8 if style == "trunk" else tall - 0.02, z if style == "trunk" else 0.06
        )
        for s in (1, -1)
    ]
    straps = [
        box(0.075, tall + 0.02, depth + 0.02, Part.TAN, radius=0.03).moved(s * wide * 0.28, tall / 2, 0)
        for s in (1, -1)
    ]
    handle = tube(
        spline([(-0.13, tall - 0.01, 0), (-0.1, tall + 0.08, 0), (0.1, tall + 0.08, 0), (0.13, tall - 0.01, 0)], 16),
        0.02,
        Part.TAN,
        flat=1.3,
    )
    feet = [disc(0.03, 0.02, Part.BRASS).turned("x", 90).moved(s * wide * 0.4, -0.005, 0) for s in (1, -1)]
    return [*locks, *straps, handle, *feet]
