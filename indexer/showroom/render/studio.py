"""The shop's own photos: a product on a seamless light backdrop."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

import numpy as np

from indexer.showroom.look import Look
from indexer.showroom.render.arrays import Bytes, Floats
from indexer.showroom.render.camera import Pose, aim
from indexer.showroom.render.gbuffer import GBuffer, geometry_pass
from indexer.showroom.render.kinds import solid
from indexer.showroom.render.shade import Light, develop, shade, unit
from indexer.showroom.render.shadow import enlarge, shadow
from indexer.showroom.render.validation import checked_look, checked_size

VIEWS: tuple[str, ...] = ("front", "three-quarter", "side")
"""Studio views; the first is the main photo."""

_ANGLES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"front": (0.0, 0.0), "three-quarter": (28.0, 9.0), "side": (-58.0, 3.0)}
)
_KEY, _FILL = unit(-0.5, 0.72, 0.62), unit(0.85, 0.25, 0.45)


def studio(look: Look, view: str, size: int = 384) -> Bytes:
    """Clean shop photo, sRGB (size, size, 3); the product's longer side fills 80 % of the frame.

    Looks that share kind and shape share the geometry pass while it is among the last used. ValueError for an unknown
    view, kind, colour, pattern or material, or a size outside 16..2048.
    """
    checked_look(look)
    if view not in _ANGLES:
        raise ValueError(f"view: {view!r} is not one of {', '.join(VIEWS)}")
    buffer, backdrop, up = _scene(look.kind, look.shape, view, checked_size(size))
    light = Light(_KEY, _FILL, up, *(np.full(3, strength, dtype=np.float32) for strength in (0.77, 0.23, 0.4)))
    split = solid(look.kind, look.shape).model.split
    return develop(buffer.resolve(shade(buffer, look, light, split), backdrop))


@lru_cache(maxsize=12)
def _scene(kind: str, shape: int, view: str, size: int) -> tuple[GBuffer, Floats, Floats]:
    """What all variants of a family share in one view: G-buffer, backdrop with shadow (3, H, W), the world's up."""
    subject = solid(kind, shape)
    model = subject.model
    yaw, pitch = _ANGLES[view]
    sign = 1 if model.yaw >= 0 else -1
    pose = Pose(model.yaw + sign * yaw * model.turn, model.pitch + pitch, fill=0.8)
    camera = aim(subject.mesh.vertices, pose, size)
    buffer = geometry_pass(subject, camera, size, 2 if size <= 256 else 3)
    dark = enlarge(shadow(subject, camera, _KEY, size, 0.1), size)
    return buffer, _backdrop(size) * (1 - 0.62 * dark), camera.turn[:, 1].astype(np.float32)


def _backdrop(size: int) -> Floats:
    """Seamless paper: lighter behind the product, a soft turn from wall to floor."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    glow = np.exp(-((x - 0.5) ** 2 + (y - 0.46) ** 2) / 0.32)
    level = 0.76 + 0.15 * glow + 0.03 * np.clip((y - 0.55) / 0.45, 0, 1)
    return np.stack([level * 0.995, level, level * 1.012])
