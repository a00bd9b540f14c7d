"""A product lifted off its plain backdrop, with whoever wears it and without its shadow."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.images.colour import Lab, srgb_to_lab
from indexer.images.foreground import separate

_SIDE = 128
"""Longest side of the copy that is taken apart, in pixels; foreground is meant for no more."""
_UNLIKE = 9.0
"""Lab distance from the backdrop from which a pixel is something."""
_TINTED, _DARKEST_SHADOW = 6.0, 0.5
"""A shadow is nearer than this to the backdrop's a* and b*, and keeps more than this share of its L*."""
_LEAST, _MOST = 0.03, 0.75
"""Share of the picture that a product on a backdrop covers; other finds are mistakes."""
_PIN_HOLE = 0.01
"""Holes up to this share of the product are highlights; larger ones are seen through."""
_SPECK = 0.02
"""Another part smaller than this share of the largest one is dust; a larger one means that the product fell apart."""
_MOST_SHADOW = 0.5
"""When more than this share of what is seen would be shadow, some of it is a grey product."""

Mask = NDArray[np.bool_]


def cut_out(picture: Image.Image) -> Image.Image | None:
    """The RGB picture in mode RGBA, cropped to the product; None when it has no smooth backdrop to lift it off."""
    small = picture.copy()
    small.thumbnail((_SIDE, _SIDE))
    mask = _product(srgb_to_lab(np.asarray(small)))
    if mask is None or not _LEAST < mask.mean() < _MOST or _bleeds(mask):
        return None
    alpha = Image.fromarray((mask * 255).astype(np.uint8)).resize(picture.size, Image.Resampling.BICUBIC)
    lifted = picture.convert("RGBA")
    lifted.putalpha(alpha.point([_inwards(value) for value in range(256)]))
    return lifted.crop(lifted.getchannel("A").getbbox())


def _product(lab: Lab) -> Mask | None:
    """None without a smooth backdrop, or where the product resembles it so much that it comes apart."""
    found = separate(lab)
    if found.backdrop is None:
        return None
    away = lab - found.backdrop
    tinted = np.hypot(away[..., 1], away[..., 2]) > _TINTED
    dark = lab[..., 0] < _DARKEST_SHADOW * found.backdrop[..., 0]
    seen = np.sqrt((away**2).sum(axis=-1)) > _UNLIKE
    product = (found.weights > 0) | (seen & (tinted | dark))
    if (seen & ~product).sum() > _MOST_SHADOW * seen.sum():
        return None
    return _in_one_piece(_without_pin_holes(product))


def _without_pin_holes(mask: Mask) -> Mask:
    from scipy.ndimage import binary_fill_holes, label

    holes, _ = label(binary_fill_holes(mask) & ~mask)
    sizes = np.bincount(holes.ravel())
    return np.asarray(mask | ((holes > 0) & (sizes <= _PIN_HOLE * mask.sum())[holes]), np.bool_)


def _in_one_piece(mask: Mask) -> Mask | None:
    from scipy.ndimage import label

    parts, _ = label(mask)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    whole = sizes > _SPECK * sizes.max()
    return np.asarray(whole[parts], np.bool_) if np.count_nonzero(whole) == 1 else None


def _bleeds(mask: Mask) -> bool:
    """Whether it touches two sides of the picture or more: it goes on outside, and would end in a straight cut."""
    return sum(bool(side.any()) for side in (mask[0], mask[-1], mask[:, 0], mask[:, -1])) > 1


def _inwards(alpha: int) -> int:
    """A steeper edge, drawn in by half a pixel of the small copy, so that no rim of the backdrop shows."""
    return int(np.clip((alpha - 128) * 2.2, 0, 255))
