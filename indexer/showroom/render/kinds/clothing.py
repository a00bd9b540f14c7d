"""T-shirts, dresses and hoodies."""

import numpy as np

from indexer.showroom.render.arrays import Floats
from indexer.showroom.render.curves import resample, smoothstep, spline
from indexer.showroom.render.kinds.garments import (
    COLUMNS,
    TURN,
    body_rings,
    both_sides,
    close_garment,
    collar_ring,
    cut_neckline,
    folded,
    pair_of_sleeves,
    torso_rows,
)
from indexer.showroom.render.mesh import Mesh, Part, patch, union
from indexer.showroom.render.model import Model
from indexer.showroom.render.primitives import box, slab, tube
from indexer.showroom.render.seeds import Traits


def t_shirt(t: Traits) -> Model:
    neckline, sleeve = t.pick("crew", "v", "scoop", "boat"), t.pick("short", "cap", "long", "three-quarter", "none")
    fit, pocket = t.pick("regular", "boxy", "fitted", "long"), t.pick(False, True)
    width = {"regular": 0.295, "boxy": 0.35, "fitted": 0.26, "long": 0.29}[fit]
    length = {"regular": 0.8, "boxy": 0.68, "fitted": 0.76, "long": 1.0}[fit]
    waist = {"regular": 0.97, "boxy": 1.0, "fitted": 0.88, "long": 0.97}[fit]
    neck = {"crew": 0.105, "v": 0.11, "scoop": 0.14, "boat": 0.165}[neckline]
    depth = {"crew": 0.075, "v": 0.22, "scoop": 0.17, "boat": 0.055}[neckline] + (0.05 if sleeve == "none" else 0.0)
    rings = folded(
        body_rings(torso_rows(width, length, waist, neck, sleeve == "none"), 40),
        t,
        lambda y: 0.012 * smoothstep(0.95, 0.3, y) + 0.002,
    )
    rings[26:] = cut_neckline(rings[26:], neckline, depth)
    pieces = [close_garment(rings), collar_ring(rings, 0.013, Part.TRIM)]
    pieces += pair_of_sleeves(t, sleeve, width, Part.TRIM if t.pick(False, True) else Part.BODY)
    if pocket:
        pieces.append(box(0.13, 0.14, 0.02, Part.BODY, radius=0.012).turned("x", -6).moved(0.12, 0.71, 0.128))
    return Model(union(*pieces), stands=False, yaw=8, pitch=4, turn=0.75)


def dress(t: Traits) -> Model:
    length, skirt = t.pick("midi", "mini", "maxi"), t.pick("a-line", "pleated", "pencil", "tiered")
    sleeve, neckline = t.pick("none", "short", "long", "straps"), t.pick("scoop", "v", "crew", "square")
    belt = t.pick(True, False)
    hem = {"mini": 0.16, "midi": -0.12, "maxi": -0.48}[length]
    flare = {"a-line": 0.36, "pleated": 0.42, "pencil": 0.215, "tiered": 0.4}[skirt]
    flare *= 0.85 if length == "mini" else 1.0
    waist, shoulder = t.uniform(0.155, 0.18), 0.225
    neck, drop = {"scoop": (0.135, 0.16), "v": (0.12, 0.22), "crew": (0.095, 0.06), "square": (0.14, 0.13)}[neckline]
    bust = [(0.56, waist, 0.105), (0.68, 0.19, 0.13), (0.76, 0.205, 0.135)]
    rows = [*_skirt_rows(skirt, hem, flare), *bust, *_bodice(sleeve, shoulder, neck)]
    rings = folded(body_rings(rows, 60, 2.2), t, lambda y: 0.02 * smoothstep(0.5, -0.1, y) + 0.002)
    rings = _pleats(rings, skirt, hem)
    if sleeve != "straps":
        start = int(np.argmax(rings[:, 0, 1] > 0.78))
        rings[start:] = cut_neckline(rings[start:], neckline, drop)
    body = close_garment(rings, hem=Part.TRIM if skirt == "tiered" else Part.BODY)
    pieces = [body, collar_ring(rings, 0.008, Part.TRIM)]
    if sleeve in ("short", "long"):
        pieces += pair_of_sleeves(t, sleeve, shoulder * 1.05, Part.BODY, 0.85)
    if sleeve == "straps":
        knots = [(0.1, 0.78, 0.118), (0.115, 0.9, 0.085), (0.112, 0.965, 0.0), (0.1, 0.9, -0.085), (0.09, 0.79, -0.115)]
        pieces += both_sides(tube(spline(knots, 22), 0.008, Part.BODY, flat=2.0))
    if belt:
        row = rings[int(np.argmin(np.abs(rings[:, 0, 1] - 0.56)))]
        pieces.append(tube(row * np.array([1.03, 1, 1.04]), 0.02, Part.TRIM, sides=8, closed=True, flat=1.0))
    return Model(union(*pieces), stands=False, yaw=12, pitch=5, turn=0.8, split=0.55)


def _skirt_rows(skirt: str, hem: float, flare: float) -> list[tuple[float, float, float]]:
    """Rows of (height, half width, half depth) from the hem up to the hip."""
    middle = hem + 0.45 * (0.42 - hem)
    if skirt == "pencil":
        return [(hem, flare, 0.155), (middle, (flare + 0.21) / 2, 0.15), (0.42, 0.21, 0.135)]
    return [(hem, flare, flare * 0.72), (middle, (flare + 0.24) / 2, (flare * 0.72 + 0.15) / 2), (0.42, 0.24, 0.15)]


