"""The gate before decoding: bytes, format, size, shape and frames, decided from the header alone.

A 493 kB PNG can cost 1.3 GB of memory to decode; nothing here allocates by what a file claims.
"""

import struct
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Self

from PIL import Image, UnidentifiedImageError

from indexer.errors import ImageRejected
from indexer.images.containers import (
    MalformedImageError,
    TruncatedImageError,
    check_complete,
    check_segments,
    describe,
    gif_frames,
    slim_png,
    sniff,
)
from indexer.images.reasons import Reason, rejected

if TYPE_CHECKING:
    from indexer.settings import ImageSettings

DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    EOFError,
    struct.error,
    OverflowError,
    ZeroDivisionError,
    AssertionError,
    AttributeError,
    RuntimeError,
    NotImplementedError,
)
"""What Pillow's plugins let escape on hostile bytes: documented OSError and SyntaxError (which Image.open turns
into UnidentifiedImageError), and in practice whatever parsing of untrusted lengths and tables raises."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a photo may be. Sides and pixels as stored in the file."""

    max_bytes: int
    max_pixels: int
    max_side: int
    min_side: int
    max_aspect: float
    """Long side over short side."""
    max_frames: int

    @classmethod
    def of(cls, settings: "ImageSettings") -> Self:
        return cls(
            max_bytes=settings.max_bytes,
            max_pixels=settings.max_pixels,
            max_side=settings.max_side,
            min_side=settings.min_side,
            max_aspect=settings.max_aspect,
            max_frames=settings.max_frames,
        )


def open_checked(content: bytes, limits: Limits) -> Image.Image:
    """The image with its header read and no pixel decoded; raises `ImageRejected` naming what is wrong.

    Of animations it is the first frame. Neither the file name nor a declared type is looked at.
    """
    image_format = _format(content, limits)
    image = _open(_structure_checked(content, image_format, limits), image_format)
    check_shape(*image.size, limits)
    frames = getattr(image, "n_frames", 1) if image_format != "GIF" else 1
    if frames > limits.max_frames:
        raise _too_many_frames(frames, limits)
    return image


def _format(content: bytes, limits: Limits) -> str:
    if not content:
        raise rejected(Reason.EMPTY, "the file is empty")
    if len(content) > limits.max_bytes:
        raise too_large(len(content), limits.max_bytes)
    image_format = sniff(content)
    if image_format is None:
        raise rejected(
            Reason.UNSUPPORTED_FORMAT,
            f"the file is {describe(content)}; JPEG, PNG, WebP, AVIF and GIF are accepted, whatever the file name",
        )
    return image_format


def too_large(size: int, max_bytes: int) -> ImageRejected:
    return rejected(Reason.TOO_LARGE_BYTES, f"the file has {size:,} bytes or more; at most {max_bytes:,} are accepted")


def _too_many_frames(frames: int, limits: Limits) -> ImageRejected:
    return rejected(
        Reason.TOO_MANY_FRAMES,
        f"the animation has {frames:,} frames or more; at most {limits.max_frames:,} are accepted",
    )


def _structure_checked(content: bytes, image_format: str, limits: Limits) -> bytes:
    """The bytes to open, free of parts that cost much and show nothing."""
    try:
        check_complete(content, image_format)
        if image_format == "PNG":
            return slim_png(content)
        if image_format == "JPEG":
            check_segments(content)
        frames = gif_frames(content, limits.max_frames) if image_format == "GIF" else 1
    except TruncatedImageError as error:
        raise rejected(Reason.TRUNCATED, str(error)) from error
    except MalformedImageError as error:
        raise rejected(Reason.DECODE_FAILED, str(error)) from error
    if frames > limits.max_frames:
        raise _too_many_frames(frames, limits)
    return content


def _open(content: bytes, image_format: str) -> Image.Image:
    try:
        return Image.open(BytesIO(content), formats=[image_format])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise rejected(Reason.TOO_MANY_PIXELS, str(error)) from error
    except DECODER_ERRORS as error:
        raise decode_failure(error, image_format) from error


def decode_failure(error: Exception, image_format: str) -> ImageRejected:
    """The rejection for an error that Pillow raised while opening or decoding."""
    message = str(error)
    if isinstance(error, EOFError) or any(word in message.lower() for word in ("truncat", "unexpected end")):
        return rejected(Reason.TRUNCATED, f"the {image_format} file ends before the picture does")
    if isinstance(error, UnidentifiedImageError):
        message = "its header is corrupt"
    return rejected(
        Reason.DECODE_FAILED, f"the {image_format} file cannot be decoded: {message or type(error).__name__}"
    )


def check_shape(width: int, height: int, limits: Limits, what: str = "picture") -> None:
    """Raises `ImageRejected` for a picture, or a part of one, of a shape that is not accepted."""
    short, long = sorted((width, height))
    size = f"the {what} is {width:,} x {height:,} pixels"
    if width * height > limits.max_pixels:
        raise rejected(Reason.TOO_MANY_PIXELS, f"{size}; at most {limits.max_pixels:,} in all are accepted")
    if long > limits.max_side:
        raise rejected(Reason.TOO_LARGE_SIDE, f"{size}; a side may have at most {limits.max_side:,}")
    if short < limits.min_side:
        raise rejected(Reason.TOO_SMALL, f"{size}; each side must have at least {limits.min_side:,}")
    if long > short * limits.max_aspect:
        raise rejected(Reason.BAD_ASPECT, f"{size}; one side may be at most {limits.max_aspect:g} times the other")
