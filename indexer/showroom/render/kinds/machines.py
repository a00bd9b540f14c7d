"""Bicycles, seen from the side, and headphones."""

import numpy as np

from indexer.showroom.render.arrays import Floats
from indexer.showroom.render.curves import spline, superellipse
from indexer.showroom.render.mesh import Mesh, Part, union
from indexer.showroom.render.model import Model
from indexer.showroom.render.primitives import ball, box, disc, rod, slab, torus, tube
from indexer.showroom.render.seeds import Traits

Spot = tuple[float, float]


def _wheel(x: float, radius: float, tyre: float, spokes: int, tread: Part) -> list[Mesh]:
    rim = torus(radius - tyre * 1.6, tyre * 0.55, Part.TRIM, segments=56, sides=8)
    hub = disc(0.025, 0.07, Part.CHROME, segments=16)
    angles = np.linspace(0, 2 * np.pi, spokes, endpoint=False)
    reach = radius - tyre * 1.6
    wires = [
        rod((0, 0, 0.02 * (-1) ** k), (reach * np.cos(a), reach * np.sin(a), 0), 0.0032, Part.CHROME, sides=4)
        for k, a in enumerate(angles)
    ]
    return [union(torus(radius - tyre, tyre, tread, segments=64), rim, hub, *wires).moved(x, radius, 0)]


def _bar(a: Spot, b: Spot, radius: float, part: Part = Part.BODY, z: float = 0.0) -> Mesh:
    return rod((*a, z), (*b, z), radius, part, sides=12)


def bicycle(t: Traits) -> Model:
    style = t.pick("road", "city", "mountain", "bmx", "cruiser", "folding")
    extra, size = t.pick("basket", "rack", "none"), t.uniform(0.95, 1.05)
    wall = t.pick(Part.RUBBER, Part.TAN)
    wheel = {"road": 0.275, "city": 0.275, "mountain": 0.265, "bmx": 0.19, "cruiser": 0.265, "folding": 0.165}[
        style
    ] * size
    tyre = {"road": 0.012, "city": 0.017, "mountain": 0.027, "bmx": 0.023, "cruiser": 0.026, "folding": 0.018}[style]
    base = {"bmx": 0.72, "folding": 0.8}.get(style, 0.82)
    rear, front = (-base / 2 + 0.01, wheel), (base / 2, wheel)
    crank = (-0.03, wheel * 0.95 if style not in ("bmx", "folding") else wheel * 1.1)
    seat_y = {"bmx": 0.52, "folding": 0.7, "city": 0.68, "cruiser": 0.62}.get(style, 0.72)
    seat = (-0.17, seat_y)
    head_y = {"bmx": 0.55, "folding": 0.62}.get(style, 0.62)
    head = (front[0] - 0.14 + (0.04 if style == "bmx" else 0.0), head_y)
    tread = wall if style in ("road", "city", "cruiser") else Part.RUBBER
    pieces = [
        m for x in (rear[0], front[0]) for m in _wheel(x, wheel, tyre, 20 if style in ("bmx", "folding") else 26, tread)
    ]
    pieces += _frame(style, rear, front, crank, seat, head, tyre) + _drive(rear, crank) + _cockpit(style, seat, head)
    if style in ("city", "cruiser"):
        pieces += [
            tube(
                np.array(
                    [
                        (x + (wheel + 0.03) * np.cos(a), wheel + (wheel + 0.03) * np.sin(a), 0)
                        for a in np.radians(np.linspace(20, 170, 20))
                    ]
                ),
                0.012,
                Part.TRIM,
                flat=2.0,
            )
            for x in (rear[0], front[0])
        ]
    return Model(union(*pieces, *_luggage(extra, style, rear, head, wheel)), yaw=-12, pitch=5, turn=0.55, split=0.5)


