"""Hats."""

import numpy as np

from indexer.showroom.render.curves import spline
from indexer.showroom.render.mesh import Mesh, Part, patch, union
from indexer.showroom.render.model import Model
from indexer.showroom.render.primitives import ball, box, lathe, rod, tube
from indexer.showroom.render.seeds import Traits


def hat(t: Traits) -> Model:
    style = t.pick("cap", "fedora", "beanie", "bucket", "sun hat", "beret", "bowler")
    detail, size = t.pick("band", "plain", "bow"), t.uniform(0.92, 1.08)
    builders = {"cap": _cap, "beanie": _beanie, "beret": _beret}
    mesh = builders[style](t) if style in builders else _brimmed(style, detail, t)
    return Model(mesh.scaled(1, size, 1), yaw=24, pitch=14, split=0.36)


def _brimmed(style: str, detail: str, t: Traits) -> Mesh:
    """Crown and brim in one profile, with a band round the foot of the crown."""
    brim = {"fedora": 0.24, "bucket": 0.13, "sun hat": 0.42, "bowler": 0.13}[style] * t.uniform(0.9, 1.15)
    drop = {"fedora": 0.0, "bucket": -0.13, "sun hat": -0.06, "bowler": 0.035}[style]
    top = {"fedora": (0.21, 0.36), "bucket": (0.23, 0.28), "sun hat": (0.2, 0.27), "bowler": (0.2, 0.3)}[style]
    r, h = top
    crown = spline([(0.3, 0.02), (0.285, 0.1), (r * 1.13, h * 0.72), (r * 0.95, h * 0.96)], 16)
    dome = [(0.0, h), (r * 0.5, h * 1.0)] if style in ("fedora", "bucket") else [(0.0, h * 1.16), (r * 0.5, h * 1.12)]
    under = [(0.27, 0.0), (0.3 + brim * 0.98, drop - 0.012)]
    outer = spline([(0.3 + brim, drop + 0.004), (0.3 + brim * 0.5, drop * 0.35 + 0.004), (0.3, 0.02)], 10)
    profile = np.concatenate([[(0.0, 0.06)], under, outer, crown, spline([crown[-1], dome[1], dome[0]], 7)[1:]])
    mesh = lathe(profile, Part.BODY, segments=64)
    mesh = _bend(mesh, style, t)
    band = spline([(0.303, 0.025), (0.296, 0.06), (0.287, 0.1)], 4)
    pieces = [mesh]
    if detail != "plain" and style != "bucket":
        pieces.append(_bend(lathe(band + np.array([0.006, 0]), Part.TRIM, segments=64), style, t))
    if detail == "bow" and style != "bucket":
        pieces += [box(0.09, 0.06, 0.03, Part.TRIM).turned("y", 80).moved(0.27, 0.065, 0.07 + 0.06 * k) for k in (0, 1)]
    return union(*pieces)


def _bend(mesh: Mesh, style: str, t: Traits) -> Mesh:
    """Pinch a fedora's crown, wave a sun hat's brim, narrow every head into an oval."""
    v = mesh.vertices.copy()
    angle, radius = np.arctan2(v[:, 0], v[:, 2]), np.hypot(v[:, 0], v[:, 2])
    if style == "fedora":
        high = np.clip(v[:, 1] / 0.36, 0, 1)
        v[:, 1] -= 0.1 * np.exp(-((v[:, 0] / 0.07) ** 2)) * (high > 0.9)
        v[:, 0] *= 1 - 0.3 * np.clip(v[:, 2] / 0.25, 0, 1) * high**2
        v[:, 1] += np.clip(radius - 0.3, 0, 1) * (0.55 * np.sin(angle) ** 2 - 0.15)
    if style == "sun hat":
        v[:, 1] += np.clip(radius - 0.32, 0, 1) * 0.22 * np.sin(3 * angle + 0.6)
    v[:, 0] *= 0.9
    return Mesh(v, mesh.normals, mesh.uv, mesh.faces, mesh.parts)


def _cap(t: Traits) -> Mesh:
    height = t.uniform(0.26, 0.32)
    angle = np.linspace(0, np.pi / 2, 16)
    profile = np.stack([0.3 * np.cos(angle).round(9) ** 0.85, 0.0 + height * np.sin(angle)], axis=1)
    crown = lathe(np.concatenate([[(0.28, 0.0)], profile]), Part.BODY).scaled(0.92, 1, 1.05)
    reach, rise = 0.302 * np.cos(angle) ** 0.85, height * np.sin(angle) * 1.005
    seams = [
        tube(np.stack([reach * np.sin(a) * 0.92, rise, reach * np.cos(a) * 1.05], axis=1), 0.004, Part.TRIM, sides=5)
        for a in np.radians([30, 90, 150, 210, 270, 330])
    ]
    button = ball(0.025, Part.TRIM, segments=12).moved(0, height + 0.005, 0)
    return union(crown, _visor(), button, *seams)


def _visor() -> Mesh:
    s, r = np.meshgrid(np.linspace(-1, 1, 25), np.linspace(0, 1, 9))
    turn = s * 1.12
    reach = 0.295 + r * (0.27 - 0.05 * np.abs(s) ** 3) * np.sqrt(np.clip(1 - s**4, 0, 1))
    drop = 0.015 - 0.05 * r - 0.09 * np.sin(turn) ** 2 * (0.3 + r)
    points = np.stack([reach * np.sin(turn) * 0.95, drop, reach * np.cos(turn) * 1.04], axis=2)
    return patch(points, Part.TRIM, facing=(0, 1, 0)).two_sided()


def _beanie(t: Traits) -> Mesh:
    tall, pompom = t.uniform(0.42, 0.56), t.pick(True, False)
    crown = spline([(0.27, 0.02), (0.3, 0.14), (0.285, tall * 0.6), (0.19, tall * 0.9), (0.05, tall), (0, tall)], 24)
    cuff = spline([(0.28, 0.0), (0.318, 0.02), (0.325, 0.08), (0.318, 0.14), (0.29, 0.155)], 14)
    pieces = [
        lathe(crown, Part.BODY, segments=64, flutes=28, depth=0.012),
        lathe(np.concatenate([[(0.0, 0.02)], cuff]), Part.TRIM, segments=96, flutes=32, depth=0.014),
    ]
    if pompom:
        puff = ball(0.1, Part.TRIM, segments=36)
        jitter = 1 + 0.1 * t.rng.standard_normal((len(puff.vertices), 1))
        pieces.append(
            Mesh(puff.vertices * jitter, puff.normals, puff.uv, puff.faces, puff.parts).moved(0, tall + 0.06, 0)
        )
    return union(*pieces)


def _beret(t: Traits) -> Mesh:
    profile = spline(
        [(0.22, 0.0), (0.26, 0.035), (0.4, 0.07), (0.43, 0.12), (0.33, 0.185), (0.15, 0.205), (0, 0.21)], 26
    )
    mesh = lathe(np.concatenate([[(0.2, 0.0)], profile]), Part.BODY, segments=52)
    v = mesh.vertices.copy()
    v[:, 1] += 0.28 * np.clip(v[:, 1], 0, 1) * v[:, 0] / 0.4
    tilted = Mesh(v, mesh.normals, mesh.uv, mesh.faces, mesh.parts)
    return union(
        tilted,
        rod((0, 0.2, 0), (0.02, 0.27, 0), 0.012, Part.TRIM),
        lathe([(0.215, -0.02), (0.232, 0.0), (0.24, 0.03)], Part.TRIM),
    )
