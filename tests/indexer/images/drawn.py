"""Pictures drawn for the tests: nothing here comes from a photo."""

import struct
import zlib
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw

from indexer.images.gate import Limits
from indexer.settings import ImageSettings

LIMITS = Limits.of(ImageSettings())


def scene(width: int = 96, height: int = 64) -> Image.Image:
    """Smooth, colourful and without symmetry, so that turns and swapped channels show."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    red, green, blue = (
        255 * x / max(width - 1, 1),
        255 * y / max(height - 1, 1),
        127 + 90 * np.sin(x / 17) * np.cos(y / 11),
    )
    return Image.fromarray(np.rint(np.stack([red, green, blue], axis=-1)).astype(np.uint8))


def saved(image: Image.Image, image_format: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def png_chunk(name: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + name + payload + struct.pack(">I", zlib.crc32(name + payload))


def png(width: int, height: int, depth: int, colour: int, rows: bytes, *extra: bytes) -> bytes:
    """A PNG from raw, unfiltered scan lines; `extra` are whole chunks put before the pixels."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    body = png_chunk(b"IDAT", zlib.compress(rows, 9))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + body + png_chunk(b"IEND", b"")


def studio(colour: tuple[int, int, int], backdrop: tuple[int, int, int] = (250, 250, 250)) -> Image.Image:
    """A product of one colour, 40 % of the picture, in the middle of a plain backdrop."""
    image = Image.new("RGB", (200, 200), backdrop)
    ImageDraw.Draw(image).rounded_rectangle((40, 30, 160, 165), 20, fill=colour)
    return image


def pixels(image: Image.Image) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    return np.asarray(image)


def apart(one: Image.Image, other: Image.Image) -> int:
    """Largest difference of any channel of any pixel."""
    assert one.size == other.size
    return int(np.abs(pixels(one).astype(np.int16) - pixels(other)).max())