def _frame(style: str, rear: Spot, front: Spot, crank: Spot, seat: Spot, head: Spot, tyre: float) -> list[Mesh]:
    r = {"mountain": 0.026, "bmx": 0.023, "folding": 0.028}.get(style, 0.018)
    low_head = (head[0] + 0.025, head[1] - 0.12)
    lug, gap = _between(crank, seat, 0.82), tyre + 0.014
    stays = [_bar(rear, crank, 0.011, z=z) for z in (gap, -gap)] + [_bar(rear, lug, 0.009, z=z) for z in (gap, -gap)]
    middle = _between(low_head, front, 0.5)
    blades = [spline([(*low_head, z * 0.9), (*middle, z), (*front, z)], 10) for z in (gap, -gap)]
    fork = [tube(blade, 0.012, Part.TRIM) for blade in blades]
    pieces = [_bar(crank, seat, r * 0.9), _bar(low_head, head, r * 1.15), *stays, *fork]
    if style == "folding":
        return [*pieces, tube(spline([(*low_head, 0), (0.05, crank[1] + 0.06, 0), (*crank, 0)], 14), 0.03, Part.BODY)]
    if style in ("city", "cruiser"):
        end = _between(crank, seat, 0.3 if style == "city" else 0.55)
        sag = 0.09 if style == "city" else -0.03
        top = spline([(*head, 0), (0.1, (head[1] + end[1]) / 2 - sag, 0), (*end, 0)], 16)
        down = spline([(*low_head, 0), (0.1, (low_head[1] + crank[1]) / 2 - 0.05, 0), (*crank, 0)], 14)
        return [*pieces, tube(top, r, Part.BODY), tube(down, r * 1.1, Part.BODY)]
    return [*pieces, _bar(lug, (head[0] + 0.005, head[1] - 0.02), r), _bar(crank, low_head, r * 1.15)]


def _between(a: Spot, b: Spot, share: float) -> Spot:
    return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share


def _drive(rear: Spot, crank: Spot) -> list[Mesh]:
    ring = torus(0.07, 0.007, Part.CHROME, segments=32, sides=6).moved(*crank, 0.04)
    arms = [
        _bar(crank, (crank[0] + dx, crank[1] + dy), 0.011, Part.CHROME, z)
        for dx, dy, z in ((0.1, -0.05, 0.055), (-0.1, 0.05, -0.055))
    ]
    pedals = [
        box(0.09, 0.022, 0.07, Part.DARK, radius=0.006).moved(crank[0] + dx, crank[1] + dy, z)
        for dx, dy, z in ((0.1, -0.05, 0.09), (-0.1, 0.05, -0.09))
    ]
    chain = [
        rod((crank[0], crank[1] + s * 0.068, 0.04), (rear[0], rear[1] + s * 0.03, 0.04), 0.005, Part.DARK, sides=5)
        for s in (1, -1)
    ]
    return [
        ring,
        disc(0.045, 0.012, Part.DARK).moved(*crank, 0.04),
        *arms,
        *pedals,
        *chain,
        disc(0.035, 0.02, Part.CHROME).moved(*rear, 0.04),
    ]


def _cockpit(style: str, seat: Spot, head: Spot) -> list[Mesh]:
    post = _bar(seat, (seat[0] - 0.012, seat[1] + 0.06), 0.012, Part.CHROME)
    outline = [(-0.13, 0.07), (-0.13, -0.07), (0.0, -0.03), (0.14, -0.018), (0.14, 0.018), (0.0, 0.03)]
    leather = Part.TAN if style in ("city", "cruiser") else Part.DARK
    saddle = slab(spline(outline, 40, closed=True), 0.045, leather, bevel=0.02).turned("x", -90)
    top = (head[0] - 0.02, head[1] + (0.2 if style in ("bmx", "folding") else 0.07))
    sides = [_handlebar(style, top) * np.array([1, 1, s]) for s in (1, -1)]
    bars = [tube(side, 0.012, Part.CHROME if style != "road" else Part.DARK) for side in sides]
    grips = [tube(side[-6:], 0.018, Part.DARK) for side in sides]
    return [post, saddle.moved(seat[0], seat[1] + 0.075, 0), _bar(head, top, 0.014, Part.CHROME), *bars, *grips]


def _handlebar(style: str, top: Spot) -> Floats:
    """The half towards the viewer (N, 3), from the stem out to the grip."""
    knots, count = {
        "road": ([(0, 0, 0), (0.02, 0, 0.13), (0.11, -0.005, 0.16), (0.13, -0.07, 0.165), (0.04, -0.11, 0.165)], 20),
        "city": ([(0.02, 0, 0), (0.04, 0.03, 0.12), (-0.06, 0.035, 0.2), (-0.17, 0.01, 0.21)], 18),
        "straight": ([(0, 0, 0), (0.01, 0.02, 0.12), (-0.03, 0.02, 0.25)], 14),
    }["city" if style == "cruiser" else style if style in ("road", "city") else "straight"]
    return spline(np.array(knots) + np.array([*top, 0]), count)


