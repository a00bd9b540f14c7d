"""Every odd way to save a picture gives the pixels of its plain twin."""

import struct
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageCms

from indexer.images.gate import open_checked
from indexer.images.normalise import normalise, upright_size
from tests.indexer.images.drawn import LIMITS, apart, pixels, png, png_chunk, saved, scene

TURNED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""Orientation → how a camera held so would have stored the upright picture."""


def seen(content: bytes, shrink_to: tuple[int, int] | None = None) -> Image.Image:
    return normalise(open_checked(content, LIMITS), shrink_to)


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


@pytest.mark.parametrize("image_format", ["PNG", "WEBP", "JPEG", "AVIF"])
@pytest.mark.parametrize("orientation", list(TURNED))
def test_every_orientation_is_set_upright(orientation: int, image_format: str) -> None:
    stored = scene().transpose(TURNED[orientation])
    options: dict[str, object] = {"lossless": True} if image_format == "WEBP" else {"quality": 100}
    if image_format == "JPEG":
        options["subsampling"] = 0
    content = saved(stored, image_format, exif=exif(orientation), **options)
    image = open_checked(content, LIMITS)
    assert upright_size(image) == (96, 64)
    assert apart(normalise(image), scene()) <= {"PNG": 0, "WEBP": 0}.get(image_format, 8)


@pytest.mark.filterwarnings("ignore:.*EXIF:UserWarning")
@pytest.mark.parametrize(
    "junk", [b"", b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"]
)
def test_junk_in_the_exif_block_is_ignored(junk: bytes) -> None:
    assert apart(seen(saved(scene(), "PNG", exif=junk)), scene()) == 0


def test_an_impossible_orientation_is_ignored() -> None:
    assert apart(seen(saved(scene(), "PNG", exif=exif(77))), scene()) == 0


def _on_white(rgb: Image.Image, alpha: Image.Image) -> Image.Image:
    white = Image.new("RGB", rgb.size, "white")
    return Image.composite(rgb, white, alpha)


def _alpha() -> Image.Image:
    return Image.fromarray(np.tile(np.linspace(0, 255, 96).astype(np.uint8), (64, 1)))


def test_transparency_is_white() -> None:
    rgba = scene()
    rgba.putalpha(_alpha())
    twin = _on_white(scene(), _alpha())
    assert apart(seen(saved(rgba, "PNG")), twin) <= 2
    assert apart(seen(saved(rgba, "WEBP", lossless=True, exact=True)), twin) <= 2
    assert apart(normalise(rgba.convert("RGBa")), twin) <= 2


def test_grey_with_alpha() -> None:
    grey = scene().convert("L")
    content = saved(Image.merge("LA", (grey, _alpha())), "PNG")
    assert apart(seen(content), _on_white(grey.convert("RGB"), _alpha())) <= 2


@pytest.mark.parametrize(("image_format", "transparency"), [("PNG", 7), ("PNG", bytes([255] * 7 + [0])), ("GIF", 7)])
def test_a_palette_with_a_transparent_entry(image_format: str, transparency: int | bytes) -> None:
    indexed = scene().quantize(16)
    hole = np.asarray(indexed) == 7
    twin = pixels(indexed.convert("RGB")).copy()
    twin[hole] = 255
    assert hole.any()
    content = saved(indexed, image_format, transparency=transparency)
    assert apart(seen(content), Image.fromarray(twin)) <= 2


def test_a_transparent_colour_without_alpha_channel() -> None:
    image = scene()
    image.paste((1, 2, 3), (10, 10, 30, 30))
    twin = image.copy()
    twin.paste((255, 255, 255), (10, 10, 30, 30))
    assert apart(seen(saved(image, "PNG", transparency=(1, 2, 3))), twin) <= 2


@pytest.mark.parametrize("mode", ["1", "L", "P"])
def test_modes_with_few_colours(mode: str) -> None:
    image = scene().convert(mode)
    assert apart(seen(saved(image, "PNG")), image.convert("RGB")) <= 2


def _deep_grey() -> "np.ndarray[tuple[int, ...], np.dtype[np.uint16]]":
    return (np.asarray(scene().convert("L")).astype(np.uint16) * 257).astype(np.uint16)


def test_sixteen_bits_are_scaled() -> None:
    twin = scene().convert("L").convert("RGB")
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in _deep_grey())
    assert apart(seen(png(96, 64, 16, 0, rows)), twin) <= 2
    for order in ("<u2", ">u2", "<i4"):
        assert apart(normalise(Image.fromarray(_deep_grey().astype(order))), twin) <= 2


def test_sixteen_bit_colours_are_scaled() -> None:
    deep = np.asarray(scene()).astype(np.uint16) * 257
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in deep)
    assert apart(seen(png(96, 64, 16, 2, rows)), scene()) <= 2


def test_sixteen_bit_transparency() -> None:
    deep = _deep_grey()
    deep[5:20, 5:20] = 4660
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in deep)
    result = seen(png(96, 64, 16, 0, rows, png_chunk(b"tRNS", struct.pack(">H", 4660))))
    assert result.getpixel((10, 10)) == (255, 255, 255)
    assert result.getpixel((40, 30)) == tuple([pixels(scene().convert("L"))[30, 40]] * 3)


def test_cmyk_and_ycck_jpegs() -> None:
    cmyk = scene().convert("CMYK")
    assert apart(seen(saved(cmyk, "JPEG", quality=100, subsampling=0)), scene()) <= 8
    assert pixels(seen(saved(Image.new("CMYK", (32, 32), (0, 0, 0, 0)), "JPEG"))).min() >= 254


def swapped_profile() -> bytes:
    """A real RGB profile whose red and green primaries are exchanged."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = int.from_bytes(profile[128:132], "big")
    entries = {bytes(profile[132 + 12 * n : 136 + 12 * n]): 132 + 12 * n for n in range(count)}
    red, green = entries[b"rXYZ"], entries[b"gXYZ"]
    profile[red + 4 : red + 12], profile[green + 4 : green + 12] = (
        profile[green + 4 : green + 12],
        profile[red + 4 : red + 12],
    )
    return bytes(profile)


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "WEBP"])
def test_a_profile_is_followed(image_format: str) -> None:
    choices: dict[str, dict[str, object]] = {
        "PNG": {},
        "JPEG": {"quality": 100, "subsampling": 0},
        "WEBP": {"lossless": True},
    }
    options = choices[image_format]
    red, green, blue = scene().split()
    swapped = Image.merge("RGB", (green, red, blue))
    content = saved(swapped, image_format, icc_profile=swapped_profile(), **options)
    assert apart(seen(content), scene()) <= (8 if image_format == "JPEG" else 2)


