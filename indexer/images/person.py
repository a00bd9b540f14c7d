"""Somebody wearing the product: skin recognised by its colour and place, and then hardly counted.

Leather, wood and orange things have the colours of skin as well. A person is believed in only where skin surrounds
a middle of another colour, hangs below hair, or appears above and below something else.
"""

import math

import numpy as np
import numpy.typing as npt

from indexer.images.colour import Lab
from indexer.images.joined import Mask

Weights = npt.NDArray[np.float32]
"""Shape (h, w), 0 to 1: how much a pixel is product."""

_LEAST_SKIN, _MOST_SKIN = 0.04, 0.75
"""Share of the foreground within which skin colour means a person; more is a product of that colour."""
_LEAST_SLOPE, _MOST_SLOPE = math.tan(math.radians(36)), math.tan(math.radians(68))
"""b* over a* of the hues of skin; a* and b* between both are positive."""
_SKIN_WEIGHT = 0.1
_COLOURFUL, _SAME_HUE = 40.0, 10.0
"""Chroma, and degrees of hue."""
_WAIST, _REACH = 0.45, 0.25
"""Where a worn product is, from the top of the person, and its standard deviation."""


def wearer(lab: Lab, mask: Mask) -> Mask | None:
    """The skin of somebody who plainly wears the product; None where nobody does."""
    skin = _skin_coloured(lab) & mask
    box = _box(mask)
    return skin if _worn(skin[box], mask[box], lab[box]) else None


def weighted(mask: Mask, skin: Mask | None) -> Weights:
    """The mask, with skin nearly gone and the middle favoured where `wearer` found somebody."""
    weights = mask.astype(np.float32)
    if skin is None:
        return weights
    weights[skin] = _SKIN_WEIGHT
    box = _box(mask)
    height = box[0].stop - box[0].start
    rows = (np.arange(len(mask), dtype=np.float32) - box[0].start) / height
    return np.asarray(weights * np.exp(-(((rows - _WAIST) / _REACH) ** 2) / 2)[:, None], np.float32)


def _skin_coloured(lab: Lab) -> Mask:
    """Human skin of all tones in CIELAB: hue 36 to 68 degrees, moderate chroma. Leather and wood are in it, too."""
    lightness, a, b = (np.ascontiguousarray(lab[..., k]) for k in range(3))
    chroma = a * a + b * b
    of_hue = (b > _LEAST_SLOPE * a) & (b < _MOST_SLOPE * a)
    return np.asarray(of_hue & (chroma > 9**2) & (chroma < 46**2) & (lightness > 20), np.bool_)


def _box(mask: Mask) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _worn(skin: Mask, mask: Mask, lab: Lab) -> bool:
    """Whether the skin-coloured part is a person: around a middle of another colour, or with a head on top."""
    share = skin.sum() / mask.sum()
    if not _LEAST_SKIN < share < _MOST_SKIN or mask.shape[0] < mask.shape[1]:
        return False
    height, width = mask.shape
    middle = (slice(int(0.3 * height), int(0.7 * height)), slice(int(0.3 * width), int(0.7 * width)))
    if skin[middle].sum() < 0.4 * mask[middle].sum():
        return not _same_hue(lab[skin], lab[middle][mask[middle] & ~skin[middle]])
    return height > 1.25 * width and (_has_head(mask, lab[..., 0]) or _is_sandwiched(skin, mask))


def _same_hue(one: Lab, other: Lab) -> bool:
    """Whether skin colour is but the shaded or shining part of an orange or brown product."""
    a, b = np.median(other[:, 1:], axis=0)
    if math.hypot(a, b) <= _COLOURFUL:
        return False
    skin_a, skin_b = np.median(one[:, 1:], axis=0)
    return abs(math.degrees(math.atan2(b, a) - math.atan2(skin_b, skin_a))) < _SAME_HUE


def _has_head(mask: Mask, lightness: npt.NDArray[np.float32]) -> bool:
    """The top fifth is narrow and partly dark: hair."""
    top = slice(0, max(1, len(mask) // 5))
    narrow = mask[top].mean() < 0.45
    return bool(narrow and (mask & (lightness < 45))[top].sum() > 0.1 * mask[top].sum())


def _is_sandwiched(skin: Mask, mask: Mask) -> bool:
    """Skin, then something else over at least 8 % of the height, then skin again: a belly, shorts, legs."""
    share = skin.sum(axis=1) / np.maximum(mask.sum(axis=1), 1)
    covered = np.flatnonzero(share < 0.4)
    if len(covered) < 0.08 * len(mask):
        return False
    middle = int(np.median(covered[covered < 0.7 * len(mask)])) if (covered < 0.7 * len(mask)).any() else 0
    return bool((share[:middle] > 0.5).sum() >= 2 and (share[middle:] > 0.5).sum() >= 2)