def _luggage(extra: str, style: str, rear: Spot, head: Spot, wheel: float) -> list[Mesh]:
    if extra == "basket" and style in ("city", "cruiser", "folding"):
        return [box(0.2, 0.16, 0.26, Part.TAN, radius=0.025).moved(head[0] + 0.15, head[1] + 0.0, 0)]
    if extra == "rack" and style in ("city", "folding", "cruiser", "road"):
        y = 2 * wheel + 0.05
        return [
            box(0.3, 0.014, 0.11, Part.DARK, radius=0.006).moved(rear[0] - 0.0, y, 0),
            *[rod((rear[0] - 0.08, y, z), (rear[0], wheel, z), 0.007, Part.DARK, sides=6) for z in (0.05, -0.05)],
        ]
    return []


def headphones(t: Traits) -> Model:
    cup, band = t.pick("round", "oval", "square"), t.pick("wide", "wire", "split", "slim")
    mic, fold = t.pick(False, True), t.pick("over", "on")
    r = {"over": 0.2, "on": 0.145}[fold] * t.uniform(0.95, 1.1)
    wide, tall, exponent = {"round": (2.0, 2.0, 2.0), "oval": (1.65, 2.3, 2.2), "square": (1.8, 2.0, 4.0)}[cup]
    ear = _ear(superellipse(wide * r, tall * r, exponent, 56), r)
    sides = [(0.37, 0, r * 0.95), (0.375, r * 0.9, r * 0.7)]
    yoke = [*sides, (0.375, r * 1.25, 0), *((x, y, -z) for x, y, z in reversed(sides))]
    right = union(ear, tube(spline(np.array(yoke), 22), 0.013, Part.CHROME))
    rise = [(0.375, r * 1.2, 0), (0.37, 0.38, 0), (0.26, 0.6, 0)]
    arch = spline(np.array([*rise, (0, 0.69, 0), *((-x, y, z) for x, y, z in reversed(rise))]), 48)
    pieces = [right, right.mirrored(), *_headband(band, arch)]
    if mic:
        tip = (0.1, -r * 1.45, r * 2.4)
        boom = spline([(0.34, -r * 0.4, r * 0.8), (0.33, -r * 1.2, r * 1.6), (0.22, -r * 1.45, r * 2.2), tip], 18)
        foam = ball(0.035, Part.DARK, segments=16, stretch=(1.5, 1, 1)).moved(*tip)
        pieces += [tube(boom, 0.011, Part.DARK), foam]
    return Model(union(*pieces), stands=False, yaw=34, pitch=12, turn=0.9, split=0.36)


def _ear(outline: Floats, r: float) -> Mesh:
    """Right cup with its cap outside and its pad inside."""
    shell = slab(outline, 0.08, Part.BODY, bevel=0.035, puff=0.02)
    cap = slab(outline * 0.62, 0.1, Part.TRIM, bevel=0.012, puff=0.02).moved(0, 0, 0.01)
    ring = np.concatenate([outline * 0.78, np.zeros((len(outline), 1))], axis=1)
    pad = union(tube(ring, r * 0.3, Part.DARK, closed=True, sides=14), slab(outline * 0.6, 0.03, Part.RUBBER))
    return union(shell, cap, pad.moved(0, 0, -0.075)).turned("y", 90).moved(0.335, 0, 0)


def _headband(style: str, arch: Floats) -> list[Mesh]:
    steel = tube(arch, 0.014, Part.CHROME, flat=2.2)
    if style == "wide":
        return [steel, tube(arch[7:-7], 0.03, Part.BODY, flat=2.8, sides=18)]
    if style == "wire":
        lines = [tube(arch + np.array([0, 0, z]), 0.011, Part.CHROME) for z in (0.035, -0.035)]
        return [*lines, tube(arch[14:-14] - np.array([0, 0.05, 0]), 0.02, Part.BODY, flat=2.6)]
    if style == "split":
        return [tube(arch + np.array([0, 0, z]), 0.018, Part.BODY, flat=1.3) for z in (0.05, -0.05)]
    return [steel, tube(arch[10:-10], 0.02, Part.BODY, flat=1.6)]
