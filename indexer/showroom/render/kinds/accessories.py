"""Sunglasses, watches and umbrellas."""

import numpy as np

from indexer.showroom.render.arrays import Floats
from indexer.showroom.render.curves import rounded_rectangle, spline, superellipse
from indexer.showroom.render.mesh import Mesh, Part, patch, union
from indexer.showroom.render.model import Model
from indexer.showroom.render.primitives import ball, box, disc, lathe, rod, slab, torus, tube
from indexer.showroom.render.seeds import Traits

_LENSES = {
    "round": [(0.0, -0.2), (0.19, -0.06), (0.19, 0.08), (0.0, 0.2), (-0.19, 0.08), (-0.19, -0.06)],
    "aviator": [
        (0.0, -0.21),
        (0.14, -0.14),
        (0.2, 0.04),
        (0.16, 0.145),
        (-0.05, 0.15),
        (-0.17, 0.12),
        (-0.17, -0.04),
        (-0.1, -0.17),
    ],
    "wayfarer": [(0.0, -0.15), (0.15, -0.12), (0.21, 0.1), (0.17, 0.15), (-0.1, 0.14), (-0.18, 0.1), (-0.15, -0.11)],
    "cat-eye": [(0.0, -0.15), (0.15, -0.1), (0.25, 0.19), (0.13, 0.15), (-0.08, 0.11), (-0.18, 0.06), (-0.13, -0.11)],
    "square": [
        (0.0, -0.15),
        (0.16, -0.15),
        (0.19, 0.0),
        (0.18, 0.13),
        (0.0, 0.145),
        (-0.17, 0.13),
        (-0.19, 0.0),
        (-0.16, -0.15),
    ],
    "oval": [(0.0, -0.11), (0.17, -0.06), (0.2, 0.02), (0.1, 0.1), (-0.08, 0.1), (-0.2, 0.02), (-0.17, -0.06)],
}


def sunglasses(t: Traits) -> Model:
    style, weight = t.pick(*_LENSES), t.pick(0.026, 0.012, 0.038)
    bridge, size = t.pick("arch", "double", "straight"), t.uniform(0.94, 1.08)
    outline = spline(np.array(_LENSES[style]) * size, 44, closed=True)
    loop = np.concatenate([outline, np.zeros((44, 1))], axis=1)
    rim = tube(loop, weight, Part.BODY, closed=True, flat=1.1, sides=10)
    lens = slab(outline, 0.012, Part.LENS, bevel=0.004, puff=0.03)
    eye = union(rim, lens).turned("y", 7).moved(0.255, 0, 0)
    right, high = float(loop[:, 0].max()) + 0.25, 0.09
    joint = rod((right - 0.03, high, -0.03), (right + 0.03, high, -0.06), weight * 1.1, Part.BODY)
    temple = spline(
        [
            (right + 0.03, high, -0.06),
            (right + 0.035, high + 0.01, -0.4),
            (right + 0.02, high - 0.02, -0.72),
            (right - 0.0, high - 0.16, -0.9),
        ],
        18,
    )
    arm = tube(temple, max(weight * 0.75, 0.012), Part.TRIM if t.pick(True, False) else Part.BODY, flat=1.5)
    half = union(eye, joint, arm)
    bars = {"arch": [0.05], "double": [0.02, 0.12], "straight": [0.08]}[bridge]
    lift = 0.035 if bridge == "arch" else 0.0
    spans = [
        tube(spline([(-0.075, y, 0.01), (0, y + lift, 0.02), (0.075, y, 0.01)], 9), max(weight * 0.9, 0.012), Part.BODY)
        for y in bars
    ]
    return Model(union(half, half.mirrored(), *spans).turned("x", 4), yaw=22, pitch=12, turn=0.8, split=0.6)


