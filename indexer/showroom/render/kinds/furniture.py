"""Chairs and sofas; the sitter looks along +z."""

import numpy as np

from indexer.showroom.render.curves import Points, arc, rounded_rectangle, spline, superellipse
from indexer.showroom.render.mesh import Mesh, Part, patch, union
from indexer.showroom.render.model import Model
from indexer.showroom.render.primitives import ball, box, rod, slab, tube
from indexer.showroom.render.seeds import Traits


def chair(t: Traits) -> Model:
    back = t.pick("slats", "shell", "round", "panel", "ladder", "wing")
    legs, arms = t.pick("four", "cantilever", "swivel", "splayed", "rocking"), t.pick(False, True)
    wide, tall = t.uniform(0.46, 0.54), t.uniform(0.46, 0.56)
    seat_y, soft = 0.44, back in ("panel", "wing", "shell")
    thick = 0.11 if soft else 0.045
    outline = (
        superellipse(wide, 0.48, 3.2, 60) if back in ("shell", "round") else rounded_rectangle(wide, 0.48, 0.06, 8)
    )
    seat = (
        slab(outline, thick, Part.BODY, bevel=0.02 if not soft else 0.04, puff=0.015 if soft else 0.0)
        .turned("x", -90)
        .moved(0, seat_y, 0)
    )
    pieces = [seat, *_chair_back(back, wide, tall, seat_y), *_chair_legs(legs, wide, seat_y)]
    if arms:
        for s in (1, -1):
            x = s * (wide / 2 + 0.02)
            path = spline(
                [(x, seat_y, 0.16), (x, seat_y + 0.2, 0.17), (x, seat_y + 0.22, 0.0), (x * 0.97, seat_y + 0.24, -0.24)],
                20,
            )
            pieces.append(tube(path, 0.02, Part.BODY, flat=1.4))
    return Model(union(*pieces), yaw=30, pitch=12, split=0.44)


def _curved_back(
    wide: float, tall: float, y: float, bend: float, lean: float, top: float, thick: float, part: Part
) -> Mesh:
    """Upholstered or moulded back, curved round the sitter; `top` rounds its upper corners."""
    s, v = np.meshgrid(np.linspace(-1, 1, 25), np.linspace(0, 1, 13))
    rise = v * (1 - top * np.abs(s) ** 3 * v)
    centre = np.stack([s * wide / 2, y + tall * rise, -0.22 - lean * rise + bend * s**2], axis=2)
    front, back = centre + np.array([0, 0, thick / 2]), centre - np.array([0, 0, thick / 2])
    rim = np.concatenate([centre[0, :], centre[1:, -1], centre[-1, -2::-1], centre[-2:0:-1, 0]])
    return union(
        patch(front, part, facing=(0, 0, 1)),
        patch(back, part, facing=(0, 0, -1)),
        tube(rim, thick / 2, part, closed=True),
    )


def _chair_back(back: str, wide: float, tall: float, y: float) -> list[Mesh]:
    if back == "shell":
        return [_curved_back(wide * 1.02, tall * 0.85, y, 0.22, 0.1, 0.35, 0.035, Part.BODY)]
    if back == "wing":
        return [_curved_back(wide * 1.1, tall * 1.1, y - 0.02, 0.26, 0.06, 0.12, 0.09, Part.BODY)]
    if back == "panel":
        return [_curved_back(wide, tall * 0.9, y, 0.04, 0.1, 0.08, 0.07, Part.BODY)]
    edge = wide / 2 - 0.03
    if back == "round":
        return _hoop_back(edge, tall, y)
    posts = [rod((x, y, -0.21), (x, y + tall, -0.21 - 0.09), 0.021, Part.BODY) for x in (edge, -edge)]
    if back == "ladder":
        rung = box(wide - 0.05, 0.07, 0.025, Part.BODY, radius=0.012).turned("x", -9)
        return [*posts, *(rung.moved(0, y + tall * k, -0.21 - 0.09 * k) for k in (0.3, 0.6, 0.9))]
    places = np.linspace(-edge, edge, 7)[1:-1]
    bars = [rod((x, y, -0.21), (x * 1.02, y + tall - 0.04, -0.295), 0.012, Part.BODY) for x in places]
    rail = box(wide, 0.075, 0.04, Part.BODY, radius=0.018).moved(0, y + tall - 0.03, -0.3)
    return [*posts, *bars, rail]


