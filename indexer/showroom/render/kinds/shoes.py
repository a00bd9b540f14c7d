"""Sneakers, boots and heels."""

from collections.abc import Callable

import numpy as np

from indexer.showroom.render.arrays import Floats, Ints
from indexer.showroom.render.curves import smoothstep, spline
from indexer.showroom.render.kinds.footwear import (
    COLUMNS,
    TOE,
    Collar,
    body_cells,
    crossed_laces,
    draw_upper,
    foot_outline,
    lined,
    paint_sides,
    raised_tongue,
    sole_slab,
)
from indexer.showroom.render.mesh import Mesh, Part, union
from indexer.showroom.render.model import Model
from indexer.showroom.render.primitives import box, loft, torus, tube
from indexer.showroom.render.seeds import Traits


def sneaker(t: Traits) -> Model:
    cut, side = t.pick("low", "high", "mid"), t.pick("stripes", "heel", "plain", "wave")
    sole, closure = t.pick("flat", "chunky", "runner"), t.pick("laces", "straps", "slip-on")
    cap = t.pick(True, False)
    base = {"flat": 0.055, "chunky": 0.115, "runner": 0.065}[sole] * t.uniform(0.92, 1.1)
    wedge = 0.07 if sole == "runner" else 0.0

    def lift(x: Floats) -> Floats:
        return base + wedge * smoothstep(0.75, 0.1, x) + (0.015 if sole == "flat" else 0.045) * smoothstep(0.78, 1.0, x)

    height = {"low": 0.2, "mid": 0.3, "high": 0.4}[cut] * t.uniform(0.95, 1.08)
    collar = Collar(
        0.225,
        0.172 if cut == "low" else 0.15,
        0.088,
        height * 1.02,
        height * 1.02,
        {"low": 0.05, "mid": 0.03, "high": 0.015}[cut],
    )
    grid = draw_upper("round", lift, t.uniform(0.07, 0.09), collar, instep={"low": 0.35, "mid": 0.55, "high": 0.7}[cut])
    cells = body_cells(grid)
    _sneaker_panels(cells, side, Part.SOLE if cap and sole == "flat" else Part.TRIM if cap else Part.BODY)
    if closure == "laces":
        paint_sides(cells, slice(8, 14), slice(3, 6), Part.TRIM)
    pieces = [lined(grid, cells), _sneaker_sole(sole, lift)]
    if closure == "laces":
        pieces += [*crossed_laces(grid, [7, 9, 11, 13], 4, Part.CREAM), raised_tongue(grid, 0.09)]
    if closure == "straps":
        straps = (grid[row, TOE - 9 : TOE + 10] + np.array([0.004, 0.008, 0]) for row in (8, 12))
        pieces += [
            *(tube(spline(strap, 15), 0.009, Part.TRIM, sides=8, flat=3.4) for strap in straps),
            raised_tongue(grid, 0.06),
        ]
    return Model(union(*pieces), yaw=-27, pitch=21, split=0.36)


def _sneaker_panels(cells: Ints, side: str, cap: Part) -> None:
    if side == "stripes":
        for column in (13, 15, 17):
            paint_sides(cells, slice(2, 11), slice(column, column + 1), Part.TRIM)
    if side == "heel":
        paint_sides(cells, slice(0, 12), slice(22, 28), Part.TRIM)
    if side == "wave":
        paint_sides(cells, slice(3, 6), slice(9, 26), Part.TRIM)
    paint_sides(cells, slice(0, 5), slice(0, 7), cap)