@pytest.mark.parametrize(
    "profile",
    [
        b"not a profile",
        swapped_profile()[:300],
        b"\0" * 4000,
        ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes(),
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    ],
    ids=["words", "cut", "zeros", "of another space", "srgb itself"],
)
def test_a_profile_that_is_corrupt_or_not_for_these_pixels_is_ignored(profile: bytes) -> None:
    assert apart(seen(saved(scene(), "PNG", icc_profile=profile)), scene()) == 0


def test_a_large_jpeg_is_decoded_at_twice_the_wanted_size_and_not_below() -> None:
    content = saved(scene(1000, 800), "JPEG", quality=95)
    assert seen(content, (280, 224)).size == (1000, 800)
    assert seen(content, (250, 200)).size == (500, 400)
    assert seen(content, (100, 80)).size == (250, 200)
    turned = saved(scene(1000, 800), "JPEG", quality=95, exif=exif(6))
    assert seen(turned, (200, 250)).size == (400, 500)


def test_decoding_small_hardly_changes_the_scaled_picture() -> None:
    content = saved(scene(1000, 800), "JPEG", quality=95)
    full = seen(content).resize((200, 160), Image.Resampling.BICUBIC)
    fast = seen(content, (200, 160)).resize((200, 160), Image.Resampling.BICUBIC)
    assert np.abs(pixels(full).astype(int) - pixels(fast)).mean() < 0.5


@pytest.mark.parametrize(
    "convert", [lambda i: i.convert("HSV"), lambda i: i.convert("YCbCr"), lambda i: i.convert("F")]
)
def test_modes_no_accepted_format_has_still_become_rgb(convert: Callable[[Image.Image], Image.Image]) -> None:
    assert normalise(convert(scene())).mode == "RGB"