def watch(t: Traits) -> Model:
    case, strap = t.pick("round", "square", "tonneau"), t.pick("band", "links", "sport")
    dial, subs = t.pick(Part.CREAM, Part.DARK, Part.TRIM), t.pick(0, 3, 1)
    bezel, size = t.pick("thin", "diver", "crystal"), t.uniform(0.24, 0.3)
    outline = {
        "round": superellipse(2 * size, 2 * size, 2, 64),
        "square": rounded_rectangle(1.75 * size, 1.85 * size, 0.09, 8),
        "tonneau": superellipse(1.7 * size, 2.1 * size, 3.0, 64),
    }[case]
    metal = t.pick(Part.CHROME, Part.BRASS)
    body = slab(outline, 0.13, metal, bevel=0.03)
    rim = tube(
        np.concatenate([outline * 0.94, np.full((len(outline), 1), 0.068)], axis=1),
        0.022 if bezel == "thin" else 0.036,
        Part.DARK if bezel == "diver" else metal,
        closed=True,
    )
    face = slab(outline * 0.9, 0.02, dial, bevel=0.002).moved(0, 0, 0.062)
    crown = rod((size * 0.85, 0, 0), (size * 1.14, 0, 0), 0.032, metal, sides=14)
    head = union(body, rim, face, crown, *_dial(size, subs, Part.DARK if dial is Part.CREAM else Part.CREAM, t)).moved(
        0, 0, 0.42
    )
    return Model(union(head, *_strap(strap, size)).scaled(1, 1.0, 0.8), yaw=26, pitch=10, turn=0.8, split=0.5)


def _dial(size: float, subs: int, ink: Part, t: Traits) -> list[Mesh]:
    """Hour marks, hands and sub-dials on the face at z = 0.07."""
    pieces = []
    for hour in range(12):
        long = 0.05 if hour % 3 == 0 else 0.03
        mark = box(0.014 if hour % 3 else 0.022, long, 0.012, ink, radius=0.002)
        pieces.append(mark.moved(0, size * 0.74 - long / 2, 0.075).turned("z", -30 * hour))
    for angle, length, width in ((t.uniform(20, 80), 0.6, 0.014), (t.uniform(-80, -40), 0.42, 0.02)):
        pieces.append(
            box(width, size * length, 0.01, ink, radius=0.003).moved(0, size * length * 0.42, 0.085).turned("z", -angle)
        )
    places = {0: [], 1: [(0.0, -0.38)], 3: [(0.0, -0.4), (-0.38, 0.05), (0.38, 0.05)]}[subs]
    pieces += [torus(size * 0.2, 0.008, ink, segments=24, sides=6).moved(size * x, size * y, 0.075) for x, y in places]
    return [*pieces, disc(0.02, 0.02, ink).moved(0, 0, 0.085)]


def _strap(style: str, size: float) -> list[Mesh]:
    """Band round a wrist: an ellipse in the yz plane behind the case."""
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    y, z = 0.5 * np.sin(angle), -0.06 + 0.45 * np.cos(angle)
    loop = np.stack([np.zeros(60), y, z], axis=1)
    width = size * 0.62
    if style == "links":
        return _links(width)
    band = tube(loop, 0.026, Part.BODY, closed=True, flat=width / 0.026, exponent=5, sides=20)
    pieces = [band]
    if style == "sport":
        pieces += [
            disc(0.022, 0.02, Part.DARK)
            .turned("x", -float(np.degrees(a)))
            .moved(0, 0.5 * np.sin(a), -0.06 + 0.45 * np.cos(a) + 0.024)
            for a in (-0.75, -0.92, -1.09)
        ]
    else:
        edge = loop * np.array([1, 1.045, 1.05])
        pieces += [
            tube(edge + np.array([s * width * 0.86, 0, 0.003]), 0.006, Part.TRIM, closed=True, sides=5) for s in (1, -1)
        ]
        pieces.append(box(width * 2.3, 0.14, 0.03, Part.CHROME).turned("x", 90).moved(0, -0.52, -0.06))
    return pieces


