"""Mugs, bowls and vases: hollow surfaces of revolution and what is fixed to them."""

import numpy as np

from indexer.showroom.render.arrays import Floats
from indexer.showroom.render.curves import Points, spline
from indexer.showroom.render.mesh import Mesh, Part, union
from indexer.showroom.render.model import Model
from indexer.showroom.render.primitives import lathe, torus, tube
from indexer.showroom.render.seeds import Traits


def hollow_vessel(
    outer: Points,
    wall: float,
    floor: float,
    *,
    exponent: float = 2.0,
    flutes: int = 0,
    depth: float = 0.0,
    inside: Part = Part.BODY,
) -> Mesh:
    """Vessel with an inside: `outer` runs from the foot's edge to the rim as (radius, height)."""
    shell = np.asarray(outer, dtype=np.float64)
    rim = shell[-1]
    lip = np.array(
        [
            (rim[0] - wall * 0.15, rim[1] + wall * 0.4),
            (rim[0] - wall * 0.5, rim[1] + wall * 0.55),
            (rim[0] - wall * 0.85, rim[1] + wall * 0.4),
        ]
    )
    inner = shell[::-1] - np.array([wall, 0])
    inner = inner[(inner[:, 0] > wall) & (inner[:, 1] > floor)]
    outside = np.concatenate([[(0, shell[0, 1]), shell[0]], shell, lip])
    within = np.concatenate([lip[-1:], inner, [(inner[-1, 0], floor)], [(inner[-1, 0], floor), (0, floor)]])
    body = lathe(outside, Part.BODY, segments=56, exponent=exponent, flutes=flutes, depth=depth)
    cavity = lathe(within, inside, segments=56, exponent=exponent, flutes=flutes, depth=depth)
    return union(body, Mesh(cavity.vertices, -cavity.normals, cavity.uv, cavity.faces[:, ::-1], cavity.parts))


def radius_at(profile: Floats, y: float) -> float:
    return float(np.interp(y, profile[:, 1], profile[:, 0]))


def mug(t: Traits) -> Model:
    body = t.pick("straight", "tapered", "bellied", "flared", "barrel", "conical")
    handle, tall = t.pick("c", "d", "ear", "loop", "square"), t.pick(0.8, 0.62, 1.0)
    band = t.pick("none", "foot", "rim")
    r, h = t.uniform(0.32, 0.38), tall * t.uniform(0.95, 1.05)
    knots = {
        "straight": [(1, 0), (1, 0.06), (1, 0.5), (1, 1)],
        "tapered": [(1.1, 0), (1.12, 0.06), (1.0, 0.5), (0.86, 1)],
        "bellied": [(0.72, 0), (0.98, 0.12), (1.16, 0.42), (0.92, 0.8), (0.96, 1)],
        "flared": [(0.7, 0), (0.76, 0.1), (0.86, 0.5), (1.16, 1)],
        "barrel": [(0.84, 0), (0.96, 0.14), (1.06, 0.5), (0.9, 1)],
        "conical": [(0.62, 0), (0.68, 0.06), (0.9, 0.5), (1.12, 1)],
    }[body]
    profile = spline(np.array(knots) * np.array([r, h]), 26)
    profile[0, 1], profile[-1, 1] = 0, h
    pieces = [hollow_vessel(profile, 0.03, 0.05, inside=Part.BODY), _mug_handle(handle, profile, h)]
    if band == "foot":
        pieces.append(
            lathe(
                [(r * 0.5, -0.02), (profile[0, 0] * 1.05, -0.02), (profile[0, 0] * 1.06, 0.03), (profile[0, 0], 0.04)],
                Part.TRIM,
            )
        )
    if band == "rim":
        ring = torus(radius_at(profile, h) - 0.012, 0.022, Part.TRIM).turned("x", 90).moved(0, h, 0)
        pieces.append(ring)
    return Model(union(*pieces), yaw=-18, pitch=18, split=0.42)


def _mug_handle(style: str, profile: Floats, h: float) -> Mesh:
    """Handle to the right, in the xy plane, from `profile` and back."""
    low, high = {"c": (0.22, 0.8), "d": (0.16, 0.84), "ear": (0.2, 0.86), "loop": (0.3, 0.78), "square": (0.2, 0.82)}[
        style
    ]
    y0, y1 = low * h, high * h
    x0, x1 = radius_at(profile, y0) - 0.015, radius_at(profile, y1) - 0.015
    out = max(x0, x1)
    knots = {
        "c": [(x1, y1), (out + 0.16, y1 + 0.01), (out + 0.24, (y0 + y1) / 2), (out + 0.15, y0), (x0, y0)],
        "d": [(x1, y1), (out + 0.2, y1 - 0.01), (out + 0.23, y1 - 0.1), (out + 0.08, y0 + 0.06), (x0, y0)],
        "ear": [(x1, y1 - 0.02), (out + 0.12, y1 + 0.08), (out + 0.27, y1 - 0.06), (out + 0.1, y0 + 0.12), (x0, y0)],
        "loop": [(x1, y1), (out + 0.1, y1 + 0.02), (out + 0.17, (y0 + y1) / 2), (out + 0.1, y0 - 0.02), (x0, y0)],
        "square": [
            (x1, y1),
            (out + 0.19, y1),
            (out + 0.21, y1 - 0.03),
            (out + 0.21, y0 + 0.03),
            (out + 0.19, y0),
            (x0, y0),
        ],
    }[style]
    path = spline(np.array([(x, y, 0.0) for x, y in knots]), 26)
    swell = 1 + 0.25 * np.abs(np.linspace(-1, 1, 26)) ** 3
    return tube(path, 0.036 * swell, Part.BODY, flat=1.25, sides=14)


