"""What is sent to those who draw elsewhere, and what is made of what they send back."""

from collections.abc import Callable
from io import BytesIO

import numpy as np
from PIL import Image

from indexer.domain import Pixels
from indexer.errors import ImageRejected, UnavailableError
from service.endpoint import EndpointFailed
from service.generate.seam import Mask, Request

Decode = Callable[[bytes], Pixels]
"""A file from afar → uint8 (h, w, 3). Raises ImageRejected, UnavailableError."""

_LONGEST = 2_000
"""Characters of a text from afar that are kept."""
_KEEP = (
    "Change nothing else: keep the product's shape, its other colours, materials and prints, the view, the light and "
    "the background as they are."
)


def prompt_of(request: Request) -> str:
    """For models that understand sentences."""
    if request.reference is None:
        return f"A photo of a product, alone on a plain backdrop: {request.caption or request.instruction}"
    shown = f" Afterwards it shows: {request.caption}." if request.caption else ""
    return f"Change this photo of a product as follows: {request.instruction}.{shown} {_KEEP}"


def png_of(pixels: Pixels) -> bytes:
    """`pixels` is uint8 of shape (height, width, 3), sRGB."""
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def mask_png_of(mask: Mask) -> bytes:
    """Transparent where something may be changed, as OpenAI's edits have it."""
    alpha = np.where(mask, 0, 255).astype(np.uint8)
    file = BytesIO()
    Image.fromarray(np.dstack((np.zeros((*mask.shape, 3), np.uint8), alpha))).save(file, "PNG")
    return file.getvalue()


def tamed(text: str) -> str:
    """A text from afar on one line, without what nobody sees, and no longer than anybody reads."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:_LONGEST]).strip()


def seen(decode: Decode, file: bytes) -> Pixels:
    """Raises EndpointFailed."""
    try:
        return decode(file)
    except ImageRejected as error:
        raise EndpointFailed("form", f"the picture that came is of no use ({error.reason})", counts=True) from None
    except UnavailableError:
        raise EndpointFailed("form", "the picture that came cannot be decoded for now", counts=False) from None
