"""One picture, one set of pixels: whatever the file's mode, profile, rotation or transparency, upright sRGB.

Indexing and queries both go through `normalise`, so that the same photo saved differently meets itself. Plain
`convert("RGB")` would turn 16-bit pictures white, ignore rotation and profiles, and paint transparent parts black.
"""

from functools import lru_cache
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

from indexer.images.containers import PROFILE_LIMIT
from indexer.images.gate import DECODER_ERRORS, decode_failure

_ORIENTATION_TAG = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF 2.32 orientation → what makes the picture upright."""
_PROFILE_SPACES = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK"}
_PROFILE_ERRORS = (ImageCms.PyCMSError, OSError, ValueError, TypeError)
_BAND = 256
"""Rows of a 16-bit picture that are scaled at a time, for the memory that it takes."""
_DRAFT_MARGIN = 2
"""A JPEG is decoded at no less than this times the wanted size: differs by 0.25/255 on average from a full decode."""


def upright_size(image: Image.Image) -> tuple[int, int]:
    """(width, height) as a viewer shows the picture."""
    width, height = image.size
    return (height, width) if _orientation(image) >= 5 else (width, height)


def normalise(image: Image.Image, shrink_to: tuple[int, int] | None = None) -> Image.Image:
    """Upright RGB picture in sRGB on white; raises `ImageRejected` when the pixels cannot be decoded.

    `shrink_to` = (width, height) that the caller will scale the upright picture down to: a JPEG much larger than
    that is decoded at a half, quarter or eighth of its size, never below twice `shrink_to`.
    """
    orientation = _orientation(image)
    _decode(image, orientation, shrink_to)
    colour, alpha = _separate(image)
    rgb = _to_srgb(colour, image.info.get("icc_profile"))
    turn = _TURNS.get(orientation)
    upright = _on_white(rgb, alpha)
    return upright if turn is None else upright.transpose(turn)


def _orientation(image: Image.Image) -> int:
    """1 to 8; junk in the EXIF block counts as 1. Raises `ImageRejected` for a PNG that cannot be decoded: its EXIF
    block may follow the pixels."""
    if image.format == "PNG":
        _load(image)
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except DECODER_ERRORS:
        return 1
    return value if isinstance(value, int) and value in _TURNS else 1


def _decode(image: Image.Image, orientation: int, shrink_to: tuple[int, int] | None) -> None:
    if shrink_to is not None:
        width, height = (max(1, side) * _DRAFT_MARGIN for side in shrink_to)
        image.draft(None, (height, width) if orientation >= 5 else (width, height))
    _load(image)


def _load(image: Image.Image) -> None:
    """Only the first call raises: Pillow takes what is there for the picture afterwards."""
    try:
        image.load()
    except DECODER_ERRORS as error:
        raise decode_failure(error, image.format or "image") from error


def _separate(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Colour in mode L, RGB or CMYK with 8 bits, and alpha in mode L or None where the picture is opaque."""
    if image.mode == "I" or image.mode.startswith("I;16"):
        return _eight_bits(image)
    if image.mode == "CMYK":
        return image, None
    if image.has_transparency_data:
        rgba = _converted(image, "RGBA")
        alpha = rgba.getchannel("A")
        return rgba.convert("RGB"), alpha if alpha.getextrema() != (255, 255) else None
    return _converted(image, "L" if image.mode in ("1", "L") else "RGB"), None


def _converted(image: Image.Image, mode: str) -> Image.Image:
    """Without the copy that Pillow makes where there is nothing to convert: 200 MB of a picture of 50 megapixels."""
    return image if image.mode == mode else image.convert(mode)


def _eight_bits(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """16-bit grey scaled to 8 (65535 → 255), its transparent value, if any, as alpha."""
    deep = np.asarray(image)
    levels = np.empty(deep.shape, np.uint8)
    for top in range(0, len(deep), _BAND):
        values = np.clip(deep[top : top + _BAND], 0, 65535).astype(np.uint32)
        levels[top : top + _BAND] = (values * 255 + 32767) // 65535
    grey = Image.fromarray(levels)
    transparent = image.info.get("transparency")
    if not isinstance(transparent, int):
        return grey, None
    return grey, Image.fromarray(np.where(deep == transparent, 0, 255).astype(np.uint8))


def _to_srgb(colour: Image.Image, profile: bytes | None) -> Image.Image:
    if profile and len(profile) <= PROFILE_LIMIT:
        transform = _transform(profile, colour.mode)
        if transform is not None:
            return transform.apply(colour)
    return _converted(colour, "RGB")


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """To sRGB, relative colorimetric with black point compensation.

    None where the profile is corrupt, belongs to another colour space than the pixels, or changes nothing.
    """
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if source.profile.xcolor_space != _PROFILE_SPACES[mode]:
            return None
        transform = ImageCms.ImageCmsTransform(
            source,
            ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        return transform if _changes(transform, mode) else None
    except _PROFILE_ERRORS:
        return None


def _changes(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Whether any of 729 colours moves by more than 1/255: most embedded profiles are sRGB itself."""
    if mode == "CMYK":
        return True
    steps = np.linspace(0, 255, 9, dtype=np.uint8)
    cube = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(27, 27, 3)
    probe = Image.fromarray(cube).convert(mode)
    moved = np.asarray(transform.apply(probe), np.int16) - np.asarray(probe.convert("RGB"), np.int16)
    return bool(np.abs(moved).max() > 1)


def _on_white(rgb: Image.Image, alpha: Image.Image | None) -> Image.Image:
    if alpha is None:
        return rgb
    white = Image.new("RGB", rgb.size, (255, 255, 255))
    white.paste(rgb, mask=alpha)
    return white
