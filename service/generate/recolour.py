"""The same photo in another colour, by moving the product's main colour in CIELAB: no model, the same every time.

Shading is taken to be light falling on one dye: it scales L* + 16, a* and b* alike (CIE 15:2004 away from black), so
each shade of the product's main colour keeps its place between dark and light while the dye is exchanged. What lies
off that line, a print or a seam of another colour, stays as it is.
"""

import re
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from indexer.domain import Pixels
from indexer.errors import UnknownColour
from indexer.images.colour import Lab, ciede2000, lab_to_srgb, srgb_to_lab
from indexer.images.foreground import separate
from indexer.images.names import COLOUR_NAMES, colour_named_in, typical_shade
from indexer.images.palette import Palette, palette

Point = tuple[float, float, float]
"""One CIELAB colour: L*, a*, b*."""
Field = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

_HEX = re.compile(r"#?([0-9a-fA-F]{6})")
_LONGEST_TARGET = 100
"""Characters of a colour's wording that are looked at."""
_MASK_SIDE = 128
"""Longest side of the copy in which product and backdrop are told apart, in pixels."""
_FULL_FROM = 0.35
"""Foreground weight from which a pixel is wholly product."""
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
_UPRIGHT, _UPPER, _SMOOTH, _MANY_HUES = 0.8, 0.2, 0.75, 9.0
"""Most width per height of somebody, least shares of the skin in the upper third and in areas of 3 x 3 pixels, and
degrees between the tenth and the ninetieth percentile of its hue."""
_PLAIN, _OWN = 22.0, 0.4
"""The same, stricter, for what of somebody wearing the product is the product at all."""
_KIN, _KIN_REACH = 10.0, 30.0
"""Beside somebody's trousers and hair, which are dark as well, a shade is trusted to be the dye within so much L* of
the main one, and where it is so near to that in its light, or has at least half the chroma."""
_HARDLY = 0.05
"""Share of the person below which the dye is not plainly seen: all but skin is taken for the product."""
_LEAST_PIECE, _LARGE_PIECE = 0.003, 0.2
"""Sizes, as shares of the main piece: of what lies beside it, and of what lies above or below, as under folded arms."""
_HEAD, _FEET = 0.2, 0.8
"""Between these shares of the person's height a large piece is no hair and no shoe."""
_SKIN_ITSELF = 0.05
"""Difference of tint, a* and b* over L* + 16, from the face below which a palette's colour is skin itself."""
_FACES = 6
"""The part of the height over which skin is seen that is the face."""
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
    others = _others(found, dye)
    mask = _mask(pixels, dye, others)
    table = _table(dye, others, wanted)
    picture = Image.fromarray(pixels)
    changed = Image.composite(picture.filter(table), picture, mask)
    moved = np.asarray(changed)
    red, green, blue = np.moveaxis(moved != pixels, -1, 0)
    return Recoloured(moved, float((red | green | blue).mean()), dye.middle, wanted)


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

    main: Point
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
    return _Dye(main.lab, tuple(colour.lab for colour in same), (lightness, a, b))


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


def _mask(pixels: Pixels, dye: _Dye, others: Lab) -> Image.Image:
    """Mode L, the picture's size: 255 where it is product, with the outermost pixels that a palette leaves out."""
    picture = Image.fromarray(pixels)
    small = picture.copy()
    small.thumbnail((_MASK_SIDE, _MASK_SIDE), Image.Resampling.BOX)
    lab = srgb_to_lab(np.asarray(small))
    parts = separate(lab)
    if parts.skin is None or not _is_somebody(lab, parts.skin, parts.weights > 0):
        weights = np.rint(np.clip(parts.weights / _FULL_FROM, 0, 1) * 255).astype(np.uint8)
        core = Image.fromarray(weights).filter(ImageFilter.MaxFilter(3))
    else:
        core = Image.fromarray(_worn(lab, parts.weights, parts.skin, dye, others).astype(np.uint8) * 255)
    return core.resize(picture.size, Image.Resampling.BILINEAR)


def _is_somebody(lab: Lab, skin: Mask, body: Mask) -> bool:
    """Palettes bear it when wood or an orange pattern counts as skin; here it has to be upright, with smooth skin in
    the upper third, of the many hues that blood gives it."""
    from scipy import ndimage

    (top, bottom), (left, right) = _ends(body), _ends(body.T)
    upper = skin[: top + (bottom - top + 1) // 3].sum()
    smooth = ndimage.binary_opening(skin, np.ones((3, 3), bool)).sum()
    if right - left + 1 > _UPRIGHT * (bottom - top + 1) or min(upper / _UPPER, smooth / _SMOOTH) < skin.sum():
        return False
    tenth, ninetieth = np.percentile(np.degrees(np.arctan2(lab[skin][:, 2], lab[skin][:, 1])), (10, 90))
    return bool(ninetieth - tenth > _MANY_HUES)


def _worn(lab: Lab, weights: Field, skin: Mask, dye: _Dye, others: Lab) -> Mask:
    """What of somebody wearing the product is the product: weights favour the middle of the body, and fade hems."""
    from scipy import ndimage

    body = weights > 0
    dyed = body & _plainly(lab.reshape(-1, 3), dye, others).reshape(body.shape)
    bare = skin & ~(dyed & _unlike_skin(lab, skin, dye))
    person = ndimage.binary_fill_holes(bare)
    pieces, count = ndimage.label(dyed & ~person)
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)[1:]
    if not count or sizes.max() < _HARDLY * body.sum():
        return np.asarray(body & ~ndimage.binary_fill_holes(skin), np.bool_)
    names = np.arange(1, count + 1)
    main = names[ndimage.sum_labels(weights, pieces, names).argmax()]
    kept = np.isin(pieces, names[_beside(pieces == main, pieces, body)])
    kept = ndimage.binary_fill_holes(kept) & ~person
    return np.asarray(ndimage.binary_dilation(kept, np.ones((3, 3), bool)) & ~bare, np.bool_)


