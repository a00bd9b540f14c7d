"""From an upright sRGB picture to the encoder's input size: the pixels open_clip's own transform would give.

`indexer.images` imports no torch, so the three modes of `open_clip.transform.image_transform` (3.3) are written
out here on Pillow; a test compares them pixel by pixel. The fourth, `within`, is for those who look at whole pictures.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image, ImageOps

if TYPE_CHECKING:
    from indexer.domain import Pixels

Mode = Literal["shortest", "longest", "squash", "within"]
Interpolation = Literal["bicubic", "bilinear"]
_RESAMPLING = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


@dataclass(frozen=True, slots=True)
class Fit:
    """How a picture becomes `size` = (height, width).

    `shortest` scales until the short side fits and cuts the rest off; `longest` scales until the long side fits and
    pads with `fill`; `squash` scales both sides and bends the picture; `within` scales down, never up, until both sides
    fit, and leaves it there.
    """

    size: tuple[int, int]
    mode: Mode = "shortest"
    interpolation: Interpolation = "bicubic"
    fill: tuple[int, int, int] = (0, 0, 0)

    def scaled(self, width: int, height: int) -> tuple[int, int]:
        """(width, height) that a picture of that size is scaled to before cutting or padding."""
        target_height, target_width = self.size
        if self.mode == "squash":
            return target_width, target_height
        if self.mode == "shortest" and target_height == target_width:
            return _short_side(width, height, target_width)
        if self.mode == "within" and width <= target_width and height <= target_height:
            return width, height
        choose: Callable[[float, float], float] = min if self.mode == "shortest" else max
        ratio = choose(height / target_height, width / target_width)
        return max(1, round(width / ratio)), max(1, round(height / ratio))


def _short_side(width: int, height: int, size: int) -> tuple[int, int]:
    """torchvision's Resize(int): the long side is cut to an integer, not rounded."""
    short, long = sorted((width, height))
    scaled_long = int(size * long / short)
    return (size, scaled_long) if width <= height else (scaled_long, size)


def fit(image: Image.Image, spec: Fit) -> "Pixels":
    """`image` is RGB; returns uint8 of shape (*spec.size, 3), or smaller where it fits `within`, not normalised."""
    size = spec.scaled(*image.size)
    resampling = _RESAMPLING["bicubic" if _ignores_interpolation(spec) else spec.interpolation]
    scaled = image if size == image.size else image.resize(size, resampling)
    return np.array(scaled if spec.mode == "within" else _crop(_pad(scaled, spec), spec))


def _ignores_interpolation(spec: Fit) -> bool:
    """open_clip's `shortest` with an oblong target always scales with bicubic."""
    return spec.mode == "shortest" and spec.size[0] != spec.size[1]


def _pad(image: Image.Image, spec: Fit) -> Image.Image:
    """Grow to at least the target, the odd pixel going right and below."""
    height, width = spec.size
    across, down = max(width - image.width, 0), max(height - image.height, 0)
    if not across and not down:
        return image
    border = (across // 2, down // 2, (across + 1) // 2, (down + 1) // 2)
    fill = spec.fill if spec.mode == "longest" else (0, 0, 0)
    return ImageOps.expand(image, border, fill)


def _crop(image: Image.Image, spec: Fit) -> Image.Image:
    """Centre crop; halves round to even, as in torchvision."""
    height, width = spec.size
    top, left = round((image.height - height) / 2), round((image.width - width) / 2)
    return image.crop((left, top, left + width, top + height))
