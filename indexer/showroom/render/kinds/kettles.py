"""Kettles; the spout points to +x."""

import numpy as np

from indexer.showroom.render.arrays import Floats
from indexer.showroom.render.curves import spline
from indexer.showroom.render.kinds.vessels import radius_at
from indexer.showroom.render.mesh import Mesh, Part, union
from indexer.showroom.render.model import Model
from indexer.showroom.render.primitives import ball, box, lathe, torus, tube
from indexer.showroom.render.seeds import Traits


def kettle(t: Traits) -> Model:
    body, spout = t.pick("round", "cone", "cylinder", "pear"), t.pick("short", "gooseneck", "beak")
    handle, knob = t.pick("arch", "side", "swing"), t.pick("ball", "disc", "ring")
    knots = {
        "round": [(0.26, 0), (0.4, 0.12), (0.42, 0.28), (0.3, 0.46), (0.18, 0.52)],
        "cone": [(0.42, 0), (0.42, 0.04), (0.32, 0.3), (0.19, 0.58)],
        "cylinder": [(0.33, 0), (0.345, 0.03), (0.345, 0.3), (0.335, 0.5), (0.22, 0.55)],
        "pear": [(0.32, 0), (0.41, 0.1), (0.36, 0.28), (0.22, 0.46), (0.17, 0.58)],
    }[body]
    tall = t.uniform(0.92, 1.12)
    profile = spline(np.array(knots) * np.array([1, tall]), 30)
    r, top = float(profile[-1, 0]), float(profile[-1, 1])
    shell = lathe(np.concatenate([[(0, 0), profile[0]], profile, [(0, top)]]), Part.BODY, segments=60)
    lid = lathe(
        spline([(r * 1.02, top - 0.005), (r * 0.98, top + 0.025), (r * 0.5, top + 0.055), (0, top + 0.06)], 12),
        Part.TRIM,
    )
    base = lathe(
        [(0, -0.03), (profile[0, 0] * 1.03, -0.03), (profile[0, 0] * 1.05, 0.012), (profile[0, 0] * 0.9, 0.02)],
        Part.DARK,
    )
    pieces = [
        shell,
        lid,
        base,
        _knob(knob).moved(0, top + 0.06, 0),
        _spout(spout, profile, top),
        *_kettle_handle(handle, profile, top),
    ]
    return Model(union(*pieces), yaw=-16, pitch=12, split=0.4)


def _knob(style: str) -> Mesh:
    if style == "ball":
        return ball(0.045, Part.WOOD, segments=20).moved(0, 0.035, 0)
    if style == "disc":
        return lathe([(0.02, 0), (0.02, 0.03), (0.06, 0.035), (0.06, 0.055), (0, 0.06)], Part.DARK)
    return torus(0.04, 0.012, Part.BRASS, segments=24).moved(0, 0.04, 0)


def _spout(style: str, profile: Floats, top: float) -> Mesh:
    low = 0.3 if style != "beak" else 0.72
    x, y = radius_at(profile, top * low), top * low
    if style == "gooseneck":
        path, width = (
            [(x - 0.04, y, 0), (x + 0.16, y + 0.01, 0), (x + 0.2, y + 0.25, 0), (x + 0.3, top * 0.98, 0)],
            (0.06, 0.022),
        )
    elif style == "short":
        path, width = [(x - 0.05, y, 0), (x + 0.1, y + 0.12, 0), (x + 0.22, top * 0.86, 0)], (0.1, 0.035)
    else:
        path, width = [(x - 0.08, y - 0.08, 0), (x + 0.06, y + 0.06, 0), (x + 0.17, top * 1.0, 0)], (0.13, 0.045)
    return tube(spline(path, 22), np.linspace(*width, 22), Part.BODY, sides=18)


def _kettle_handle(style: str, profile: Floats, top: float) -> list[Mesh]:
    if style == "side":
        y0, y1 = top * 0.2, top * 0.86
        x0, x1 = -radius_at(profile, y0) + 0.01, -radius_at(profile, y1) + 0.01
        out = min(x0, x1) - 0.2
        path = spline(
            [
                (x1, y1, 0),
                (out + 0.04, y1 + 0.06, 0),
                (out - 0.02, y1 - 0.08, 0),
                (out + 0.06, y0 + 0.04, 0),
                (x0, y0, 0),
            ],
            26,
        )
        return [tube(path, 0.034, Part.DARK, flat=1.2, sides=14)]
    x = radius_at(profile, top * 0.8)
    rise = 0.34 if style == "arch" else 0.24
    path = spline(
        [
            (-x, top * 0.8, 0),
            (-x * 0.95, top + rise * 0.6, 0),
            (0, top + rise, 0),
            (x * 0.95, top + rise * 0.6, 0),
            (x, top * 0.8, 0),
        ],
        30,
    )
    grip = path[9:21]
    return [
        tube(path, 0.016, Part.CHROME),
        tube(grip, 0.036, Part.WOOD if style == "arch" else Part.DARK, sides=14),
        box(0.05, 0.06, 0.07, Part.CHROME).moved(-x, top * 0.8, 0),
        box(0.05, 0.06, 0.07, Part.CHROME).moved(x, top * 0.8, 0),
    ]