def _beside(main: Mask, pieces: npt.NDArray[np.integer], body: Mask) -> npt.NDArray[np.bool_]:
    """Which pieces, numbered from 1, go with the main one: sleeves and halves do, hair and shoes do not."""
    from scipy import ndimage

    names = np.arange(1, pieces.max() + 1)
    sizes = np.bincount(pieces.ravel())[1:] / main.sum()
    rows = np.array(ndimage.center_of_mass(body, pieces, names))[:, 0]
    top, bottom = _ends(main)
    level = (sizes > _LEAST_PIECE) & (rows >= top) & (rows <= bottom)
    top, bottom = _ends(body)
    place = (rows - top) / max(bottom - top, 1)
    return np.asarray(level | ((sizes > _LARGE_PIECE) & (place > _HEAD) & (place < _FEET)), np.bool_)


def _ends(mask: Mask) -> tuple[int, int]:
    """The first and the last row that hold something."""
    rows = np.flatnonzero(mask.any(axis=1))
    return int(rows[0]), int(rows[-1])


def _plainly(lab: Lab, dye: _Dye, others: Lab) -> Mask:
    """Which colours (n, 3) are surely the dye: dark trousers and shoes could be the shade of any dye, and are not."""
    shades = np.array(dye.shades, np.float32)
    ray = _lit(dye.main, shades[:, 0])[:, 1:]
    pale = np.hypot(*shades[:, 1:].T) < np.hypot(*ray.T) / 2
    pale &= np.hypot(*(shades[:, 1:] - ray).T) > _KIN
    kin = (np.abs(shades[:, 0] - dye.main[0]) < _KIN_REACH) & ~pale
    close = tuple(shade for shade, same in zip(dye.shades, kin, strict=True) if same)
    own = np.min([_away(lab, _Dye(shade, close, shade)) for shade in close], axis=0)
    near = own < _PLAIN
    foreign = np.concatenate([others, shades[~kin]])
    return np.asarray(near & (_likeness(own, lab, foreign) < _OWN) if len(foreign) else near, np.bool_)


def _unlike_skin(lab: Lab, skin: Mask, dye: _Dye) -> Mask:
    """Brown and orange dyes have the colours of skin: what is nearer to the dye's tint than to that of the face, or of
    the uppermost skin that is seen."""
    tint = lab[..., 1:] / (lab[..., :1] + 16)
    top, bottom = _ends(skin)
    face = skin.copy()
    face[top + max(1, (bottom - top) // _FACES) :] = False
    own, tone = np.array(dye.main[1:]) / (dye.main[0] + 16), np.median(tint[face], axis=0)
    nearer = ((tint - own) ** 2).sum(axis=-1) < ((tint - tone) ** 2).sum(axis=-1)
    return np.asarray(nearer & (np.hypot(*(own - tone)) > _SKIN_ITSELF), np.bool_)


def _table(dye: _Dye, others: Lab, target: Point) -> ImageFilter.Color3DLUT:
    """What each sRGB colour becomes."""
    before = _grid()
    after = before + _membership(before, dye, others)[:, None] * (_dyed(before, dye.middle, target) - before)
    return ImageFilter.Color3DLUT(_GRID, (lab_to_srgb(after) / np.float32(255)).ravel())


@cache
def _grid() -> Lab:
    """The colours (n, 3) of a table, the first of sRGB's axes fastest; to be read only."""
    steps = np.rint(np.linspace(0, 255, _GRID)).astype(np.uint8)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    lab = srgb_to_lab(np.stack([red, green, blue], axis=-1).reshape(-1, 3))
    lab.setflags(write=False)
    return lab


def _membership(lab: Lab, dye: _Dye, others: Lab) -> Field:
    """How much each colour (n, 3) is the dye in some light: 0 to 1."""
    own = _away(lab, dye)
    sure = 1 - _rise(own, _NEAR, _FAR)
    if len(others):
        sure = sure * (1 - _rise(_likeness(own, lab, others), _SURE, _FOREIGN))
    return np.asarray(sure, np.float32)


def _away(lab: Lab, dye: _Dye) -> Field:
    """Lab distance of colours (n, 3) from the dye in any light that the product is seen in."""
    ray = _lit(dye.middle, lab[:, 0])
    own = np.hypot(lab[:, 1] - ray[:, 1], lab[:, 2] - ray[:, 2])
    lightest, darkest = max(shade[0] for shade in dye.shades), min(shade[0] for shade in dye.shades)
    beyond = np.maximum(np.maximum(lab[:, 0] - lightest, darkest - lab[:, 0]) - _UNSEEN, 0)
    return np.asarray(np.hypot(own, beyond), np.float32)


def _likeness(own: Field, lab: Lab, others: Lab) -> Field:
    """0 where colours (n, 3), so far from the dye, are the dye, 1 where they are one of the others."""
    foreign = np.sqrt(np.min([_apart(lab, other) for other in others], axis=0))
    return np.asarray(own / np.maximum(own + foreign, 1e-6), np.float32)


def _apart(lab: Lab, other: Lab) -> Field:
    """Squared distance of colours (n, 3) from one (3,); numpy sums an axis of three much more slowly."""
    lightness, a, b = ((lab - other) ** 2).T
    return np.asarray(lightness + a + b, np.float32)


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