def bowl(t: Traits) -> Model:
    body, foot = t.pick("round", "conical", "flared", "straight", "coupe"), t.pick("ring", "none", "pedestal")
    rim, depth = t.pick("plain", "scalloped", "handles", "square"), t.uniform(0.32, 0.46)
    knots = {
        "round": [(0.4, 0), (0.78, 0.18), (0.97, 0.6), (1, 1)],
        "conical": [(0.36, 0), (0.5, 0.15), (0.76, 0.58), (1, 1)],
        "flared": [(0.42, 0), (0.68, 0.2), (0.76, 0.65), (1, 1)],
        "straight": [(0.72, 0), (0.88, 0.08), (0.94, 0.5), (0.97, 1)],
        "coupe": [(0.3, 0), (0.7, 0.2), (1.04, 0.6), (0.96, 1)],
    }[body]
    lift = {"ring": 0.05, "none": 0.0, "pedestal": 0.18}[foot]
    profile = spline(np.array(knots) * np.array([0.5, depth]) + np.array([0, lift]), 26)
    flutes, wave = (14, 0.035) if rim == "scalloped" else (0, 0.0)
    square = 4.0 if rim == "square" else 2.0
    pieces = [hollow_vessel(profile, 0.026, lift + 0.04, exponent=square, flutes=flutes, depth=wave)]
    if foot != "none":
        r, waist = profile[0, 0], 0.72 if foot == "pedestal" else 0.96
        ring = [(0, 0), (r * 1.02, 0), (r * 1.0, 0.015), (r * waist, lift * 0.6), (r * 0.95, lift + 0.03)]
        pieces.append(lathe(np.array(ring), Part.TRIM))
    if rim == "handles":
        y = lift + depth * 0.78
        x = radius_at(profile, y) - 0.01
        path = spline([(x, y, -0.1), (x + 0.09, y + 0.02, -0.06), (x + 0.09, y + 0.02, 0.06), (x, y, 0.1)], 16)
        pieces += [tube(path, 0.025, Part.BODY), tube(path, 0.025, Part.BODY).mirrored()]
    return Model(union(*pieces), yaw=14, pitch=24, split=0.5)


def vase(t: Traits) -> Model:
    body = t.pick("bottle", "amphora", "cylinder", "gourd", "trumpet", "moon", "teardrop", "urn")
    flutes, handles = t.pick(0, 14, 0, 6), t.pick(False, True)
    knots = {
        "bottle": [(0.2, 0), (0.27, 0.1), (0.27, 0.4), (0.1, 0.62), (0.075, 0.85), (0.1, 1)],
        "amphora": [(0.12, 0), (0.2, 0.2), (0.3, 0.55), (0.16, 0.8), (0.11, 0.88), (0.17, 1)],
        "cylinder": [(0.22, 0), (0.235, 0.05), (0.235, 0.5), (0.235, 0.95), (0.23, 1)],
        "gourd": [(0.18, 0), (0.3, 0.22), (0.14, 0.52), (0.19, 0.72), (0.09, 0.9), (0.12, 1)],
        "trumpet": [(0.17, 0), (0.13, 0.1), (0.1, 0.35), (0.16, 0.7), (0.31, 1)],
        "moon": [(0.16, 0), (0.34, 0.2), (0.42, 0.45), (0.26, 0.72), (0.1, 0.8), (0.11, 0.9)],
        "teardrop": [(0.2, 0), (0.32, 0.16), (0.28, 0.38), (0.15, 0.7), (0.08, 1)],
        "urn": [(0.2, 0), (0.15, 0.08), (0.26, 0.3), (0.36, 0.62), (0.3, 0.8), (0.34, 0.88)],
    }[body]
    scale = np.array([t.uniform(0.85, 1.15), 1.0])
    profile = spline(np.array(knots) * scale, 40)
    pieces = [hollow_vessel(profile, 0.022, 0.1, flutes=flutes, depth=0.045 if flutes == 14 else 0.07)]
    if handles:
        top = float(profile[-1, 1])
        y0, y1 = top * 0.58, top * 0.9
        x0, x1 = radius_at(profile, y0) - 0.02, radius_at(profile, y1) - 0.01
        out = max(x0, x1) + 0.1
        ear = tube(spline([(x0, y0, 0), (out, y0 + 0.05, 0), (out, y1 - 0.02, 0), (x1, y1, 0)], 22), 0.022, Part.TRIM)
        pieces += [ear, ear.mirrored()]
    return Model(union(*pieces), yaw=20, pitch=12, split=0.45)