def _hoop_back(edge: float, tall: float, y: float) -> list[Mesh]:
    """Bent hoop with spindles, as on a Windsor chair."""
    hoop = np.concatenate([arc(edge, 0, 180, 30), [(-edge * 1.0, -0.1)]])
    loop = np.concatenate([[(edge, -0.1)], hoop])
    centre = y + tall - edge * 0.95
    lean = -0.21 - 0.09 * (loop[:, 1] + 0.1) / (edge + 0.1)
    path = np.stack([loop[:, 0], centre + loop[:, 1] * 0.95, lean], axis=1)
    path = np.concatenate([[(edge, y, -0.2)], path, [(-edge, y, -0.2)]])
    places = np.linspace(-edge * 0.8, edge * 0.8, 6)
    tops = [(x, centre + 0.92 * np.sqrt(edge**2 - x**2), -0.29) for x in places]
    spindles = [rod((x * 0.7, y, -0.21), top, 0.009, Part.BODY) for x, top in zip(places, tops, strict=True)]
    return [tube(path, 0.019, Part.BODY), *spindles]


def _chair_legs(legs: str, wide: float, y: float) -> list[Mesh]:
    x, z = wide / 2 - 0.04, 0.2
    flip = np.array([-1, 1, 1])
    if legs == "cantilever":
        front = [(x, y - 0.01, 0.17), (x, y - 0.06, 0.225), (x, 0.06, 0.225), (x, 0.02, 0.18)]
        path = spline(np.array([(x, y, -0.18), *front, (x, 0.018, -0.2)]), 30)
        foot = rod((-x, 0.018, -0.2), (x, 0.018, -0.2), 0.019, Part.CHROME)
        return [tube(path, 0.019, Part.CHROME), tube(path * flip, 0.019, Part.CHROME), foot]
    if legs == "swivel":
        ends = [(0.27 * np.sin(a), 0.055, 0.27 * np.cos(a)) for a in np.radians(np.arange(0, 360, 72) + 10)]
        arms = [rod((0, 0.1, 0), end, 0.026, Part.CHROME, taper=0.7) for end in ends]
        casters = [ball(0.032, Part.DARK, segments=14).moved(end[0], 0.03, end[2]) for end in ends]
        return [rod((0, 0.08, 0), (0, y, 0), 0.03, Part.CHROME), *arms, *casters]
    spread, low = 1.32 if legs == "splayed" else 1.0, 0.06 if legs == "rocking" else 0.0
    feet = [(a * x * spread, low, b * z * spread) for a in (1, -1) for b in (1, -1)]
    tops = [(a * x * 0.95, y, b * z * 0.95) for a in (1, -1) for b in (1, -1)]
    posts = [rod(foot, top, 0.018, Part.WOOD, taper=1.45) for foot, top in zip(feet, tops, strict=True)]
    if legs == "rocking":
        runner = spline([(x, 0.14, 0.42), (x, 0.04, 0.2), (x, 0.02, 0.0), (x, 0.04, -0.22), (x, 0.15, -0.46)], 24)
        return [*posts, tube(runner, 0.022, Part.WOOD), tube(runner * flip, 0.022, Part.WOOD)]
    if legs == "four":
        posts += [rod((-x, 0.16, b * z), (x, 0.16, b * z), 0.012, Part.WOOD) for b in (1, -1)]
    return posts


