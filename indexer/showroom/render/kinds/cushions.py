"""Cushions."""

import numpy as np

from indexer.showroom.render.arrays import Floats
from indexer.showroom.render.curves import resample, spline, superellipse
from indexer.showroom.render.mesh import Mesh, Part, union
from indexer.showroom.render.model import Model
from indexer.showroom.render.primitives import ball, lathe, rod, slab, torus, tube
from indexer.showroom.render.seeds import Traits


def cushion(t: Traits) -> Model:
    shape, edge = (
        t.pick("square", "round", "rectangle", "bolster", "hexagon"),
        t.pick("piping", "tassels", "plain", "flange", "fringe"),
    )
    tuft, plump = t.pick("none", "button", "four"), t.uniform(0.16, 0.24)
    if shape == "bolster":
        return Model(_bolster(edge), yaw=22, pitch=16, split=0.5)
    outline = {
        "square": _pinched(0.46, 0.46),
        "round": superellipse(0.96, 0.96, 2, 72),
        "rectangle": _pinched(0.5, 0.33),
        "hexagon": resample(
            spline(
                [(0.46 * np.cos(a), 0.46 * np.sin(a)) for a in np.radians(np.arange(0, 360, 30))][::1], 72, closed=True
            )
            * np.repeat([1.0], 72)[:, None],
            72,
        ),
    }[shape]
    pad = slab(outline, 0.05, Part.BODY, bevel=0.022, puff=plump, rows=16)
    points = pad.vertices.copy()
    for x, y in {
        "none": [],
        "button": [(0.0, 0.0)],
        "four": [(0.16, 0.14), (-0.16, 0.14), (0.16, -0.14), (-0.16, -0.14)],
    }[tuft]:
        dent = np.exp(-((points[:, 0] - x) ** 2 + (points[:, 1] - y) ** 2) / 0.006)
        points[:, 2] *= 1 - 0.45 * dent
    soft = _renormalised(Mesh(points, pad.normals, pad.uv, pad.faces, pad.parts))
    mesh = union(soft, *_edging(edge, outline)).turned("x", -14)
    return Model(mesh, yaw=16, pitch=6, turn=0.9)


def _pinched(w: float, h: float) -> Floats:
    """Outline of a filled pillow: sides drawn in, corners out."""
    return resample(
        spline(
            [(-w, -h), (0, -h * 0.9), (w, -h), (w * 0.9, 0), (w, h), (0, h * 0.9), (-w, h), (-w * 0.9, 0)],
            144,
            closed=True,
        )
        * 0.97,
        80,
    )


def _renormalised(mesh: Mesh) -> Mesh:
    """Vertex normals from the faces, for a mesh whose vertices moved."""
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    cross = np.cross(b - a, c - a)
    total = np.stack(
        [sum(np.bincount(mesh.faces[:, k], cross[:, i], len(mesh.vertices)) for k in range(3)) for i in range(3)],
        axis=1,
    )
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return Mesh(
        mesh.vertices,
        np.where(length > 1e-9, total / np.maximum(length, 1e-9), mesh.normals),
        mesh.uv,
        mesh.faces,
        mesh.parts,
    )


def _edging(edge: str, outline: Floats) -> list[Mesh]:
    line = np.concatenate([outline, np.zeros((len(outline), 1))], axis=1)
    if edge == "piping":
        return [tube(line * 1.005, 0.014, Part.TRIM, closed=True)]
    if edge == "flange":
        return [slab(outline * 1.1, 0.012, Part.TRIM, bevel=0.004)]
    if edge == "tassels":
        far = np.linalg.norm(outline, axis=1)
        tips = [outline[np.argmax(far * (outline @ np.array(d) > 0.3))] for d in ((1, 1), (-1, 1), (1, -1), (-1, -1))]
        tassel = lathe([(0, 0.05), (0.025, 0.04), (0.022, 0.02), (0.03, -0.03), (0.036, -0.1), (0, -0.1)], Part.TRIM)
        return [tassel.moved(x * 1.03, y * 1.03 - 0.03, 0) for x, y in tips]
    if edge == "fringe":
        return [rod((x, y, 0), (x * 1.13, y * 1.13, 0.01), 0.009, Part.TRIM, sides=5) for x, y in outline]
    return []


def _bolster(edge: str) -> Mesh:
    profile = spline([(0, -0.48), (0.17, -0.47), (0.2, -0.42), (0.205, 0.0), (0.2, 0.42), (0.17, 0.47), (0, 0.48)], 40)
    roll = lathe(profile, Part.BODY, segments=48)
    ends = (
        [torus(0.2, 0.016, Part.TRIM).turned("x", 90).moved(0, s * 0.435, 0) for s in (1, -1)]
        if edge != "plain"
        else []
    )
    knobs = [ball(0.035, Part.TRIM, segments=14).moved(0, s * 0.49, 0) for s in (1, -1)]
    return union(roll, *ends, *knobs).turned("z", 90)
