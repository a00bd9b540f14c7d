"""Backpacks and handbags; the front looks along +z."""

import numpy as np

from indexer.showroom.render.arrays import Floats
from indexer.showroom.render.curves import arc, resample, rounded_rectangle, spline
from indexer.showroom.render.mesh import Mesh, Part, union
from indexer.showroom.render.model import Model
from indexer.showroom.render.primitives import box, disc, lathe, rod, slab, torus, tube
from indexer.showroom.render.seeds import Traits


def _dome(width: float, height: float, foot: float) -> Floats:
    """Outline with a round top and slightly rounded foot, its base at y = 0."""
    top = arc(width / 2, 0, 180, 20)
    top[:, 1] = top[:, 1] * min(1.0, height / width) * 0.75
    top[:, 1] += height - top[:, 1].max()
    low = [
        (-width / 2 + foot * 0.2, foot),
        (-width / 2 + foot, 0.0),
        (width / 2 - foot, 0.0),
        (width / 2 - foot * 0.2, foot),
    ]
    return resample(np.concatenate([top, low]), 72)


def backpack(t: Traits) -> Model:
    style, pocket = t.pick("dome", "flap", "roll", "square"), t.pick("big", "two", "none", "wide")
    sides, width = t.pick(True, False), t.uniform(0.56, 0.7)
    height = t.uniform(0.86, 1.0)
    outline = {"dome": _dome(width, height, 0.08), "flap": _dome(width, height * 0.96, 0.1)}.get(style)
    if outline is None:
        outline = rounded_rectangle(width, height, 0.06 if style == "roll" else 0.1, 8) + np.array([0, height / 2])
        outline = resample(outline, 72)
    pieces = [slab(outline, 0.26, Part.BODY, bevel=0.08, puff=0.03)]
    pieces += _lids(style, width, height) + _pockets(pocket, width, height)
    if sides:
        pieces += [box(0.07, 0.3, 0.18, Part.TRIM, radius=0.03).moved(s * width * 0.52, 0.2, 0) for s in (1, -1)]
    grip = spline(
        [
            (-0.07, height - 0.03, -0.06),
            (-0.05, height + 0.07, -0.06),
            (0.05, height + 0.07, -0.06),
            (0.07, height - 0.03, -0.06),
        ],
        16,
    )
    pieces.append(tube(grip, 0.016, Part.TRIM, flat=1.6))
    for s in (1, -1):
        strap = spline(
            [
                (s * 0.13, height - 0.04, -0.12),
                (s * 0.17, height - 0.1, -0.3),
                (s * 0.2, height * 0.5, -0.34),
                (s * 0.25, 0.14, -0.12),
            ],
            20,
        )
        pieces.append(tube(strap, 0.018, Part.TRIM, flat=3.0))
    return Model(union(*pieces), yaw=26, pitch=10, split=0.4)


def _lids(style: str, width: float, height: float) -> list[Mesh]:
    """How the top closes: flap with buckles, roll, or a zip round the edge."""
    if style == "flap":
        return _flap(width, height)
    if style == "roll":
        roll = tube([(-width * 0.49, height - 0.02, 0), (width * 0.49, height - 0.02, 0)], 0.1, Part.BODY, sides=24)
        knots = [(0, height + 0.09, 0), (0, height - 0.02, 0.135), (0, height * 0.6, 0.175)]
        strap = tube(spline(knots, 14), 0.012, Part.TRIM, flat=2.6)
        return [roll, strap, box(0.07, 0.06, 0.03, Part.DARK).moved(0, height * 0.62, 0.185)]
    if style == "dome":
        loop = resample(_dome(width * 0.9, height * 0.93, 0.06), 60)
    else:
        loop = resample(rounded_rectangle(width * 0.86, height * 0.86, 0.08, 8) + np.array([0, height / 2]), 60)
    line = np.concatenate([loop, np.full((60, 1), 0.145)], axis=1)
    if style == "square":
        return [tube(line[loop[:, 1] > height * 0.45], 0.009, Part.DARK, sides=6)]
    return [tube(line, 0.008, Part.TRIM, sides=6, closed=True)]


