"""Parts of a photo: a box to search by, and the boxes that hold one thing each, found without a learnt model.

Things stand out from what the picture's border shows. On a smooth backdrop `foreground` tells them apart; on a
patterned ground, a colour model of the border with more colours does.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from PIL import Image, ImageFilter

from indexer.errors import BadBox
from indexer.images.clusters import k_means, spread_out, squares_between
from indexer.images.colour import Lab, srgb_to_lab
from indexer.images.foreground import separate
from indexer.images.joined import Mask, reachable

if TYPE_CHECKING:
    from indexer.domain import Pixels

_SIDE = 128
"""Longest side of the copy that is looked at, in pixels."""
_EDGE = 0.05
"""Share of the sides that counts as border on a patterned ground."""
_GROUND_COLOURS, _ROUNDS, _FAR = 8, 4, 0.97
"""Each of the colours starts at a pixel farther from the other starts than this share of the border."""
_LEAST_UNLIKE, _MOST_UNLIKE = 8.0, 40.0
"""Bounds of the CIELAB distance from every colour of a patterned ground that makes a thing of a pixel."""
_JOINED = 5
"""Pixels of the copy; what is nearer to each other than about that is one thing: straps, laces, a pair."""
_LEAST_SHARE, _LEAST_OF_LARGEST = 0.005, 0.04
"""Of the picture, and of the largest thing: what is smaller is a speck or a crumb."""
_MOST_THINGS = 8
_PATIENCE = 32
"""Components looked at."""
_SAME_THING = 0.6
"""Share of the smaller box within the larger one from which both are one thing."""
_MARGIN = 0.02
"""Share of the picture's sides added around a thing."""
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Box:
    """A part of a picture as viewers see it, in shares of its width and height. Raises `BadBox`."""

    left: float
    top: float
    width: float
    height: float

    def __post_init__(self) -> None:
        for name, value in (("left", self.left), ("top", self.top), ("width", self.width), ("height", self.height)):
            if not 0 <= value <= 1:
                raise BadBox(f"box.{name} is {value:g}; it is a share of the photo's side, from 0 to 1.")
        for name, start, size in (("width", self.left, self.width), ("height", self.top, self.height)):
            if size <= 0:
                raise BadBox(f"box.{name} is 0; a box must have some.")
            if start + size > 1 + _ROUNDING:
                raise BadBox(f"box.{name} is {size:g} and starts at {start:g}: the box ends outside the photo.")

    @classmethod
    def parse(cls, text: str) -> Self:
        """`left,top,width,height`. Raises `BadBox`."""
        try:
            left, top, width, height = (float(part) for part in text[:200].split(","))
        except ValueError:
            raise BadBox(
                f"box: {text[:40]!r} is not left,top,width,height in shares of the photo's sides, for instance "
                "0.1,0.2,0.5,0.6."
            ) from None
        return cls(left, top, width, height)

    def of(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Left, top, right and bottom in a picture of that size; at least one pixel each way."""
        left, top = min(math.floor(self.left * width), width - 1), min(math.floor(self.top * height), height - 1)
        right, bottom = math.ceil((self.left + self.width) * width), math.ceil((self.top + self.height) * height)
        return left, top, max(left + 1, min(right, width)), max(top + 1, min(bottom, height))


WHOLE = Box(0, 0, 1, 1)
_MIDDLE = Box(0.2, 0.2, 0.6, 0.6)


@dataclass(frozen=True, slots=True)
class Region:
    """`share` of the picture's pixels that belong to the thing, 0 to 1."""

    box: Box
    share: float


def suggest_regions(pixels: "Pixels") -> list[Region]:
    """Boxes worth searching by, of uint8 pixels (h, w, 3); the largest thing first, at most eight.

    On a smooth backdrop one box for each thing. Otherwise the whole picture is among them, last, and its middle where
    nothing stands out. The same pixels always give the same boxes.
    """
    small = Image.fromarray(pixels)
    small.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    lab = srgb_to_lab(np.asarray(small))
    parts = separate(lab)
    if parts.backdrop is not None:
        return _things(parts.weights > 0) or [Region(WHOLE, 1.0)]
    found = _things(_unlike_border(lab)) or [Region(_MIDDLE, _MIDDLE.width * _MIDDLE.height)]
    return [*found[: _MOST_THINGS - 1], Region(WHOLE, 1.0)]


def _unlike_border(lab: Lab) -> Mask:
    """What no colour of the border comes near. The border's farthest tenth decides what near is."""
    edge = max(2, round(_EDGE * min(lab.shape[:2])))
    inner = lab[edge:-edge, edge:-edge]
    border = np.concatenate(
        [part.reshape(-1, 3) for part in (lab[:edge], lab[-edge:], lab[edge:-edge, :edge], lab[edge:-edge, -edge:])]
    )
    if not inner.size:
        return np.zeros(lab.shape[:2], np.bool_)
    centres = _ground_colours(border)
    distance = np.sqrt(squares_between(lab.reshape(-1, 3), centres).min(axis=0)).reshape(lab.shape[:2])
    smooth = np.asarray(Image.fromarray(np.clip(distance, 0, 255).astype(np.uint8)).filter(ImageFilter.BoxBlur(1)))
    usual = np.quantile(np.sqrt(squares_between(border, centres).min(axis=0)), 0.9)
    return np.asarray(smooth > np.clip(2 * usual, _LEAST_UNLIKE, _MOST_UNLIKE), np.bool_)


def _ground_colours(border: Lab) -> Lab:
    """Centres of a k-means over the border that starts at colours far from each other."""
    starts = spread_out(border, np.median(border, axis=0), _GROUND_COLOURS, _FAR)
    return k_means(border, starts, _ROUNDS)


def _things(mask: Mask) -> list[Region]:
    """One region per component, parts of one thing joined, specks left out."""
    joined = np.asarray(_image(mask).filter(ImageFilter.MaxFilter(_JOINED))) > 0
    parts = [part & mask for part in _components(joined)]
    least = max([_LEAST_SHARE * mask.size, *(_LEAST_OF_LARGEST * part.sum() for part in parts)])
    merged = _merged([part for part in parts if part.sum() >= least])
    regions = [Region(_box(part), round(float(part.mean()), 4)) for part in merged]
    return sorted(regions, key=lambda one: (-one.share, one.box.top, one.box.left))[:_MOST_THINGS]


def _components(mask: Mask) -> Iterator[Mask]:
    """Connected parts, from the most solid one on, the smallest left out; crumbs may be left for want of patience."""
    solid = np.asarray(_image(mask).filter(ImageFilter.BoxBlur(3)))
    left = mask.copy()
    for _ in range(_PATIENCE):
        if not left.any():
            return
        seed = np.zeros_like(left)
        seed.flat[int(np.where(left, solid.astype(np.int16), -1).argmax())] = True
        part = reachable(seed, left)
        left &= ~part
        if part.sum() >= _LEAST_SHARE * mask.size:
            yield part


def _image(mask: Mask) -> Image.Image:
    """Mode L, 0 and 255."""
    return Image.fromarray(mask.astype(np.uint8) * 255)


def _merged(parts: Sequence[Mask]) -> list[Mask]:
    """A part whose box lies mostly within another's belongs to it: a print, a buckle, a heel."""
    kept: list[Mask] = []
    for part in sorted(parts, key=lambda one: -int(one.sum())):
        home = next((at for at, larger in enumerate(kept) if _within(_box(part), _box(larger))), None)
        if home is None:
            kept.append(part)
        else:
            kept[home] = kept[home] | part
    return kept


def _within(small: Box, large: Box) -> bool:
    across = min(small.left + small.width, large.left + large.width) - max(small.left, large.left)
    down = min(small.top + small.height, large.top + large.height) - max(small.top, large.top)
    return max(across, 0.0) * max(down, 0.0) > _SAME_THING * small.width * small.height


def _box(part: Mask) -> Box:
    top, bottom = _extent(part, 0)
    left, right = _extent(part, 1)
    return Box(left, top, round(right - left, 4), round(bottom - top, 4))


def _extent(part: Mask, axis: int) -> tuple[float, float]:
    """First and last share of that side which the part takes, with the margin, within 0 to 1, rounded to 4 digits."""
    length = part.shape[axis]
    places = np.flatnonzero(part.any(axis=1 - axis))
    start, end = int(places[0]) / length - _MARGIN, (int(places[-1]) + 1) / length + _MARGIN
    return round(max(start, 0.0), 4), round(min(end, 1.0), 4)
