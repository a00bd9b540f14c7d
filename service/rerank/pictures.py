"""Photos as an endpoint is sent them: new JPEG files of the pixels alone, whatever file the pixels came from."""

import hashlib
from io import BytesIO
from typing import Final

import numpy as np
from PIL import Image

from indexer.domain import Pixels

QUALITY: Final = 85


def jpeg_of(pixels: Pixels) -> bytes:
    """`pixels` is uint8 of shape (height, width, 3), sRGB."""
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


def hash_of(pixels: Pixels) -> str:
    """64 hex digits; photos are the same when they are so pixel for pixel."""
    digest = hashlib.sha256(repr(pixels.shape).encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()