def _sneaker_sole(style: str, lift: Callable[[Floats], Floats]) -> Mesh:
    grow = 0.026 if style == "chunky" else 0.012
    ground = 0.03 if style == "runner" else 0.022
    body = sole_slab(
        "round",
        lift,
        lambda x: lift(x) + 0.012 - ground - 0.6 * (lift(x) - lift(np.array([0.7]))) * (x > 0.8),
        Part.SOLE,
        grow,
    )
    tread = sole_slab(
        "round",
        lambda x: np.full_like(x, ground - 0.008) + 0.4 * (lift(x) - lift(np.array([0.7]))) * (x > 0.8),
        lambda x: np.full_like(x, ground),
        Part.RUBBER,
        grow * 0.7,
    )
    plan = foot_outline("round", grow + 0.003)
    welt = np.stack([plan[:, 0], lift(plan[:, 0]) - 0.004, plan[:, 1]], axis=1)
    return union(body, tread, tube(welt, 0.007, Part.TRIM, sides=6, closed=True))


def boot(t: Traits) -> Model:
    tall, heel = t.pick("ankle", "mid", "knee"), t.pick("block", "flat", "lug", "wedge")
    closure, toe = t.pick("laces", "chelsea", "buckles", "zip"), t.pick("round", "pointed")
    rise = {"block": 0.13, "flat": 0.05, "lug": 0.1, "wedge": 0.14}[heel]
    front = 0.09 if heel == "lug" else 0.04

    def lift(x: Floats) -> Floats:
        return front + (rise - front) * smoothstep(0.62, 0.25, x)

    shaft = {"ankle": 0.12, "mid": 0.38, "knee": 0.75}[tall] * t.uniform(0.9, 1.1)
    grid = draw_upper(toe, lift, 0.075, Collar(0.2, 0.15, 0.098, 0.36, 0.33), shaft, t.uniform(1.0, 1.3), 0.85)
    cells = body_cells(grid)
    if closure == "chelsea":
        paint_sides(cells, slice(11, 20), slice(12, 17), Part.RUBBER)
    if heel == "wedge":
        paint_sides(cells, slice(0, 9), slice(21, 28), Part.TRIM)
    paint_sides(cells, slice(len(cells) - 1, len(cells)), slice(0, 28), Part.TRIM)
    dark = Part.RUBBER if heel in ("lug", "block") else Part.TAN
    pieces = [lined(grid, cells, 0.01)]
    if heel == "wedge":
        pieces.append(sole_slab(toe, lift, lambda x: lift(x) + 0.012, Part.TAN))
    else:
        pieces += [
            sole_slab(toe, lift, lambda x: np.full_like(x, front + 0.012), dark),
            _heel_block(rise, 0.26, dark, 0.95),
        ]
    if closure == "laces":
        pieces += crossed_laces(
            grid, [8, 10, 12, 14] + ([17, 20] if tall != "ankle" else []), 4, Part.CREAM if heel == "lug" else Part.DARK
        )
    if closure == "buckles":
        pieces += _straps(grid, [11, 15], Part.TRIM)
    if closure == "zip":
        pieces.append(tube(grid[10:, 14] + np.array([0, 0, 0.004]), 0.008, Part.BRASS, sides=6))
    return Model(union(*pieces), yaw=-26, pitch=10, split=0.35)


def _heel_block(height: float, length: float, part: Part, taper: float, width: float = 0.12) -> Mesh:
    """Heel under the back of the foot, its top slightly inside the sole."""
    angle = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    rings = []
    for y, grow in ((0.0, taper), (height * 0.5, (1 + taper) / 2 * (0.92 if taper > 0.6 else 0.75)), (height, 1.0)):
        c, s = np.cos(angle), np.sin(angle)
        swell = (np.abs(c) ** 3 + np.abs(s) ** 3) ** (-1 / 3)
        rings.append(
            np.stack(
                [
                    length / 2 + length / 2 * grow * swell * c + (1 - grow) * 0.1 * length,
                    np.full(28, y),
                    width * grow * swell * s,
                ],
                axis=1,
            )
        )
    return loft(np.array(rings), part)


