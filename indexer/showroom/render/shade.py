"""The shading pass: light on the points of a G-buffer."""

from dataclasses import dataclass

import numpy as np

from indexer.showroom.look import Look
from indexer.showroom.render import tiles
from indexer.showroom.render.arrays import Bytes, Floats
from indexer.showroom.render.gbuffer import GBuffer
from indexer.showroom.render.surfaces import Finish, Surface, surface_of


@dataclass(frozen=True)
class Light:
    """A key light and the room around it, in camera axes.

    `key` and `fill` are unit directions (3,); colours are linear (3,). `up` is the world's up (3,).
    """

    key: Floats
    fill: Floats
    up: Floats
    key_colour: Floats
    fill_colour: Floats
    room_colour: Floats


def unit(x: float, y: float, z: float) -> Floats:
    """Direction (3,) of length one."""
    v = np.array([x, y, z], dtype=np.float32)
    return v / np.linalg.norm(v)


def shade(buffer: GBuffer, look: Look, light: Light, split: float) -> Floats:
    """Linear colours (3, M) of the points of `buffer` under a look; `split` is the height of a colour block."""
    colour = np.empty((3, len(buffer.pixel)), dtype=np.float32)
    for part, span in buffer.parts:
        surface = surface_of(look, part)
        colour[:, span] = _shade_part(buffer, span, surface, light, split)
    return colour


def _dot(vectors: Floats, direction: Floats) -> Floats:
    d = direction.astype(np.float32)
    return np.asarray(vectors[0] * d[0] + vectors[1] * d[1] + vectors[2] * d[2])


def _shade_part(buffer: GBuffer, span: slice, surface: Surface, light: Light, split: float) -> Floats:
    normal, eye, openness = buffer.normal[:, span], buffer.to_eye[:, span], buffer.openness[span]
    uv, finish = buffer.uv[:, span], surface.finish
    variation, relief = tiles.grain(finish.grain).sample(uv, buffer.footprint)
    facing = np.clip(normal[0] * eye[0] + normal[1] * eye[1] + normal[2] * eye[2], 0, 1)
    fresnel = (1 - facing) ** 4
    towards_key, towards_up = _dot(normal, light.key), _dot(normal, light.up)
    bump = 1 + finish.relief * relief
    direct = np.maximum(towards_key + finish.wrap, 0) / (1 + finish.wrap) * (0.35 + 0.65 * openness) * bump
    filled = np.maximum(_dot(normal, light.fill) * 0.5 + 0.5, 0) * openness
    room = (0.62 + 0.38 * towards_up) * openness
    room += finish.sheen * (fresnel + 0.35 * (1 - facing)) * (0.3 + 0.7 * openness)
    albedo = _albedo(surface, uv, buffer.height[span], buffer.footprint, split)
    grain = np.maximum(1 + finish.contrast * variation, 0.15)
    gloss = _reflection(finish, normal, eye, facing, fresnel, relief, light)
    gloss = (gloss + 0.05 * finish.sheen * (1 - facing) ** 2) * openness
    matte = 1 - 0.72 * finish.metal
    out = np.empty((3, len(facing)), dtype=np.float32)
    for c in range(3):
        lit = light.key_colour[c] * direct + light.fill_colour[c] * filled + light.room_colour[c] * room
        tint = finish.metal * (0.04 + 0.96 * albedo[c]) + (1 - finish.metal)
        out[c] = albedo[c] * grain * lit * matte + gloss * tint * light.key_colour[c]
    return out


def _albedo(surface: Surface, uv: Floats, height: Floats, footprint: float, split: float) -> list[Floats]:
    """Three channels (M,) of the diffuse colour."""
    if surface.pattern == "plain":
        return [np.full(1, value, dtype=np.float32) for value in surface.colour]
    if surface.pattern == "two-tone":
        mix = np.asarray(height < split, dtype=np.float32)
    else:
        (mix,) = tiles.pattern(surface.pattern).sample(uv, footprint, smooth=True)
    gap = surface.other - surface.colour
    return [np.float32(a) + np.float32(d) * mix for a, d in zip(surface.colour, gap, strict=True)]


