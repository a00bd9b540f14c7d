"""What lies behind and around a product in a shopper's photo: a room's surface and out-of-focus clutter."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from indexer.showroom.look import COLOURS
from indexer.showroom.render import tiles
from indexer.showroom.render.arrays import Flags, Floats
from indexer.showroom.render.camera import Camera
from indexer.showroom.render.shadow import enlarge
from indexer.showroom.render.surfaces import linear

_PALETTE = np.stack([linear(rgb) for rgb in COLOURS.values()])


def ground_points(camera: Camera, size: int, cells: int, wall: float, has_floor: bool) -> tuple[Floats, Flags]:
    """Where each of cells x cells rays meets the floor y = 0 or, beyond it, the wall z = `wall`.

    Returns surface coordinates (2, cells, cells) in product sizes and the mask of the floor.
    """
    at = (np.arange(cells, dtype=np.float32) + 0.5) * (size / cells)
    column, row = np.meshgrid(at, at)
    local = camera.ray(column, row).astype(np.float32)
    turn = camera.turn.astype(np.float32)
    x, y, z = (turn[0, k] * local[0] + turn[1, k] * local[1] + turn[2, k] * local[2] for k in range(3))
    eye = camera.eye()
    with np.errstate(divide="ignore", invalid="ignore"):
        down = np.where((y < -1e-4) & has_floor, -eye[1] / y, np.inf)
        back = np.where(z < -1e-4, (wall - eye[2]) / z, np.inf)
    floor = down < back
    reach = np.minimum(np.minimum(down, back), 40.0).astype(np.float32)
    u = eye[0] + reach * x
    v = np.where(floor, eye[2] + reach * z, eye[1] + reach * y)
    return np.stack([u, v]).astype(np.float32), floor


def _planks(uv: Floats, rng: np.random.Generator) -> Floats:
    (tone, _) = tiles.grain("grain").sample(uv * 0.5, 0.01)
    board = np.floor(uv[1] / 0.32)
    shade = np.sin(board * 12.9898 + np.floor(uv[0] / 2.1 + 0.37 * board) * 78.2) * 0.12
    gap = np.minimum(uv[1] / 0.32 - board, 1.0) < 0.035
    return np.asarray((1 + 0.16 * tone + shade) * (1 - 0.5 * gap))


def _tiled(uv: Floats, rng: np.random.Generator) -> Floats:
    side = float(rng.uniform(0.3, 0.7))
    cell = uv / side
    inside = np.abs(cell - np.floor(cell) - 0.5).max(axis=0)
    tone = np.sin(np.floor(cell[0]) * 12.9898 + np.floor(cell[1]) * 78.233) * 0.06
    return np.where(inside > 0.475, 0.6, 1 + tone)


def _cloth(uv: Floats, rng: np.random.Generator) -> Floats:
    (tone, _) = tiles.grain(str(rng.choice(["weave", "knit", "straw"]))).sample(uv * 0.4, 0.004)
    return 1 + 0.14 * tone


def _plaster(uv: Floats, rng: np.random.Generator) -> Floats:
    (tone, _) = tiles.grain("nap").sample(uv * 0.13, 0.002)
    return 1 + 0.05 * tone


def _bricks(uv: Floats, rng: np.random.Generator) -> Floats:
    row = np.floor(uv[1] / 0.16)
    along = uv[0] / 0.42 + 0.5 * (row % 2)
    joint = (uv[1] / 0.16 - row < 0.1) | (along - np.floor(along) < 0.04)
    return np.where(joint, 0.62, 1 + 0.14 * np.sin(row * 12.9898 + np.floor(along) * 78.233))


_Texture = Callable[[Floats, np.random.Generator], Floats]
_FLOORS: tuple[tuple[_Texture, tuple[float, float, float]], ...] = (
    (_planks, (0.36, 0.2, 0.1)),
    (_planks, (0.16, 0.08, 0.045)),
    (_planks, (0.55, 0.4, 0.26)),
    (_tiled, (0.5, 0.48, 0.44)),
    (_tiled, (0.2, 0.23, 0.26)),
    (_cloth, (0.45, 0.4, 0.33)),
    (_cloth, (0.16, 0.2, 0.27)),
    (_plaster, (0.5, 0.5, 0.5)),
    (_plaster, (0.24, 0.24, 0.25)),
)
_WALLS: tuple[tuple[_Texture, tuple[float, float, float]], ...] = (
    (_plaster, (0.58, 0.55, 0.5)),
    (_plaster, (0.3, 0.36, 0.4)),
    (_plaster, (0.5, 0.36, 0.3)),
    (_bricks, (0.36, 0.15, 0.1)),
    (_bricks, (0.5, 0.48, 0.46)),
    (_tiled, (0.52, 0.55, 0.56)),
    (_planks, (0.3, 0.2, 0.12)),
)


def room(camera: Camera, stands: bool, size: int, cells: int, rng: np.random.Generator) -> Floats:
    """Floor and wall (3, cells, cells), linear light; a hanging product has the wall right behind it."""
    wall = -0.42 if not stands else -float(rng.uniform(0.7, 2.4))
    uv, floor = ground_points(camera, size, cells, wall, stands)
    image = np.empty((3, cells, cells), dtype=np.float32)
    for mask, choices in ((floor, _FLOORS), (~floor, _WALLS)):
        texture, colour = choices[rng.integers(len(choices))]
        tint = np.array(colour) * rng.uniform(0.75, 1.3) * rng.uniform(0.9, 1.1, 3)
        offset = rng.uniform(0, 4, (2, 1)).astype(np.float32)
        if mask.any():
            tone = texture(uv[:, mask] + offset, rng)
            image[:, mask] = tint[:, None].astype(np.float32) * np.clip(tone, 0.2, 1.8)
    fall = rng.uniform(-0.5, 0.5, 2)
    at = np.linspace(-1, 1, cells, dtype=np.float32)
    image[:, 1:, 1:] = (image[:, 1:, 1:] + image[:, :-1, 1:] + image[:, 1:, :-1] + image[:, :-1, :-1]) * np.float32(
        0.25
    )
    return np.asarray(
        image * np.exp(fall[0] * at[None, :, None] * 0.6 + fall[1] * at[None, None, :] * 0.6).astype(np.float32)
    )


_CELLS = 72
"""Side of the grid that clutter is drawn on before it is blurred and enlarged."""


@dataclass(frozen=True)
class Thing:
    """One object of clutter: centre and half sides in frame shares, the floor's height below it (None: no shadow)."""

    x: float
    y: float
    wide: float
    tall: float
    foot: float | None = None


