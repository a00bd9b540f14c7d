"""What a decoding child does with one image, and what it sends back.

Everything imported here is imported by every child: numpy and Pillow, nothing heavier.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from indexer.errors import ImageRejected
from indexer.images.fit import Fit, fit
from indexer.images.gate import DECODER_ERRORS, Limits, check_shape, decode_failure, open_checked
from indexer.images.locate import read_local
from indexer.images.normalise import normalise, upright_size
from indexer.images.palette import Palette, palette, small_copy
from indexer.images.reasons import Reason
from indexer.images.regions import Box, Region, suggest_regions

if TYPE_CHECKING:
    from indexer.domain import Pixels


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """One image, ready for an encoder."""

    content_hash: str
    """SHA-256 of the file's bytes, 64 hex digits."""
    width: int
    height: int
    """Upright, as the file has it, before any cutting and scaling."""
    pixels: "Pixels"
    """uint8 of shape (*fit.size, 3), sRGB."""
    palette: Palette


class Refusal(NamedTuple):
    """An `ImageRejected` on its way through the pipe."""

    reason: str
    detail: str


def decode_file(root: str, uri: str, spec: Fit, limits: Limits, box: Box | None = None) -> Decoded | Refusal:
    try:
        return _decode(read_local(Path(root), uri, limits.max_bytes), spec, limits, box)
    except ImageRejected as error:
        return Refusal(error.reason, error.detail)
    except MemoryError:
        return _OUT_OF_MEMORY


def decode_bytes(content: bytes, spec: Fit, limits: Limits, box: Box | None = None) -> Decoded | Refusal:
    try:
        return _decode(content, spec, limits, box)
    except ImageRejected as error:
        return Refusal(error.reason, error.detail)
    except MemoryError:
        return _OUT_OF_MEMORY


def find_regions(content: bytes, limits: Limits) -> tuple[Region, ...] | Refusal:
    try:
        return _regions(content, limits)
    except ImageRejected as error:
        return Refusal(error.reason, error.detail)
    except MemoryError:
        return _OUT_OF_MEMORY


_REGION_SIDE = 256
"""Longest side of the picture in which regions are looked for, in pixels."""
_OUT_OF_MEMORY = Refusal(Reason.OUT_OF_MEMORY, "decoding the picture needs more memory than is allowed")


def _decode(content: bytes, spec: Fit, limits: Limits, box: Box | None) -> Decoded:
    image = open_checked(content, limits)
    try:
        width, height = upright_size(image)
        upright = _upright(image, spec, limits, box)
    except DECODER_ERRORS as error:
        raise decode_failure(error, image.format or "image") from error
    return Decoded(
        content_hash=hashlib.sha256(content).hexdigest(),
        width=width,
        height=height,
        pixels=fit(upright, spec),
        palette=palette(np.asarray(small_copy(upright))),
    )


def _upright(image: Image.Image, spec: Fit, limits: Limits, box: Box | None) -> Image.Image:
    """The picture, or what the box shows of it; a JPEG is decoded no finer than what remains is looked at."""
    width, height = upright_size(image)
    if box is None:
        return normalise(image, spec.scaled(width, height))
    left, top, right, bottom = box.of(width, height)
    check_shape(right - left, bottom - top, limits, "part of the picture within the box")
    part_width, part_height = spec.scaled(right - left, bottom - top)
    shrink_to = round(part_width * width / (right - left)), round(part_height * height / (bottom - top))
    upright = normalise(image, shrink_to)
    return upright.crop(box.of(*upright.size))


def _regions(content: bytes, limits: Limits) -> tuple[Region, ...]:
    image = open_checked(content, limits)
    try:
        upright = normalise(image, (_REGION_SIDE, _REGION_SIDE))
    except DECODER_ERRORS as error:
        raise decode_failure(error, image.format or "image") from error
    upright.thumbnail((_REGION_SIDE, _REGION_SIDE))
    return tuple(suggest_regions(np.asarray(upright)))
