"""Photos of two to four products on one ground, as a shopper photographs a table: where each of them lies is known.

The showroom's renderer draws them in poses and light that no catalogue photo has, from seeds that no training has used.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import cycle, islice
from typing import Final

import numpy as np
from PIL import Image

from indexer.images.regions import Box
from indexer.showroom.catalogue import ShowroomProduct
from indexer.showroom.render.arrays import Flags, Floats
from indexer.showroom.render.backdrop import room
from indexer.showroom.render.camera import Camera, Pose, aim
from indexer.showroom.render.gbuffer import geometry_pass
from indexer.showroom.render.kinds import solid
from indexer.showroom.render.photo import LEVELS
from indexer.showroom.render.seeds import generator
from indexer.showroom.render.shade import Light, develop, shade, unit
from indexer.showroom.render.shadow import enlarge, shadow
from indexer.showroom.split import stable_fraction

PLAIN, VIVID, TEXTURED = "plain ground", "vivid ground", "textured ground"
GROUNDS: Final = (PLAIN, VIVID, TEXTURED)
"""Paper or cloth in a muted tint; in any colour, however loud; a wall's bricks or boards."""
_SIDE, _QUARTER = 512, 256
"""Pixels of a side of the photo, and of a product's quarter of it."""
_QUARTERS: Final = ((0, 0), (0, 1), (1, 0), (1, 1))
_FADE: Final = np.minimum(1, np.minimum(np.arange(_QUARTER), np.arange(_QUARTER)[::-1]) / 32)
"""Shadows end softly at the edge of a quarter."""
_LEVEL: Final = LEVELS["medium"]
"""How far poses depart from the shop's."""
_SMALLEST, _LARGEST = 0.58, 0.9
"""Longer side of a product, as a share of its quarter."""
_NOISE: Final = 2.5
"""Standard deviation of the sensor's noise in byte steps."""


@dataclass(frozen=True)
class Crowd:
    """`photo` is a JPEG file; `boxes` are the products' own, in their order."""

    products: tuple[ShowroomProduct, ...]
    boxes: tuple[Box, ...]
    photo: bytes


def crowds(products: Sequence[ShowroomProduct], ground: str) -> Iterator[Crowd]:
    """One product of every family, in photos of two, three, four, two … of them; a last one alone is left out."""
    drawn = sorted(products, key=lambda product: stable_fraction("crowd", product.id))
    left = iter({product.parent: product for product in reversed(drawn)}.values())
    for size in cycle((2, 3, 4)):
        together = tuple(islice(left, size))
        if len(together) < 2:
            return
        yield photographed(together, ground)


def photographed(products: Sequence[ShowroomProduct], ground: str) -> Crowd:
    """Two to four products in quarters of a photo; the same for the same products and ground."""
    rng = generator("crowd", ground, *(product.id for product in products))
    lamp = _lamp(rng)
    image = _ground(ground, rng) * lamp.total
    boxes = []
    for product, place in zip(products, rng.permutation(_QUARTERS)[: len(products)], strict=True):
        top, left = (int(one) for one in place * _QUARTER)
        quarter = image[:, top : top + _QUARTER, left : left + _QUARTER]
        quarter[:], mask = _laid(product, quarter, lamp, rng)
        boxes.append(_box(mask, top, left))
    noisy = develop(image) + rng.normal(0, _NOISE, (_SIDE, _SIDE, 3))
    file = BytesIO()
    Image.fromarray(np.clip(np.rint(noisy), 0, 255).astype(np.uint8)).save(file, "JPEG", quality=85)
    return Crowd(tuple(products), tuple(boxes), file.getvalue())


@dataclass(frozen=True)
class _Lamp:
    """A window to one side and the room; directions in camera axes, colours linear (3,)."""

    key: Floats
    fill: Floats
    colours: tuple[Floats, Floats, Floats]

    @property
    def total(self) -> Floats:
        """What falls on a ground that faces it (3, 1, 1)."""
        return np.asarray(sum(self.colours))[:, None, None]

    def seen_by(self, camera: Camera) -> Light:
        return Light(self.key, self.fill, camera.turn[:, 1].astype(np.float32), *self.colours)


def _lamp(rng: np.random.Generator) -> _Lamp:
    side = float(rng.choice([-1.0, 1.0]))
    warm = _LEVEL.warmth * rng.uniform(-1, 1)
    tint = np.array([1 + warm, 1.0, 1 - 1.2 * warm], np.float32)
    key = unit(side * float(rng.uniform(0.15, 1)), float(rng.uniform(0.4, 1)), float(rng.uniform(0.25, 0.9)))
    colours = (tint * np.float32(rng.uniform(0.6, 0.9)), np.full(3, 0.16, np.float32), tint * np.float32(0.38))
    return _Lamp(key, unit(-side, 0.2, 0.5), colours)


def _ground(ground: str, rng: np.random.Generator) -> Floats:
    """Albedo (3, side, side)."""
    if ground == TEXTURED:
        corners = np.array([(-1.0, -1, 0), (1, 1, 0)])
        return room(aim(corners, Pose(0, 0, fill=1), _SIDE), False, _SIDE, _SIDE, rng)
    down, across = np.mgrid[-1 : 1 : _SIDE * 1j, -1 : 1 : _SIDE * 1j]
    falls = 1 - rng.uniform(0.03, 0.12) * (down**2 + across**2)
    tint = rng.uniform(0.05, 0.75) * rng.uniform(0.8, 1.2, 3) if ground == PLAIN else rng.uniform(0.05, 0.75, 3)
    return np.asarray((tint[:, None, None] * falls).astype(np.float32))


def _laid(product: ShowroomProduct, quarter: Floats, lamp: _Lamp, rng: np.random.Generator) -> tuple[Floats, Flags]:
    """The quarter (3, height, width) with the product and its shadow, and where the product is (height, width)."""
    subject = solid(product.look.kind, product.look.shape)
    model = subject.model
    yaw, pitch, roll = rng.uniform(-1, 1, 3) * (_LEVEL.yaw * model.turn, _LEVEL.pitch, _LEVEL.roll)
    fill = float(rng.uniform(_SMALLEST, _LARGEST))
    right, down = rng.uniform(-1, 1, 2) * (_LARGEST - fill) / 2
    pose = Pose(model.yaw + yaw, max(model.pitch + pitch, 3.0), roll, fill=fill, shift=(float(right), float(down)))
    camera = aim(subject.mesh.vertices, pose, _QUARTER)
    buffer = geometry_pass(subject, camera, _QUARTER, 2)
    dark = enlarge(shadow(subject, camera, lamp.key, _QUARTER, float(rng.uniform(0.2, 1))), _QUARTER)
    colours = shade(buffer, product.look, lamp.seen_by(camera), model.split)
    ground = quarter * (1 - 0.6 * dark * np.minimum.outer(_FADE, _FADE)).astype(np.float32)
    return buffer.resolve(colours, ground), np.asarray(buffer.alpha > 0.5)


def _box(mask: Flags, top: int, left: int) -> Box:
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    across, down = int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1
    return Box((left + int(columns[0])) / _SIDE, (top + int(rows[0])) / _SIDE, across / _SIDE, down / _SIDE)