def on_floor(camera: Camera, size: int, count: int, rng: np.random.Generator) -> list[Thing]:
    """Things that stand behind and beside the product, the farthest first."""
    angle = rng.uniform(0.02, 0.98, count) * np.pi
    far = rng.uniform(0.75, 1.9, count)
    places = np.stack([far * np.cos(angle), np.zeros(count), -0.15 - far * np.sin(angle)], axis=1)
    pixels, near = camera.project(places)
    things = []
    for k in np.argsort(near):
        unit = camera.focal * float(near[k]) / size
        tall, wide = (unit * rng.uniform(0.09, 0.3, 2)).tolist()
        x, foot = float(pixels[k, 0]) / size, float(pixels[k, 1]) / size
        things.append(Thing(x, foot - tall, wide * 0.8, tall, foot))
    return things


def on_wall(count: int, rng: np.random.Generator) -> list[Thing]:
    """Pictures and notes round a product that hangs."""
    angle, far = rng.uniform(0, 2 * np.pi, count), rng.uniform(0.36, 0.6, count)
    x, y = 0.5 + far * np.cos(angle), 0.5 + far * np.sin(angle)
    sides = rng.uniform(0.06, 0.17, (count, 2))
    return [Thing(float(x[k]), float(y[k]), float(sides[k, 0]), float(sides[k, 1])) for k in range(count)]


def at_edges(count: int, rng: np.random.Generator) -> list[Thing]:
    """Things close to the camera that reach into the frame."""
    angle, far = rng.uniform(0, 2 * np.pi, count), rng.uniform(0.48, 0.6, count)
    x, y = 0.5 + far * np.cos(angle), 0.5 + far * np.sin(angle)
    sides = rng.uniform(0.1, 0.2, (count, 2))
    return [Thing(float(x[k]), float(y[k]), float(sides[k, 0]), float(sides[k, 1])) for k in range(count)]


def _form(thing: Thing, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Coverage and shading (72, 72) of a box, ball, bottle or bar."""
    at = (np.arange(_CELLS, dtype=np.float32) + 0.5) / _CELLS
    u = np.clip((at[None] - thing.x) / thing.wide, -2, 2)
    v = np.clip((at[:, None] - thing.y) / thing.tall, -2, 2)
    power = float(rng.choice([2.0, 3.0, 8.0, 12.0])) if thing.foot is not None else 12.0
    if rng.random() < 0.4 and thing.foot is not None:
        u = u / np.float32(0.45) if rng.random() < 0.5 else u * (1.25 - 0.5 * v)
    inside = np.abs(np.clip(u, -2, 2)) ** power + np.abs(v) ** power
    cover = np.clip((1 - inside) * 8, 0, 1)
    light = 0.92 - 0.3 * np.clip(u, -1, 1) - 0.22 * np.clip(v, -1, 1) - 0.2 * np.clip(inside, 0, 1)
    if rng.random() < 0.4:
        along = u if rng.random() < 0.5 else v
        light = light * (0.72 + 0.56 * (np.sin(rng.uniform(6, 16) * along) > 0))
    return cover, np.clip(light, 0.15, 1.5)


def add_things(image: Floats, things: list[Thing], blur: float, rng: np.random.Generator) -> Floats:
    """Draw out-of-focus things over an image (3, S, S), linear light, in the order given."""
    if not things:
        return image
    layers = np.zeros((4, _CELLS, _CELLS), dtype=np.float32)
    at = (np.arange(_CELLS, dtype=np.float32) + 0.5) / _CELLS
    for thing in things:
        if thing.foot is not None:
            pool = ((at[None] - thing.x - 0.4 * thing.wide) / (1.5 * thing.wide)) ** 2
            pool = pool + ((at[:, None] - thing.foot) / (0.55 * thing.wide)) ** 2
            layers *= 1 - 0.5 * np.exp(-pool)
            layers[3] += (1 - layers[3]) * 0.5 * np.exp(-pool)
        alpha, light = _form(thing, rng)
        paint = _PALETTE[rng.integers(len(_PALETTE))] * rng.uniform(0.5, 0.95)
        layers[:3] = layers[:3] * (1 - alpha) + paint[:, None, None].astype(np.float32) * light * alpha
        layers[3] += (1 - layers[3]) * alpha
    soft = ndimage.gaussian_filter(layers, (0, 0.75 * blur, 0.75 * blur), mode="nearest", truncate=2.5)
    red, green, blue, cover = (enlarge(layer, image.shape[1]) for layer in soft)
    return np.asarray(image * (1 - cover) + np.stack([red, green, blue]))
