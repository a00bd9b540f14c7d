"""Lamps."""

import numpy as np

from indexer.showroom.render.curves import spline
from indexer.showroom.render.mesh import Mesh, Part, union
from indexer.showroom.render.model import Model
from indexer.showroom.render.primitives import ball, disc, lathe, rod, torus, tube
from indexer.showroom.render.seeds import Traits


def _shade(low: float, high: float, height: float) -> Mesh:
    """Open cloth shade from y = 0, lit inside, with rims."""
    profile = np.linspace([1.02 * low, 0], [1.02 * high, height], 10)
    wall = lathe(profile, Part.CLOTH, segments=60).two_sided(Part.GLOW)
    rims = [torus(r, 0.009, Part.TRIM).turned("x", 90).moved(0, y, 0) for r, y in ((low, 0.0), (high, height))]
    return union(wall, *rims, ball(min(low, high) * 0.35, Part.GLOW, segments=16).moved(0, height * 0.4, 0))


def lamp(t: Traits) -> Model:
    style = t.pick("table", "desk", "mushroom", "tripod", "pendant", "globe", "arc")
    shade, base = t.pick("drum", "cone", "empire"), t.pick("gourd", "column", "stack", "ball")
    k = t.uniform(0.92, 1.1)
    low, high = {"drum": (0.26, 0.25), "cone": (0.3, 0.12), "empire": (0.3, 0.19)}[shade]
    if style == "pendant":
        pitch = -4 if shade == "drum" else 6
        return Model(union(*_pendant(shade, k)), stands=False, yaw=20, pitch=pitch, split=0.22)
    if style == "table":
        stem = rod((0, 0.5, 0), (0, 0.66, 0), 0.014, Part.BRASS)
        pieces = [_base(base), _shade(low, high, 0.32 * k).moved(0, 0.6, 0), stem]
    elif style == "mushroom":
        pieces = _mushroom(k)
    elif style == "tripod":
        pieces = [*_tripod(), _shade(low * 0.95, high * 0.95, 0.3 * k).moved(0, 0.92, 0)]
    elif style == "globe":
        pieces = _globe(base, k)
    else:
        pieces = _desk(t) if style == "desk" else _arc(low, high)
    return Model(union(*pieces), yaw=16, pitch=8, split=0.5)


def _mushroom(k: float) -> list[Mesh]:
    stem = spline([(0, 0), (0.2, 0), (0.19, 0.03), (0.07, 0.12), (0.055, 0.4), (0.08, 0.5)], 24)
    cap = spline([(0.0, 0.5), (0.3 * k, 0.47), (0.38 * k, 0.5), (0.3 * k, 0.66), (0.12, 0.75), (0, 0.76)], 34)
    bulb = lathe([(0, 0.475), (0.2, 0.475), (0.26, 0.485)], Part.GLOW)
    return [lathe(stem, Part.BODY), lathe(cap, Part.BODY, segments=60), bulb]


def _tripod() -> list[Mesh]:
    angles = np.radians([0, 120, 240])
    feet = [(0.3 * np.sin(a), 0, 0.3 * np.cos(a)) for a in angles]
    tops = [(0.02 * np.sin(a), 0.9, 0.02 * np.cos(a)) for a in angles]
    legs = [rod(foot, top, 0.017, Part.BODY, taper=1.3) for foot, top in zip(feet, tops, strict=True)]
    return [*legs, disc(0.06, 0.05, Part.BRASS).turned("x", 90).moved(0, 0.88, 0)]


def _globe(base: str, k: float) -> list[Mesh]:
    """Paper globe on a stand, some with a band round it."""
    knots = [(0, 0), (0.2, 0), (0.2, 0.025), (0.05, 0.05), (0.03, 0.12), (0.03, 0.28), (0.1, 0.34)]
    pieces = [
        lathe(spline(knots, 26), Part.BODY),
        ball(0.27 * k, Part.CLOTH, segments=40).moved(0, 0.32 + 0.25 * k, 0),
        torus(0.1, 0.02, Part.BODY).turned("x", 90).moved(0, 0.335, 0),
    ]
    if base in ("stack", "column"):
        band = torus(0.275 * k, 0.016, Part.BODY).turned("y", 40 if base == "stack" else 0)
        pieces.append(band.turned("x", 20 if base == "stack" else 90).moved(0, 0.32 + 0.25 * k, 0))
    return pieces