def _links(width: float) -> list[Mesh]:
    """Metal band: rows of one wide link between two narrow ones, tapering to the clasp."""
    pieces = []
    for k in range(34):
        angle = 2 * np.pi * k / 34
        y, z = 0.5 * np.sin(angle), 0.45 * np.cos(angle)
        taper = width * (0.9 + 0.1 * np.cos(angle))
        wide = box(taper, 0.088, 0.045, Part.BODY, radius=0.012)
        edge = box(taper * 0.46, 0.088, 0.045, Part.BODY, radius=0.012)
        row = union(wide, edge.moved(taper * 0.74, 0.02, -0.004), edge.moved(-taper * 0.74, 0.02, -0.004))
        pieces.append(
            row.turned("x", -float(np.degrees(np.arctan2(0.45 * np.sin(angle), 0.5 * np.cos(angle))))).moved(
                0, y, z - 0.06
            )
        )
    return pieces


def umbrella(t: Traits) -> Model:
    style, handle = t.pick("dome", "classic", "pagoda", "folded"), t.pick("hook", "straight", "ball")
    panels = t.pick(8, 6, 10)
    if style == "folded":
        return Model(union(*_folded(handle)).turned("z", -24), stands=False, yaw=10, pitch=5, split=0.5)
    depth = {"dome": 0.42, "classic": 0.26, "pagoda": 0.36}[style] * t.uniform(0.92, 1.08)
    canopy = _canopy(style, panels, depth)
    shaft = rod((0, -0.62, 0), (0, depth + 0.07, 0), 0.012, Part.CHROME)
    mesh = union(canopy, shaft, *_handle(handle, -0.62)).turned("z", t.uniform(-16, 16))
    return Model(mesh, stands=False, yaw=18, pitch=16, turn=0.6, split=0.8)


def _canopy(style: str, panels: int, depth: float) -> Mesh:
    angle = np.linspace(0, 2 * np.pi, panels * 10, endpoint=False)
    r = np.linspace(0, 1, 18)[:, None]
    fall = {"dome": 1 - np.sqrt(np.clip(1 - (0.97 * r) ** 2, 0, 1)), "classic": r**1.9, "pagoda": 1 - (1 - r) ** 1.7}[
        style
    ]
    between = np.abs(np.sin(panels * angle / 2))
    reach = 0.5 * r * (1 - 0.05 * between * r**2)
    y = depth * (1 - fall / fall.max()) + 0.045 * between * r**2 - 0.012 * between * r * (1 - r)
    points = np.stack([reach * np.sin(angle), y, -reach * np.cos(angle)], axis=2)
    return patch(points, Part.BODY, wrap=True, facing=(0, 1, 0)).two_sided(Part.LINING)


def _handle(style: str, y: float) -> list[Mesh]:
    if style == "hook":
        hook = spline(
            [(0, y + 0.04, 0), (0, y - 0.06, 0), (0.045, y - 0.13, 0), (0.1, y - 0.1, 0), (0.11, y - 0.05, 0)], 20
        )
        return [tube(hook, 0.02, Part.WOOD)]
    if style == "ball":
        return [ball(0.045, Part.WOOD).moved(0, y - 0.02, 0)]
    return [tube([(0, y + 0.05, 0), (0, y - 0.1, 0)], 0.026, Part.DARK)]


def _folded(handle: str) -> list[Mesh]:
    rows = spline([(0.008, -0.5), (0.05, -0.42), (0.072, -0.1), (0.085, 0.22), (0.06, 0.27), (0.02, 0.28)], 24)
    body = lathe(rows, Part.BODY, segments=64, flutes=8, depth=0.14)
    v = body.vertices
    twisted: Floats = v.copy()
    turn = v[:, 1] * 2.2
    twisted[:, 0], twisted[:, 2] = (
        v[:, 0] * np.cos(turn) - v[:, 2] * np.sin(turn),
        v[:, 0] * np.sin(turn) + v[:, 2] * np.cos(turn),
    )
    cloth = Mesh(twisted, body.normals, body.uv, body.faces, body.parts)
    strap = lathe([(0.08, 0.03), (0.092, 0.04), (0.092, 0.075), (0.08, 0.085)], Part.TRIM)
    upside = union(*_handle(handle, -0.42)).turned("z", 180)
    return [cloth, strap, rod((0, -0.62, 0), (0, 0.45, 0), 0.013, Part.CHROME), upside]
