"""Scan conversion: which triangle is nearest at each sample of an image.

Every (triangle, row) gives one horizontal span, spans are expanded to samples, and one `maximum.at` over packed
(nearness, triangle) keys resolves the depth: no loop over triangles.
"""

from dataclasses import dataclass

import numpy as np

from indexer.showroom.render.arrays import Floats, Ints


@dataclass(frozen=True)
class Visible:
    """Nearest face of each sample (rows, columns), -1 where there is none, and its nearness (0 where none)."""

    face: Ints
    nearness: Floats


def _planes(x: Floats, y: Floats, values: Floats, area: Floats) -> tuple[Floats, Floats]:
    """Gradient of per-corner values (F, 3), linear over each triangle, as (d/dx, d/dy)."""
    v10, v20 = values[:, 1] - values[:, 0], values[:, 2] - values[:, 0]
    x10, x20 = x[:, 1] - x[:, 0], x[:, 2] - x[:, 0]
    y10, y20 = y[:, 1] - y[:, 0], y[:, 2] - y[:, 0]
    return (v10 * y20 - v20 * y10) / area, (v20 * x10 - v10 * x20) / area


def _ramp(counts: Ints) -> tuple[Ints, Ints]:
    """For counts (n0, n1, ...): the owner of each item and its index within the owner."""
    owner = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    starts = np.cumsum(counts) - counts
    return owner, np.arange(len(owner), dtype=np.int32) - starts.astype(np.int32)[owner]


def _spans(x: Floats, y: Floats, width: int, height: int) -> tuple[Ints, Ints, Ints, Ints]:
    """Triangles with corners x, y (F, 3) → per span: triangle, row, first column, number of samples."""
    top = np.clip(np.ceil(y.min(axis=1) - 0.5), 0, height).astype(np.int32)
    bottom = np.clip(np.ceil(y.max(axis=1) - 0.5), 0, height).astype(np.int32)
    face, step = _ramp(np.maximum(bottom - top, 0))
    row = top[face] + step
    centre = row.astype(np.float32) + np.float32(0.5)
    left = np.full(len(face), -1.0, dtype=np.float32)
    right = np.full(len(face), width + 1.0, dtype=np.float32)
    with np.errstate(divide="ignore", invalid="ignore"):
        for i, j in ((0, 1), (1, 2), (2, 0)):
            rise = y[:, j] - y[:, i]
            slope = (x[:, j] - x[:, i]) / rise
            crossing = x[face, i] + (centre - y[face, i]) * slope[face]
            going = rise[face]
            left = np.where(going > 0, np.fmax(left, crossing), left)
            right = np.where(going < 0, np.fmin(right, crossing), right)
    first = np.clip(np.ceil(left - 0.5), 0, width).astype(np.int32)
    last = np.clip(np.ceil(right - 0.5), 0, width).astype(np.int32)
    count = np.maximum(last - first, 0)
    some = count > 0
    return face[some], row[some], first[some], count[some]


def visible(screen: Floats, nearness: Floats, faces: Ints, width: int, height: int) -> Visible:
    """Scan-convert the front faces.

    `screen` (V, 2) in samples, y down; `nearness` (V,) positive, linear in screen space and larger when nearer
    (1 / depth under perspective).
    """
    corners = screen.astype(np.float32)[faces]
    x, y = corners[:, :, 0], corners[:, :, 1]
    area = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
    front = np.flatnonzero(area < -1e-6)
    x, y, area = x[front], y[front], area[front]
    q = nearness.astype(np.float32)[faces[front]]
    slope_x, slope_y = _planes(x, y, q, area)
    face, row, first, count = _spans(x, y, width, height)
    start = q[face, 0] + slope_x[face] * (first.astype(np.float32) + np.float32(0.5) - x[face, 0])
    start += slope_y[face] * (row.astype(np.float32) + np.float32(0.5) - y[face, 0])
    step = np.arange(int(count.sum()), dtype=np.int32)
    step -= np.repeat((np.cumsum(count) - count).astype(np.int32), count)
    depth = np.repeat(slope_x[face], count)
    depth *= step
    depth += np.repeat(start, count)
    np.clip(depth, q.min(initial=1.0), q.max(initial=1.0), out=depth)
    key = depth.view(np.int32).astype(np.int64)
    key <<= 32
    key |= np.repeat(front[face], count)
    target = np.repeat(row * np.int32(width) + first, count)
    target += step
    buffer = np.full(width * height, -1, dtype=np.int64)
    np.maximum.at(buffer, target, key)
    hit = buffer >= 0
    winner = np.where(hit, buffer & 0xFFFFFFFF, -1).astype(np.int32)
    near = np.where(hit, buffer >> 32, 0).astype(np.int32).view(np.float32)
    return Visible(winner.reshape(height, width), near.reshape(height, width))
