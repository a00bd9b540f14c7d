"""A shopper's photo: the same product in another place, light and angle, through a phone's camera."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from indexer.showroom.look import Look
from indexer.showroom.render.arrays import Bytes, Floats
from indexer.showroom.render.backdrop import add_things, at_edges, on_floor, on_wall, room
from indexer.showroom.render.camera import Camera, Pose, aim
from indexer.showroom.render.gbuffer import GBuffer, geometry_pass
from indexer.showroom.render.kinds import solid
from indexer.showroom.render.model import Model
from indexer.showroom.render.seeds import generator
from indexer.showroom.render.shade import Light, develop, shade, unit
from indexer.showroom.render.shadow import enlarge, shadow
from indexer.showroom.render.validation import checked_look, checked_size


@dataclass(frozen=True)
class Level:
    """How far a photo departs from the shop's: degrees, frame shares, counts of things, camera faults."""

    yaw: float
    pitch: float
    roll: float
    fill: tuple[float, float]
    shift: float
    behind: tuple[int, int]
    before: int
    noise: float
    warmth: float
    blur: float


LEVELS: Mapping[str, Level] = MappingProxyType(
    {
        "low": Level(24, 8, 4, (0.66, 0.84), 0.04, (0, 1), 0, 2.5, 0.06, 0.3),
        "medium": Level(38, 14, 9, (0.54, 0.86), 0.08, (2, 5), 0, 5.0, 0.13, 0.55),
        "high": Level(50, 18, 14, (0.46, 0.95), 0.13, (4, 8), 2, 8.0, 0.2, 0.8),
    }
)


def photo(look: Look, seed: int, clutter: str = "medium", size: int = 384) -> Bytes:
    """Shopper's photo number `seed` of a product, sRGB (size, size, 3); `clutter` is low, medium or high.

    The camera depends on kind, shape, seed, clutter and size alone, so variants of a family asked for in turn share the
    geometry pass; place, light and faults depend on the whole look. ValueError as in `studio`, and for a clutter level.
    """
    checked_look(look)
    if clutter not in LEVELS:
        raise ValueError(f"clutter: {clutter!r} is not one of {', '.join(LEVELS)}")
    level = LEVELS[clutter]
    camera, buffer = _view(look.kind, look.shape, seed, clutter, checked_size(size))
    fields = (look.kind, look.shape, look.colour, look.second, look.pattern, look.material)
    rng = generator("photo", *fields, seed, clutter)
    model = solid(look.kind, look.shape).model
    light = _light(level, camera, rng)
    scene = _place(look, camera, level, size, light, rng)
    image = buffer.resolve(shade(buffer, look, light, model.split), scene)
    if level.before:
        image = add_things(image, at_edges(level.before, rng), 2.6, rng)
    return _phone(image, level, rng)


@lru_cache(maxsize=4)
def _view(kind: str, shape: int, seed: int, clutter: str, size: int) -> tuple[Camera, GBuffer]:
    """Camera and geometry pass of a family's photo."""
    subject, level = solid(kind, shape), LEVELS[clutter]
    camera = aim(
        subject.mesh.vertices, _pose(subject.model, level, generator("camera", kind, shape, seed, clutter)), size
    )
    return camera, geometry_pass(subject, camera, size, 2)


def _pose(model: Model, level: Level, rng: np.random.Generator) -> Pose:
    away = rng.uniform(-1, 1, 5)
    pitch = model.pitch + 4 + level.pitch * float(away[1])
    low = 3.0 if model.stands else -12.0
    return Pose(
        model.yaw + level.yaw * model.turn * float(away[0]),
        float(np.clip(pitch, low, 42.0)),
        level.roll * float(away[2]),
        float(rng.uniform(2.4, 4.5)),
        float(rng.uniform(*level.fill)),
        (level.shift * float(away[3]), level.shift * float(away[4])),
    )


