"""What a pipeline is shown: the reference, the region and the words, in the sizes it takes."""

from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image, ImageFilter

from indexer.domain import Pixels
from indexer.images.foreground import foreground
from service.generate.diffusion.drawing import Size
from service.generate.diffusion.loading import reading
from service.generate.diffusion.table import Known
from service.generate.diffusion.weights import Weights
from service.generate.seam import LEAST_SIDE, Mask, Request, Unsuited

_MASK_SIDE: Final = 128
"""Longest side of the copy in which product and backdrop are told apart, in pixels."""
_PRODUCT: Final = 0.1
"""Foreground weight above which a pixel is product; skin weighs less."""
_ROUNDING: Final = 16
"""Pixels by which a side may be off its multiple at most."""
_MARGIN: Final = 0.02
"""Share of the longer side that the region reaches beyond the product, for room to its new edge."""


def size_of(request: Request, row: Known, most_side: int) -> Size:
    """(width, height): as asked for, or in the reference's shape and as large as the row was trained for.

    Raises Unsuited for what is beyond `most_side`, or no multiple that the row takes.
    """
    if request.size is not None:
        if max(request.size) > most_side:
            raise Unsuited(f"size: a side has at most {most_side} pixels here, not {max(request.size)}.")
        if any(side % row.multiple for side in request.size):
            raise Unsuited(f"size: this pipeline's sides are multiples of {row.multiple} pixels.")
        return request.size
    height, width = (1, 1) if request.reference is None else request.reference.shape[:2]
    scale = min(row.side, most_side) / max(width, height)
    return _rounded(width * scale, row.multiple, most_side), _rounded(height * scale, row.multiple, most_side)


def _rounded(side: float, multiple: int, most: int) -> int:
    return min(max(round(side / multiple) * multiple, LEAST_SIDE), most // multiple * multiple)


def sized(pixels: Pixels, size: Size) -> Pixels:
    """The whole picture, scaled to fit; what it leaves over continues its edges, as a plain backdrop does."""
    height, width = pixels.shape[:2]
    scale = min(size[0] / width, size[1] / height)
    inner = _inner(width * scale, size[0]), _inner(height * scale, size[1])
    scaled = np.asarray(Image.fromarray(pixels).resize(inner, Image.Resampling.LANCZOS))
    return np.pad(scaled, (*_margins(inner, size), (0, 0)), mode="edge")


def sized_mask(mask: Mask, size: Size) -> Mask:
    """The same of a region; what is left over is outside of it."""
    height, width = mask.shape
    scale = min(size[0] / width, size[1] / height)
    inner = _inner(width * scale, size[0]), _inner(height * scale, size[1])
    scaled = Image.fromarray(mask.astype(np.uint8) * np.uint8(255)).resize(inner, Image.Resampling.BILINEAR)
    return np.pad(np.asarray(scaled) > 127, _margins(inner, size))


def _inner(side: float, most: int) -> int:
    """Nearly as large is as large: a side that was rounded to a multiple is filled by stretching."""
    return most if most - side < _ROUNDING else max(1, round(side))


def _margins(inner: Size, size: Size) -> tuple[tuple[int, int], tuple[int, int]]:
    """Above and below, left and right."""
    across, down = size[0] - inner[0], size[1] - inner[1]
    return (down // 2, down - down // 2), (across // 2, across - across // 2)


def product_region(pixels: Pixels) -> Mask:
    """Where the product is, and a little around it."""
    picture = Image.fromarray(pixels)
    small = picture.copy()
    small.thumbnail((_MASK_SIDE, _MASK_SIDE), Image.Resampling.BOX)
    product = Image.fromarray((foreground(np.asarray(small)) > _PRODUCT).astype(np.uint8) * np.uint8(255))
    reach = 2 * max(1, round(_MARGIN * max(small.size))) + 1
    wide = product.filter(ImageFilter.MaxFilter(reach)).resize(picture.size, Image.Resampling.BILINEAR)
    region = np.asarray(np.asarray(wide) > 127, np.bool_)
    return region if region.any() else np.ones_like(region)


def cut(prompt: str, weights: Weights, tokenizer: Path, row: Known) -> tuple[str, str]:
    """The words that the row's text encoder reads, and those that are left out; `tokenizer` is the directory of its own
    among the weights. Raises UnusableWeights."""
    words = _tokenizer(weights, tokenizer)
    encoded = words(prompt, return_offsets_mapping=True, verbose=False)
    if len(encoded["input_ids"]) <= row.tokens:
        return prompt, ""
    spans = [(start, end) for start, end in encoded["offset_mapping"] if end > start]
    special = len(encoded["input_ids"]) - len(spans)
    end = spans[row.tokens - special - 1][1]
    kept = prompt[:end] if prompt[end : end + 1].isspace() else prompt[:end].rsplit(maxsplit=1)[0]
    return kept, prompt[len(kept) :].strip()


@lru_cache(maxsize=16)
def _tokenizer(weights: Weights, folder: Path) -> Any:
    from transformers import AutoTokenizer

    with reading(weights.name):
        return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
