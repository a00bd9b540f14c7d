"""The same photo in another colour, by moving the product's main colour in CIELAB: no model, the same every time.

Shading is taken to be light falling on one dye: it scales L* + 16, a* and b* alike (CIE 15:2004 away from black), so
each shade of the product's main colour keeps its place between dark and light while the dye is exchanged. What lies
off that line, a print or a seam of another colour, stays as it is.
"""

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from indexer.domain import Pixels
from indexer.errors import UnknownColour
from indexer.images.colour import Lab, ciede2000, lab_to_srgb, srgb_to_lab
from indexer.images.foreground import foreground
from indexer.images.names import COLOUR_NAMES, colour_named_in, typical_shade
from indexer.images.palette import Palette, palette

Point = tuple[float, float, float]
"""One CIELAB colour: L*, a*, b*."""
Field = npt.NDArray[np.float32]

_HEX = re.compile(r"#?([0-9a-fA-F]{6})")
_LONGEST_TARGET = 100
"""Characters of a colour's wording that are looked at."""
_MASK_SIDE = 128
"""Longest side of the copy in which product and backdrop are told apart, in pixels."""
_FULL_FROM = 0.35
"""Foreground weight from which a pixel is wholly product: hems of worn clothes count little in a palette."""
_GRID = 33
"""Steps per axis of the colour table; between them colours are interpolated (Color3DLUT)."""
_SAME_DYE = 10.0
"""CIEDE2000 up to which a palette colour is the main one in other light."""
_GREY = 9.0
"""Chroma below which a colour is a grey, whose lighter and darker shades up to `_GREY_REACH` L* are one dye."""
_GREY_REACH = 28.0
_NAMED_NEAR = 15.0
"""CIEDE2000 that makes a palette colour e times less likely to be the one that was named: people's words for a colour
are wide, and shoes under teal shorts are bluer than the shorts."""
_UNSEEN = 7.0
"""L* by which a shade may lie outside those of the palette and still be wholly the dye."""
_SURE, _FOREIGN = 0.3, 0.55
"""Share of the distance to the main colour in that to both it and the nearest other one: below the first a colour is
moved wholly, above the second not at all."""
_NEAR, _FAR = 28.0, 50.0
"""The same in Lab units, where there is no other colour to compare with: a small print that no palette names."""
_KEPT_TINT = 0.15
"""Share of the small differences of hue within the product that the new dye keeps."""
_DARKEST, _LIGHTEST = 2.0, 99.0


@dataclass(frozen=True, slots=True, eq=False)
class Recoloured:
    """`pixels` has the shape of what came in; `changed` is the share of the picture that was moved, 0 to 1."""

    pixels: Pixels
    changed: float
    source: Point
    """The main colour that was exchanged."""
    target: Point


def recolour(pixels: Pixels, target: str, source: str | None = None) -> Recoloured:
    """`pixels` is uint8 (h, w, 3); `target` and `source` are colour words or #rrggbb.

    Without `source`, or where the product does not show it, the product's largest colour is exchanged. Raises
    `UnknownColour` for words that name no colour.
    """
    wanted = shade_of(target)
    found = palette(pixels)
    dye = _dye(found, None if source is None else shade_of(source))
    mask = _mask(pixels)
    table = _table(dye, _others(found, dye), wanted)
    picture = Image.fromarray(pixels)
    changed = Image.composite(picture.filter(table), picture, mask)
    moved = np.asarray(changed)
    return Recoloured(moved, float((moved != pixels).any(axis=-1).mean()), dye.middle, wanted)


def shade_of(colour: str) -> Point:
    """CIELAB of a colour word (its typical shade in photos) or of #rrggbb. Raises `UnknownColour`."""
    words = colour[:_LONGEST_TARGET].strip()
    if given := _HEX.fullmatch(words):
        lightness, a, b = srgb_to_lab(np.frombuffer(bytes.fromhex(given[1]), np.uint8)).tolist()
        return lightness, a, b
    name = colour_named_in(words)
    if name is None:
        raise UnknownColour(f"{words!r} is no colour; use one of {', '.join(COLOUR_NAMES)}, or #rrggbb.")
    return typical_shade(name)


@dataclass(frozen=True, slots=True)
class _Dye:
    """The palette colours that are one dye in different light, and their mean."""

    shades: tuple[Point, ...]
    middle: Point