def _bodice(sleeve: str, shoulder: float, neck: float) -> list[tuple[float, float, float]]:
    """Rows above the bust: shoulders for sleeves, cut in at the arms without, nothing under straps."""
    if sleeve == "straps":
        return [(0.8, 0.19, 0.122), (0.815, 0.185, 0.117)]
    if sleeve == "none":
        return [(0.83, 0.175, 0.118), (0.9, 0.15, 0.085), (0.95, 0.142, 0.07), (0.98, 0.122, 0.07), (1.0, 0.1, 0.078)]
    return [
        (0.85, shoulder, 0.105),
        (0.915, shoulder * 0.93, 0.075),
        (0.96, (shoulder + neck) / 2, 0.07),
        (0.995, neck, 0.078),
    ]


def _pleats(rings: Floats, skirt: str, hem: float) -> Floats:
    """Pleats or tiers of a skirt, none above the waist at y = 0.56."""
    fall = np.clip((0.54 - rings[:, :1, 1:2]) / (0.54 - hem), 0, 1)
    if skirt == "pencil":
        return rings
    waves = {"pleated": 16, "a-line": 7, "tiered": 12}[skirt]
    depth = {"pleated": 0.07, "a-line": 0.05, "tiered": 0.03}[skirt]
    swing = 1 + depth * fall**0.7 * np.cos(waves * TURN)[None, :, None]
    if skirt == "tiered":
        swing = swing * (0.92 + 0.14 * ((fall * 3) % 1) * (fall > 0) * (fall < 1) + 0.1 * (fall >= 1))
    return np.asarray(rings * np.concatenate([swing, np.ones_like(swing), swing], axis=2))


def hoodie(t: Traits) -> Model:
    front, hood = t.pick("pullover", "zip"), t.pick("up", "down")
    pocket, fit = t.pick("kangaroo", "none", "two"), t.pick("regular", "cropped", "oversized")
    width = {"regular": 0.3, "cropped": 0.31, "oversized": 0.36}[fit]
    length = {"regular": 0.82, "cropped": 0.62, "oversized": 0.88}[fit]
    rows = [(y, w, d * 1.15) for y, w, d in torso_rows(width, length, 1.04, 0.12)]
    rows[0] = (rows[0][0], width * 0.9, 0.14)
    rings = folded(body_rings(rows, 40), t, lambda y: 0.016 * smoothstep(1.0, 0.4, y) + 0.002)
    rings[28:] = cut_neckline(rings[28:], "crew", 0.09)
    low = 1 - length
    pieces = [
        close_garment(rings, [Part.TRIM] * 3 + [Part.BODY] * 36, Part.TRIM),
        *pair_of_sleeves(t, "long", width, Part.TRIM, 1.12),
    ]
    pieces += _hood(hood)
    if pocket == "kangaroo" and front == "pullover":
        outline = np.array([(-0.19, 0.0), (0.19, 0.0), (0.19, 0.07), (0.12, 0.18), (-0.12, 0.18), (-0.19, 0.07)])
        pieces.append(_pocket(outline, low + 0.09))
    elif pocket != "none":
        outline = np.array([(0.0, 0.0), (0.12, 0.0), (0.12, 0.07), (0.05, 0.16), (0.0, 0.16)])
        pieces += [
            _pocket(outline + np.array([0.03, 0]), low + 0.09),
            _pocket(outline * np.array([-1, 1]) - np.array([0.03, 0]), low + 0.09),
        ]
    if front == "zip":
        line = rings[1:, COLUMNS // 2] + np.array([0, 0, 0.004])
        pieces.append(tube(line[::3], 0.009, Part.CHROME, sides=6))
    cords = [((0.05 * s, 0.9, 0.14), (0.06 * s, 0.82, 0.165), (0.055 * s, 0.68, 0.168)) for s in (1, -1)]
    pieces += [tube(spline(np.array(cord), 8), 0.008, Part.CREAM, sides=6) for cord in cords]
    return Model(union(*pieces), stands=False, yaw=8, pitch=4, turn=0.75)


def _pocket(outline: Floats, y: float) -> Mesh:
    return slab(resample(outline, 48), 0.035, Part.BODY, bevel=0.012).moved(0, y, 0.152)


def _hood(state: str) -> list[Mesh]:
    """A hood standing over the neck, or fallen to the back."""
    across = np.radians(np.linspace(-128, 128, 34))
    up = np.radians(np.linspace(-62, 90, 20))[:, None]
    if state == "up":
        x = 0.158 * np.cos(up) ** 0.8 * np.sin(across)
        z = -0.02 - 0.15 * np.cos(up) ** 0.8 * np.cos(across)
        y = 1.1 + 0.21 * np.sin(up) + 0 * across
    else:
        x = 0.19 * np.cos(up * 0.95) * np.sin(across)
        z = -0.05 - 0.17 * np.cos(up * 0.95) * np.cos(across)
        y = 0.97 + 0.1 * np.sin(up) + 0 * across - 0.03 * np.cos(across)
    shell = patch(np.stack(np.broadcast_arrays(x, y, z), axis=2), Part.BODY, facing=(0, 0, -1)).two_sided(Part.LINING)
    points = np.stack(np.broadcast_arrays(x, y, z), axis=2)
    edge = np.concatenate([points[:, 0], points[::-1, -1]])
    return [shell, tube(edge, 0.016, Part.BODY, sides=8)]