def _base(style: str) -> Mesh:
    knots = {
        "gourd": [(0, 0), (0.14, 0), (0.13, 0.03), (0.2, 0.16), (0.17, 0.3), (0.06, 0.42), (0.03, 0.56)],
        "column": [(0, 0), (0.17, 0), (0.17, 0.03), (0.05, 0.07), (0.04, 0.3), (0.045, 0.52), (0.02, 0.56)],
        "stack": [(0, 0), (0.15, 0), (0.17, 0.09), (0.06, 0.17), (0.13, 0.26), (0.05, 0.34), (0.1, 0.42), (0.03, 0.52)],
        "ball": [(0, 0), (0.12, 0), (0.1, 0.03), (0.23, 0.2), (0.22, 0.3), (0.08, 0.43), (0.03, 0.5)],
    }[style]
    return lathe(spline(knots, 44), Part.BODY)


def _pendant(shade: str, k: float) -> list[Mesh]:
    """Bell on a cord from the ceiling."""
    knots = {
        "drum": [(0.36, 0), (0.37, 0.12), (0.33, 0.26), (0.1, 0.31), (0.03, 0.36)],
        "cone": [(0.42, 0), (0.3, 0.12), (0.12, 0.28), (0.06, 0.33), (0.03, 0.4)],
        "empire": [(0.38, 0), (0.36, 0.1), (0.22, 0.2), (0.1, 0.24), (0.08, 0.36), (0.02, 0.38)],
    }[shade]
    wall = lathe(spline(np.array(knots) * np.array([k, 1]), 26), Part.BODY, segments=60).two_sided(Part.GLOW)
    bulb = ball(0.1, Part.GLOW, segments=20).moved(0, 0.05, 0)
    cord = rod((0, 0.3, 0), (0, 0.92, 0), 0.009, Part.DARK)
    return [wall, bulb, cord, lathe([(0, 0.9), (0.1, 0.9), (0.09, 0.93), (0, 0.94)], Part.BODY)]


def _desk(t: Traits) -> list[Mesh]:
    elbow, head = (-0.18, 0.42 * t.uniform(0.9, 1.1), 0), (0.16, 0.72, 0)
    bell = lathe(spline([(0.19, 0), (0.17, 0.06), (0.1, 0.15), (0.05, 0.2), (0, 0.21)], 18), Part.BODY).two_sided(
        Part.GLOW
    )
    cone = union(bell, ball(0.07, Part.GLOW, segments=16).moved(0, 0.02, 0)).turned("z", 38).moved(0.24, 0.62, 0)
    foot = lathe([(0, 0), (0.2, 0), (0.2, 0.035), (0.18, 0.05), (0, 0.05)], Part.BODY)
    arms = [rod((0, 0.04, 0), elbow, 0.018, Part.BODY), rod(elbow, head, 0.018, Part.BODY)]
    joints = [ball(0.034, Part.BRASS, segments=16).moved(*p) for p in (elbow, head, (0, 0.06, 0))]
    return [foot, *arms, *joints, cone]


def _arc(low: float, high: float) -> list[Mesh]:
    pole = spline([(-0.3, 0.03, 0), (-0.32, 0.5, 0), (-0.2, 0.92, 0), (0.1, 1.02, 0), (0.3, 0.86, 0)], 40)
    foot = lathe([(0, 0), (0.17, 0), (0.17, 0.05), (0, 0.06)], Part.BODY).moved(-0.3, 0, 0)
    return [tube(pole, 0.016, Part.BODY), foot, _shade(low * 0.75, high * 0.75, 0.2).moved(0.3, 0.64, 0)]
