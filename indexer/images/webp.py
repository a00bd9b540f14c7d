"""Small pictures as WebP files, and as texts that a page holds them in."""

import base64
from io import BytesIO
from typing import Final

from PIL import Image

from indexer.domain import Pixels

QUALITY: Final = 80


def as_webp(pixels: Pixels, quality: int = QUALITY) -> bytes:
    """Of shape (height, width, 3), sRGB."""
    content = BytesIO()
    Image.fromarray(pixels).save(content, "WEBP", quality=quality)
    return content.getvalue()


def data_uri(pixels: Pixels, quality: int = QUALITY) -> str:
    return f"data:image/webp;base64,{base64.b64encode(as_webp(pixels, quality)).decode()}"
