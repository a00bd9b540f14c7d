"""Perspective camera that looks at a product."""

from dataclasses import dataclass

import numpy as np

from indexer.showroom.render.arrays import Floats
from indexer.showroom.render.mesh import rotation


@dataclass(frozen=True)
class Pose:
    """Where the camera stands: angles in degrees, distance in product sizes, and the product's place in the frame.

    `fill` is the larger side of the product's bounding box as a share of the frame; `shift` moves its centre.
    """

    yaw: float
    pitch: float
    roll: float = 0.0
    distance: float = 3.6
    fill: float = 0.8
    shift: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Camera:
    """World to pixels: `turn` (3, 3) world to camera axes (z towards the viewer), then perspective division."""

    turn: Floats
    centre: Floats
    distance: float
    focal: float
    offset: Floats

    def project(self, points: Floats) -> tuple[Floats, Floats]:
        """World points (N, 3) → pixels (N, 2), y down, and nearness 1 / depth (N,)."""
        local = (points - self.centre) @ self.turn.T
        near = 1.0 / np.maximum(self.distance - local[:, 2], 0.05)
        flat = local[:, :2] * near[:, None] * np.array([self.focal, -self.focal])
        return flat + self.offset, near

    def ray(self, x: Floats, y: Floats) -> Floats:
        """Directions (3, ...) in camera axes from the eye through pixels."""
        right, up = (x - self.offset[0]) / self.focal, -(y - self.offset[1]) / self.focal
        return np.stack([right, up, -np.ones_like(right)])

    def eye(self) -> Floats:
        """Position of the eye in the world (3,)."""
        return np.asarray(self.centre + self.turn.T @ np.array([0.0, 0.0, self.distance]))


def aim(vertices: Floats, pose: Pose, size: int) -> Camera:
    """Camera that frames `vertices` as the pose asks, in an image of size x size pixels."""
    turn = rotation("z", pose.roll) @ rotation("x", pose.pitch) @ rotation("y", pose.yaw)
    centre = (vertices.min(axis=0) + vertices.max(axis=0)) / 2
    unframed = Camera(turn, centre, pose.distance, 1.0, np.zeros(2))
    flat, _ = unframed.project(vertices)
    low, high = flat.min(axis=0), flat.max(axis=0)
    focal = pose.fill * size / float((high - low).max())
    middle = np.array([0.5 + pose.shift[0], 0.5 + pose.shift[1]]) * size
    return Camera(turn, centre, pose.distance, focal, middle - focal * (low + high) / 2)
