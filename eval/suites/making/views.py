"""A catalogue photo as a shopper's phone would show the product: another place, angle, light and camera.

Nothing is mirrored: asymmetric products and lettering would become other products.
"""

from io import BytesIO

import numpy as np
from PIL import Image, ImageFilter

from eval.suites.making.clutter import Scene, room
from eval.suites.making.cutout import cut_out

SIDE = 384
"""Longest side of a view in pixels."""
_TURN = 12.0
"""Degrees to either side."""
_TILT = 0.08
"""Share of a side that a corner moves at most."""
_ZOOM = 0.14
"""Share of a side that is cut off at most when the whole photo is used."""


def shopper_view(picture: Image.Image, rng: np.random.Generator) -> tuple[bytes, bool]:
    """A JPEG file of the RGB picture, and whether the product was stood in another room.

    A product without a smooth backdrop keeps its surroundings and is taken from another angle.
    """
    lifted = cut_out(picture)
    scene = _reframed(picture, rng) if lifted is None else _stood(lifted, room(SIDE, rng), rng)
    return _developed(_lit(scene, rng), rng), lifted is not None


def _stood(lifted: Image.Image, scene: Scene, rng: np.random.Generator) -> Scene:
    """The product in the room with a soft shadow."""
    scale = rng.uniform(0.55, 0.85) * SIDE / max(lifted.size)
    size = (max(8, round(lifted.width * scale)), max(8, round(lifted.height * scale)))
    left, top = ((SIDE - side) * rng.uniform(0.2, 0.8) for side in size)
    layer = Image.new("RGBA", (SIDE, SIDE))
    layer.paste(lifted.resize(size, Image.Resampling.LANCZOS), (round(left), round(top)))
    layer = layer.rotate(rng.uniform(-_TURN, _TURN), Image.Resampling.BICUBIC)
    layer = _tilted(layer, rng)
    pixels = np.asarray(layer).astype(np.float32)
    alpha = pixels[..., 3:] / 255
    shadow = layer.getchannel("A").filter(ImageFilter.GaussianBlur(float(rng.uniform(5, 12))))
    shift = tuple(int(one) for one in rng.integers(2, 12, 2))
    dark = 1 - rng.uniform(0.2, 0.5) * np.roll(np.asarray(shadow).astype(np.float32), shift, axis=(0, 1)) / 255
    return np.asarray(scene * dark[..., None] * (1 - alpha) + pixels[..., :3] * alpha, np.float32)


def _tilted(layer: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Seen from a little to the side: corners are drawn from up to _TILT outside or inside."""
    corners = _corners(layer.size) + rng.uniform(-_TILT, _TILT, (4, 2)) * layer.size
    return _perspective(layer, corners, layer.size)


def _reframed(picture: Image.Image, rng: np.random.Generator) -> Scene:
    """A quadrangle within the photo: crop, zoom and perspective in one."""
    inwards = np.array([(1, 1), (1, -1), (-1, -1), (-1, 1)])
    corners = _corners(picture.size) + inwards * rng.uniform(0, _ZOOM, (4, 2)) * picture.size
    scale = SIDE / max(picture.size)
    size = (max(16, round(picture.width * scale)), max(16, round(picture.height * scale)))
    return np.asarray(_perspective(picture, corners, size)).astype(np.float32)


def _corners(size: tuple[int, int]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Upper left, lower left, lower right, upper right, as Pillow's QUAD has them."""
    width, height = size
    return np.array([(0, 0), (0, height), (width, height), (width, 0)], np.float64)


def _perspective(
    picture: Image.Image, corners: np.ndarray[tuple[int, ...], np.dtype[np.float64]], size: tuple[int, int]
) -> Image.Image:
    """What lies between the corners, projected onto a rectangle of that size.

    The eight coefficients of the projective map solve eight linear equations (Heckbert 1989, §2.2.3).
    """
    rows, wanted = [], []
    for (x, y), (u, v) in zip(_corners(size), corners, strict=True):
        rows += [(x, y, 1, 0, 0, 0, -u * x, -u * y), (0, 0, 0, x, y, 1, -v * x, -v * y)]
        wanted += [u, v]
    solved = np.linalg.solve(np.array(rows), np.array(wanted))
    return picture.transform(
        size, Image.Transform.PERSPECTIVE, [float(one) for one in solved], Image.Resampling.BICUBIC
    )


def _lit(scene: Scene, rng: np.random.Generator) -> Scene:
    """Another lamp and exposure: gain, colour temperature and gamma, mild enough to leave a colour its name."""
    warmth = rng.uniform(-0.07, 0.07)
    gain = rng.uniform(0.8, 1.12) * np.array([1 + warmth, 1, 1 - warmth], np.float32)
    lit = np.clip(scene * gain / 255, 0, 1) ** rng.uniform(0.85, 1.15)
    return np.asarray(lit * 255, np.float32)


def _developed(scene: Scene, rng: np.random.Generator) -> bytes:
    """Blur, sensor noise and JPEG."""
    picture = Image.fromarray(np.clip(scene, 0, 255).astype(np.uint8))
    blurred = picture.filter(ImageFilter.GaussianBlur(float(rng.uniform(0, 1.1))))
    noisy = np.asarray(blurred) + rng.normal(0, rng.uniform(1, 6), (*scene.shape[:2], 3))
    file = BytesIO()
    Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=int(rng.integers(55, 88)))
    return file.getvalue()