def _flap(width: float, height: float) -> list[Mesh]:
    front = arc(width * 0.5, 180, 360, 18) * np.array([1, 0.55]) + np.array([0, height * 0.66])
    right = np.array([(width * 0.46, height * 0.9), (width * 0.25, height * 0.99)])
    outline = resample(np.concatenate([front, right, right[::-1] * np.array([-1, 1])]), 60)
    strap = box(0.05, 0.26, 0.025, Part.TAN)
    buckle = union(strap, box(0.07, 0.06, 0.035, Part.BRASS).moved(0, -0.05, 0.01))
    buckles = [buckle.moved(s * width * 0.24, height * 0.5, 0.185) for s in (1, -1)]
    return [slab(outline, 0.29, Part.BODY, bevel=0.05, puff=0.03), *buckles]


def _pockets(style: str, width: float, height: float) -> list[Mesh]:
    if style == "none":
        return [box(0.14, 0.09, 0.02, Part.TAN, radius=0.01).moved(0, height * 0.32, 0.165)]
    if style == "two":
        return [
            box(width * 0.4, height * 0.3, 0.12, Part.BODY, radius=0.04, puff=0.02).moved(
                s * width * 0.23, height * 0.22, 0.17
            )
            for s in (1, -1)
        ]
    size = (width * 0.74, height * 0.4) if style == "big" else (width * 0.86, height * 0.26)
    zip_y = height * 0.05 + size[1] * 0.86
    body = box(*size, 0.13, Part.BODY, radius=0.05, puff=0.03).moved(0, height * 0.05 + size[1] / 2, 0.17)
    return [body, tube([(-size[0] * 0.42, zip_y, 0.243), (size[0] * 0.42, zip_y, 0.243)], 0.01, Part.BRASS, sides=8)]


def handbag(t: Traits) -> Model:
    style = t.pick("tote", "flap", "bucket", "hobo", "bowling", "clutch")
    handle, deco = t.pick("short", "long", "chain"), t.pick("clasp", "tag", "stripe")
    wide, tall = t.uniform(0.85, 1.0), t.uniform(0.58, 0.75)
    if style == "bucket":
        return Model(union(*_bucket(handle, tall)), yaw=20, pitch=14, split=0.36)
    tall = {"tote": tall, "flap": tall * 0.85, "hobo": tall * 0.85, "bowling": tall * 0.72, "clutch": tall * 0.65}[
        style
    ]
    outline = resample(_bag_outline(style, wide, tall), 72)
    depth = {"tote": 0.24, "flap": 0.22, "hobo": 0.24, "bowling": 0.34, "clutch": 0.14}[style]
    pieces = [slab(outline, depth, Part.BODY, bevel=0.07, puff=0.035, side=Part.BODY)]
    front = depth / 2 + 0.035
    if style in ("flap", "clutch"):
        cover = np.array(
            [
                (-wide * 0.48, tall),
                (wide * 0.48, tall),
                (wide * 0.47, tall * 0.62),
                (wide * 0.1, tall * 0.38),
                (-wide * 0.1, tall * 0.38),
                (-wide * 0.47, tall * 0.62),
            ]
        )
        pieces.append(slab(resample(cover, 60), depth + 0.05, Part.BODY, bevel=0.03, puff=0.03))
        pieces.append(disc(0.045, 0.03, Part.BRASS).moved(0, tall * 0.46, front + 0.02))
    elif deco == "stripe":
        pieces.append(box(wide * 0.98, 0.1, depth + 0.05, Part.TRIM, radius=0.02).moved(0, tall * 0.22, 0))
    elif deco == "tag":
        pieces.append(box(0.1, 0.16, 0.02, Part.TAN, radius=0.02).moved(wide * 0.2, tall * 0.62, front))
    else:
        pieces.append(
            union(box(0.1, 0.06, 0.03, Part.BRASS), box(0.04, 0.12, 0.02, Part.TRIM).moved(0, 0.05, 0)).moved(
                0, tall * 0.78, front - 0.015
            )
        )
    return Model(union(*pieces, *_bag_handles(style, handle, wide, tall, depth)), yaw=20, pitch=10, split=0.38)