def _dye(found: Palette, source: Point | None) -> _Dye:
    colours = found.colours
    main = colours[0]
    if source is not None:
        likeness = {colour: np.exp(-float(ciede2000(colour.lab, source)) / _NAMED_NEAR) for colour in colours}
        main = max(colours, key=lambda colour: colour.share * likeness[colour])
    same = [colour for colour in colours if _is_one_dye(main.lab, colour.lab)]
    shares = np.array([colour.share for colour in same])
    lightness, a, b = (shares @ np.array([colour.lab for colour in same]) / shares.sum()).tolist()
    return _Dye(tuple(colour.lab for colour in same), (lightness, a, b))


def _is_one_dye(main: Point, other: Point) -> bool:
    if max(np.hypot(*main[1:]), np.hypot(*other[1:])) < _GREY:
        return abs(main[0] - other[0]) < _GREY_REACH
    return float(ciede2000(_lit(main, np.asarray(other[0])), other)) < _SAME_DYE


def _lit(dye: Point, lightness: npt.NDArray[np.floating]) -> Lab:
    """The dye in the light that gives it such L*: shape of `lightness` and 3."""
    factor = (lightness + 16) / (dye[0] + 16)
    return np.stack([lightness, dye[1] * factor, dye[2] * factor], axis=-1).astype(np.float32)


def _others(found: Palette, dye: _Dye) -> Lab:
    """The product's other colours (n, 3); they stay."""
    return np.array([colour.lab for colour in found.colours if colour.lab not in dye.shades], np.float32).reshape(-1, 3)


def _mask(pixels: Pixels) -> Image.Image:
    """Mode L, the picture's size: 255 where it is product, with the outermost pixels that a palette leaves out."""
    picture = Image.fromarray(pixels)
    small = picture.copy()
    small.thumbnail((_MASK_SIDE, _MASK_SIDE), Image.Resampling.BOX)
    weights = np.clip(foreground(np.asarray(small)) / _FULL_FROM, 0, 1)
    core = Image.fromarray(np.rint(weights * 255).astype(np.uint8))
    return core.filter(ImageFilter.MaxFilter(3)).resize(picture.size, Image.Resampling.BILINEAR)


def _table(dye: _Dye, others: Lab, target: Point) -> ImageFilter.Color3DLUT:
    """What each sRGB colour becomes."""
    steps = np.rint(np.linspace(0, 255, _GRID)).astype(np.uint8)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    before = srgb_to_lab(np.stack([red, green, blue], axis=-1).reshape(-1, 3))
    after = before + _membership(before, dye, others)[:, None] * (_dyed(before, dye.middle, target) - before)
    return ImageFilter.Color3DLUT(_GRID, (lab_to_srgb(after) / np.float32(255)).ravel())


def _membership(lab: Lab, dye: _Dye, others: Lab) -> Field:
    """How much each colour (n, 3) is the dye in some light: 0 to 1."""
    ray = _lit(dye.middle, lab[:, 0])
    own = np.hypot(lab[:, 1] - ray[:, 1], lab[:, 2] - ray[:, 2])
    lightest, darkest = max(shade[0] for shade in dye.shades), min(shade[0] for shade in dye.shades)
    beyond = np.maximum(np.maximum(lab[:, 0] - lightest, darkest - lab[:, 0]) - _UNSEEN, 0)
    own = np.hypot(own, beyond)
    sure = 1 - _rise(own, _NEAR, _FAR)
    if len(others):
        foreign = np.sqrt(((lab[:, None] - others[None]) ** 2).sum(axis=-1)).min(axis=1)
        sure = sure * (1 - _rise(own / np.maximum(own + foreign, 1e-6), _SURE, _FOREIGN))
    return np.asarray(sure, np.float32)


def _rise(value: Field, start: float, end: float) -> Field:
    """0 up to `start`, 1 from `end`, smooth between (Hermite's cubic)."""
    t = np.clip((value - start) / (end - start), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def _dyed(lab: Lab, source: Point, target: Point) -> Lab:
    """Colours (n, 3) of the source dye in the target dye, in the same light.

    Contrast shrinks when a product gets darker, as it does in real light, and does not grow when it gets lighter, for
    the gloss of a black thing is not the shading of a white one.
    """
    gain = min(1.0, (target[0] + 16) / (source[0] + 16))
    change = (lab[:, 0] - source[0]) * gain
    room = np.where(change > 0, max(_LIGHTEST - target[0], 1.0), max(target[0] - _DARKEST, 1.0))
    dyed = _lit(target, target[0] + room * np.tanh(change / room))
    dyed[:, 1:] += _KEPT_TINT * (lab - _lit(source, lab[:, 0]))[:, 1:]
    return dyed