def sofa(t: Traits) -> Model:
    seats, arms = t.pick(3, 2, 1), t.pick("box", "roll", "slim", "none")
    back, legs = t.pick("cushions", "tufted", "curved", "low"), t.pick("tapered", "metal", "block")
    chaise = t.pick(False, False, True) and seats > 1
    inner = {1: 0.5, 2: 0.86, 3: 1.24}[seats] * t.uniform(0.96, 1.04)
    arm = {"box": 0.16, "roll": 0.16, "slim": 0.07, "none": 0.02}[arms]
    wide, rise = inner + 2 * arm, 0.34 if back == "low" else 0.46
    pieces = [box(wide - 0.02, 0.16, 0.62, Part.BODY, radius=0.03).moved(0, 0.2, 0)]
    each = inner / seats
    for k in range(seats):
        x = -inner / 2 + each * (k + 0.5)
        long = 0.42 if chaise and k == 0 else 0.0
        pieces.append(_pad(each - 0.012, 0.56 + long, 0.17).moved(x, 0.345, 0.045 + long / 2))
        if long:
            pieces.append(box(each, 0.16, long + 0.1, Part.BODY, radius=0.03).moved(x, 0.2, 0.3 + long / 2))
        if back in ("cushions", "low"):
            pieces.append(
                box(each - 0.016, rise - 0.06, 0.16, Part.BODY, radius=0.05, puff=0.035)
                .turned("x", -12)
                .moved(x, 0.4 + rise / 2, -0.17)
            )
    pieces += _sofa_back(back, wide, inner, rise) + _sofa_arms(arms, wide, arm) + _sofa_legs(legs, wide)
    return Model(union(*pieces), yaw=24, pitch=14, turn=0.9, split=0.36)


def _pad(width: float, depth: float, height: float) -> Mesh:
    """Seat cushion lying flat."""
    return slab(rounded_rectangle(width, depth, 0.05, 8), height, Part.BODY, bevel=0.045, puff=0.02).turned("x", -90)


def _sofa_back(back: str, wide: float, inner: float, rise: float) -> list[Mesh]:
    if back == "curved":
        return [_curved_back(wide * 1.0, rise * 1.02, 0.26, 0.16, 0.08, 0.1, 0.12, Part.BODY).moved(0, 0, -0.05)]
    frame = box(wide - 0.03, rise + 0.04, 0.14, Part.BODY, radius=0.05).moved(0, 0.24 + rise / 2, -0.27)
    if back != "tufted":
        return [frame]
    pad = (
        box(inner, rise - 0.04, 0.12, Part.BODY, radius=0.04, puff=0.02).turned("x", -8).moved(0, 0.4 + rise / 2, -0.19)
    )
    buttons = [
        ball(0.016, Part.TRIM, segments=10).moved(
            x + (0.06 if row else 0), 0.4 + rise * (0.4 + 0.3 * row), -0.115 - 0.045 * row
        )
        for x in np.arange(-inner / 2 + 0.1, inner / 2 - 0.08, 0.15)
        for row in (0, 1)
    ]
    return [frame, pad, *buttons]


def _sofa_arms(arms: str, wide: float, arm: float) -> list[Mesh]:
    if arms == "none":
        return []
    x = wide / 2 - arm / 2
    wall = box(arm, 0.42 if arms != "slim" else 0.36, 0.64, Part.BODY, radius=0.035).moved(x, 0.33, 0)
    pieces = [wall, wall.mirrored()]
    if arms == "roll":
        roll = tube([(x + 0.02, 0.54, -0.3), (x + 0.02, 0.54, 0.33)], 0.1, Part.BODY, sides=28)
        pieces += [roll, roll.mirrored()]
    return pieces


def _sofa_legs(legs: str, wide: float) -> list[Mesh]:
    places: Points = [(a * (wide / 2 - 0.1), b * 0.24) for a in (1, -1) for b in (1, -1)]
    if legs == "block":
        return [box(0.1, 0.12, 0.1, Part.WOOD).moved(x, 0.06, z) for x, z in places]
    part, radius = (Part.CHROME, 0.016) if legs == "metal" else (Part.WOOD, 0.02)
    return [
        rod((x * 1.04, 0, z * 1.1), (x, 0.15, z), radius, part, taper=1.0 if legs == "metal" else 1.7)
        for x, z in places
    ]