def _bag_outline(style: str, wide: float, tall: float) -> Floats:
    w = wide / 2
    if style == "tote":
        right = [(0, -0.005), (w * 0.8, 0.0), (w * 0.9, 0.06), (w, tall), (0, tall)]
        return spline(np.array([(-w * 0.8, 0.0), *right, (-w, tall), (-w * 0.9, 0.06)]), 96, closed=True)
    if style == "hobo":
        right = [(w * 0.75, 0.06), (w, tall * 0.55), (w * 0.82, tall)]
        left = [(-x, y) for x, y in reversed(right)]
        return spline(np.array([(0, 0), *right, (0, tall * 0.72), *left]), 96, closed=True)
    if style == "bowling":
        return _dome(wide, tall, 0.08)
    return np.asarray(rounded_rectangle(wide, tall, 0.06, 8) + np.array([0, tall / 2]))


def _bag_handles(style: str, handle: str, wide: float, tall: float, depth: float) -> list[Mesh]:
    rise = {"short": 0.2, "long": 0.42, "chain": 0.34}[handle]
    if style == "clutch":
        return [torus(0.13, 0.013, Part.BRASS).turned("y", 70).moved(-wide * 0.5, tall * 0.72, 0)]
    foot = wide * (0.26 if handle == "short" else 0.36)
    if style == "hobo":
        foot = wide * 0.4
    path = spline(
        [
            (-foot, tall - 0.1, 0),
            (-foot * 0.92, tall + rise * 0.55, 0),
            (0, tall + rise, 0),
            (foot * 0.92, tall + rise * 0.55, 0),
            (foot, tall - 0.1, 0),
        ],
        30,
    )
    offsets = (-depth * 0.42, depth * 0.42 + 0.02) if style in ("tote", "bowling") else (0.0,)
    if handle == "chain":
        links = [
            torus(0.022, 0.007, Part.BRASS, segments=10, sides=5).turned("y", 90.0 * (k % 2)).moved(*p)
            for k, p in enumerate(path)
        ]
        return [union(*links).moved(z=z) for z in offsets]
    rings = [
        torus(0.035, 0.009, Part.BRASS, segments=16, sides=6).moved(s * foot, tall - 0.1, z)
        for s in (1, -1)
        for z in offsets
    ]
    return [tube(path, 0.019, Part.TRIM, flat=1.3).moved(z=z) for z in offsets] + rings


def _bucket(handle: str, tall: float) -> list[Mesh]:
    profile = [
        (0, 0),
        (0.28, 0),
        (0.3, 0.02),
        (0.33, tall * 0.6),
        (0.3, tall * 0.95),
        (0.31, tall),
        (0.29, tall),
        (0.28, tall * 0.9),
        (0, tall * 0.8),
    ]
    body = lathe(np.array(profile), Part.BODY, segments=56, flutes=10, depth=0.012)
    base = lathe([(0.29, 0.0), (0.312, 0.01), (0.325, 0.12), (0.3, 0.125)], Part.TRIM)
    cord = torus(0.318, 0.012, Part.TRIM).turned("x", 90).moved(0, tall * 0.87, 0)
    knot = [rod((0.04 * s, tall * 0.87, 0.32), (0.07 * s, tall * 0.62, 0.36), 0.011, Part.TRIM) for s in (1, -1)]
    rise = {"short": 0.25, "long": 0.5, "chain": 0.4}[handle]
    strap = spline(
        [
            (-0.31, tall * 0.88, 0),
            (-0.28, tall + rise * 0.6, 0),
            (0, tall + rise, 0),
            (0.28, tall + rise * 0.6, 0),
            (0.31, tall * 0.88, 0),
        ],
        26,
    )
    part = Part.BRASS if handle == "chain" else Part.TRIM
    return [body, base, cord, *knot, tube(strap, 0.018, part, flat=1.5)]