def _light(level: Level, camera: Camera, rng: np.random.Generator) -> Light:
    """A lamp or window somewhere above, warmer or cooler than the shop's."""
    side = float(rng.choice([-1.0, 1.0]))
    key = unit(side * float(rng.uniform(0.15, 1.0)), float(rng.uniform(0.4, 1.0)), float(rng.uniform(0.25, 0.9)))
    fill = unit(-side, 0.2, 0.5)
    warm = level.warmth * rng.uniform(-1, 1)
    tint = np.array([1 + warm, 1.0, 1 - 1.2 * warm], dtype=np.float32)
    power = float(rng.uniform(0.6, 0.9))
    key_colour = tint * np.float32(power)
    fill_colour = np.full(3, rng.uniform(0.1, 0.22), dtype=np.float32)
    room_colour = (0.5 + 0.5 * tint) * np.float32(rng.uniform(0.32, 0.46))
    return Light(key, fill, camera.turn[:, 1].astype(np.float32), key_colour, fill_colour, room_colour)


def _place(look: Look, camera: Camera, level: Level, size: int, light: Light, rng: np.random.Generator) -> Floats:
    """Backdrop (3, size, size) with the product's shadow, large ones drawn at half resolution: it is out of focus."""
    subject = solid(look.kind, look.shape)
    cells = size if size <= 160 else size // 2
    scene = room(camera, subject.model.stands, size, cells, rng)
    count, blur = int(rng.integers(level.behind[0], level.behind[1] + 1)), float(rng.uniform(0.7, 1.8))
    around = on_floor(camera, size, count, rng) if subject.model.stands else on_wall(count, rng)
    scene = add_things(scene, around, blur, rng)
    dark = enlarge(shadow(subject, camera, light.key, size, float(rng.uniform(0.2, 1.0))), cells)
    scene *= (light.key_colour + light.fill_colour + light.room_colour)[:, None, None]
    scene *= 1 - 0.72 * dark
    return scene if cells == size else np.stack([enlarge(channel, size) for channel in scene])


@lru_cache(maxsize=1)
def _grain() -> npt.NDArray[np.int16]:
    """Sensor noise (512, 512, 3), 64 to a standard deviation."""
    return np.rint(64 * generator("sensor").standard_normal((512, 512, 3))).astype(np.int16)


def _noisy(shot: Bytes, deviation: float, rng: np.random.Generator) -> Bytes:
    """Sensor noise of a standard deviation in byte steps added to (H, W, 3)."""
    side = len(shot)
    start = rng.integers(0, 512, 2)
    copies = -(-side // 512)
    noise = np.tile(_grain(), (copies, copies, 1)) if copies > 1 else _grain()
    top, left = np.minimum(start, len(noise) - side)
    steps = (noise[top : top + side, left : left + side] * np.int16(round(4 * deviation))) >> 8
    return np.clip(shot.astype(np.int16) + steps, 0, 255).astype(np.uint8)


def _phone(image: Floats, level: Level, rng: np.random.Generator) -> Bytes:
    """Exposure, vignette, softness, noise and JPEG."""
    size = image.shape[1]
    at = np.linspace(-1, 1, size, dtype=np.float32)
    vignette = 1 - np.float32(rng.uniform(0.05, 0.16)) * (at[:, None] ** 2 + at**2)
    exposure = np.float32(np.exp(rng.uniform(-0.22, 0.16)))
    shot = develop(image * (exposure * vignette))
    blur = level.blur * float(rng.uniform(0, 1)) * size / 384
    if blur > 0.12:
        shot = np.asarray(Image.fromarray(shot).filter(ImageFilter.BoxBlur(blur)))
    packed = io.BytesIO()
    grainy = Image.fromarray(_noisy(shot, level.noise * float(rng.uniform(0.4, 1)), rng))
    grainy.save(packed, "jpeg", quality=int(rng.integers(62, 92)))
    return np.array(Image.open(packed).convert("RGB"))
