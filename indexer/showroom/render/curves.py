"""Plane and space curves that profiles, outlines and tubes are made from."""

from collections.abc import Sequence

import numpy as np

from indexer.showroom.render.arrays import Floats

Points = Sequence[Sequence[float]] | Floats


def spline(points: Points, count: int, *, closed: bool = False) -> Floats:
    """`count` points on the Catmull-Rom curve through `points` (N, D); a closed curve does not repeat its start."""
    knots = np.asarray(points, dtype=np.float64)
    if closed:
        padded = np.concatenate([knots[-1:], knots, knots[:2]])
        t = np.arange(count) * (len(knots) / count)
    else:
        padded = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
        t = np.linspace(0, len(knots) - 1, count)
    i = np.minimum(t.astype(int), len(padded) - 4)
    f = (t - i)[:, None]
    a, b, c, d = padded[i], padded[i + 1], padded[i + 2], padded[i + 3]
    cubic = 2 * b + (c - a) * f + (2 * a - 5 * b + 4 * c - d) * f**2 + (3 * b - a - 3 * c + d) * f**3
    return np.asarray(0.5 * cubic)


def arc(radius: float, start: float, stop: float, count: int, centre: tuple[float, float] = (0.0, 0.0)) -> Floats:
    """Circular arc (count, 2); angles in degrees, anticlockwise from +x."""
    angle = np.radians(np.linspace(start, stop, count))
    return np.stack([centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle)], axis=1)


def superellipse(width: float, height: float, exponent: float = 2.0, count: int = 48) -> Floats:
    """Closed outline |x/a|^n + |y/b|^n = 1 (Lame curve), anticlockwise from the bottom; (count, 2)."""
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False) - np.pi / 2
    c, s = np.cos(angle), np.sin(angle)
    radius = (np.abs(c) ** exponent + np.abs(s) ** exponent) ** (-1 / exponent)
    return np.stack([width / 2 * radius * c, height / 2 * radius * s], axis=1)


def rounded_rectangle(width: float, height: float, radius: float, count: int = 6) -> Floats:
    """Closed outline, anticlockwise, `count` points per corner and midpoints on the sides; (4 count + 4, 2)."""
    radius = min(radius, width / 2, height / 2)
    x, y = width / 2 - radius, height / 2 - radius
    corners = [(x, -y, -90.0), (x, y, 0.0), (-x, y, 90.0), (-x, -y, 180.0)]
    middles = [(width / 2, 0.0), (0.0, height / 2), (-width / 2, 0.0), (0.0, -height / 2)]
    pieces: list[Floats] = []
    for (cx, cy, start), middle in zip(corners, middles, strict=True):
        pieces += [arc(radius, start, start + 90, count, (cx, cy)), np.array([middle])]
    return np.concatenate(pieces)


def resample(outline: Points, count: int) -> Floats:
    """Closed polygon (N, D) resampled at `count` equal arc lengths."""
    loop = np.asarray(outline, dtype=np.float64)
    loop = np.concatenate([loop, loop[:1]])
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(loop, axis=0), axis=1))])
    at = np.linspace(0, length[-1], count, endpoint=False)
    return np.stack([np.interp(at, length, loop[:, k]) for k in range(loop.shape[1])], axis=1)


def smoothstep(low: float, high: float, x: Floats) -> Floats:
    """Hermite step from 0 at `low` to 1 at `high`."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))