def _reflection(
    finish: Finish, normal: Floats, eye: Floats, facing: Floats, fresnel: Floats, relief: Floats, light: Light
) -> Floats:
    """Highlights and the mirrored studio (M,): two softboxes, a bright floor, a dark horizon and flags."""
    if finish.gloss == 0 and finish.mirror == 0:
        return np.zeros_like(facing)
    mirrored = 2 * facing * normal - eye
    alpha = np.float32(finish.rough**2)
    box = _lobe(_dot(mirrored, light.key), alpha)
    strip = _lobe(_dot(mirrored, light.fill), np.float32(3 * alpha))
    glint = finish.gloss * (0.55 * box + 0.26 * strip) * (1 + 2 * finish.relief * relief)
    if finish.mirror == 0:
        return glint
    if finish.rough < 0.2:
        glint = glint + 0.34 * finish.gloss * _window(mirrored, float(light.key[0]))
    rise = _dot(mirrored, light.up)
    wall = np.clip(_dot(mirrored, light.fill) * 1.6 - 0.35, 0, 1)
    horizon = np.exp(-((rise + 0.12) ** 2) / (0.015 + 0.3 * alpha))
    room = 0.42 + 0.6 * np.maximum(rise, 0) + 0.45 * wall - 0.34 * horizon + 0.35 * np.maximum(-rise, 0)
    if finish.metal > 0.5:
        flags = np.exp(-((mirrored[0] - 0.3) ** 2) / 0.03) + 0.8 * np.exp(-((mirrored[0] + 0.8) ** 2) / 0.02)
        room = room * (1.5 - 0.95 * flags)
    strength = finish.mirror + (1 - finish.mirror) * 0.55 * fresnel * min(1.0, finish.mirror * 14)
    return np.asarray(glint + strength * room)


def _window(mirrored: Floats, side: float) -> Floats:
    """Tall window on the key's side (M,), mirrored by glazes and lacquers: 1 inside, soft edges."""
    across = np.clip((0.15 - np.abs(mirrored[0] - np.copysign(0.52, side))) * 16, 0, 1)
    upright = np.clip((mirrored[1] + 0.22) * 9, 0, 1) * np.clip((0.74 - mirrored[1]) * 9, 0, 1)
    return np.asarray(across * upright)


def _lobe(cosine: Floats, alpha: np.float32) -> Floats:
    """GGX-shaped lobe about a softbox (Walter et al. 2007), 1 at its centre, with a flat middle."""
    spread = 1 - np.clip(cosine + 0.035, -1, 1)
    return np.asarray(1 / (1 + spread / (0.55 * alpha + 0.004)) ** 2)


_STEPS = 4096
_RANGE = 4.0


def _encoding() -> Bytes:
    """Bytes for linear light in [0, 4): shoulder above 0.8, then the sRGB transfer function (IEC 61966-2-1)."""
    x = np.arange(int(_STEPS * _RANGE)) / _STEPS
    x = np.where(x < 0.8, x, 0.8 + 0.2 * np.tanh((x - 0.8) / 0.45))
    y = np.where(x <= 0.0031308, 12.92 * x, 1.055 * np.maximum(x, 1e-9) ** (1 / 2.4) - 0.055)
    return np.clip(y * 255 + 0.5, 0, 255).astype(np.uint8)


_CODE = _encoding()


def develop(image: Floats) -> Bytes:
    """Linear light (3, H, W) → sRGB bytes (H, W, 3)."""
    index = (image * np.float32(_STEPS)).astype(np.int32)
    return np.ascontiguousarray(np.take(_CODE, index, mode="clip").transpose(1, 2, 0))