def _straps(grid: Floats, rows: list[int], part: Part) -> list[Mesh]:
    """Straps round the shaft with a buckle on the side towards the viewer."""
    pieces = []
    for row in rows:
        ring = grid[row]
        outward = (ring - ring.mean(axis=0)) * np.array([0.06, 0, 0.06])
        pieces.append(tube(ring + outward, 0.01, part, sides=8, closed=True, flat=2.4))
        pieces.append(
            torus(0.035, 0.008, Part.BRASS, segments=20, sides=6).moved(*(ring[14 + TOE] * np.array([1, 1, 1.12])))
        )
    return pieces


def heel(t: Traits) -> Model:
    stem, strap = t.pick("stiletto", "block", "kitten", "wedge"), t.pick("none", "ankle", "mary-jane", "bow")
    toe, platform = t.pick("pointed", "round", "square"), t.pick(0.0, 0.0, 0.09)
    height = {"stiletto": 0.42, "block": 0.34, "kitten": 0.2, "wedge": 0.34}[stem] * t.uniform(0.92, 1.08) + platform

    def lift(x: Floats) -> Floats:
        return 0.025 + platform + (height - platform) * smoothstep(0.66, 0.12, x)

    collar = Collar(0.385, 0.365, 0.088, 0.075, 0.135)
    grid = draw_upper(toe, lift, 0.06, collar)
    pieces = [lined(grid, body_cells(grid), 0.006)]
    if stem == "wedge":
        pieces.append(sole_slab(toe, lift, lambda x: lift(x) + 0.012, Part.TRIM, 0.004))
    else:
        pieces.append(
            sole_slab(
                toe,
                lift,
                lambda x: np.full_like(x, 0.037 + platform * 1.0) * (1 - 0.6 * smoothstep(0.6, 0.3, x)),
                Part.TRIM,
                0.004,
            )
        )
        shape = {"stiletto": (0.17, 0.16, 0.075), "block": (0.2, 0.85, 0.1), "kitten": (0.16, 0.25, 0.08)}[stem]
        pieces.append(_heel_block(height + 0.01, shape[0], Part.TRIM, shape[1], shape[2]))
    pieces += _heel_strap(strap, grid, lift)
    return Model(union(*pieces), yaw=-30, pitch=12, split=0.5)


def _heel_strap(strap: str, grid: Floats, lift: Callable[[Floats], Floats]) -> list[Mesh]:
    if strap == "ankle":
        angle = np.linspace(0, 2 * np.pi, 32, endpoint=False)
        y = float(lift(np.array([0.12]))[0]) + 0.25
        loop = np.stack([0.13 + 0.115 * np.cos(angle), y + 0.03 * np.cos(angle), 0.085 * np.sin(angle)], axis=1)
        riser = tube([(0.028, y - 0.14, 0), (0.016, y - 0.03, 0)], 0.012, Part.BODY, flat=2.2)
        return [
            tube(loop, 0.009, Part.BODY, sides=8, closed=True, flat=2.0),
            riser,
            box(0.05, 0.045, 0.02, Part.BRASS).moved(0.13, y, 0.09),
        ]
    if strap == "mary-jane":
        a, b = grid[-1, 12], grid[-1, COLUMNS - 12]
        arch = spline([a, (a + b) / 2 + np.array([0.02, 0.1, 0]), b], 15)
        return [tube(arch, 0.011, Part.BODY, sides=8, flat=2.2)]
    if strap == "bow":
        at = grid[-1, TOE] + np.array([0.02, 0.02, 0])
        wing = spline([(0, 0, 0), (-0.01, 0.05, 0.09), (0.01, 0.0, 0.11), (0.0, -0.02, 0.05)], 14, closed=True)
        loops = [
            tube(at + wing * np.array([1, 1, s]), 0.013, Part.TRIM, sides=8, closed=True, flat=2.0) for s in (1, -1)
        ]
        return [*loops, box(0.035, 0.035, 0.03, Part.TRIM).moved(*at)]
    return []
