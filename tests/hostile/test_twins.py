"""However a picture is saved, it is seen as its plain twin is: in catalogues and in searches alike."""

import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from indexer.domain import ImageRef
from indexer.images.decoders import DecoderPool, DecodeTask
from indexer.images.fit import Fit
from indexer.settings import ImageSettings
from service.photos import decoded_upload
from tests.indexer.images.drawn import png, png_chunk, saved, scene
from tests.indexer.images.test_normalise import TURNED, exif, swapped_profile

SPEC = Fit((16, 24), "squash")
"""A quarter of the scene's size: what codecs lose of single pixels does not count, a wrong mode or turn does."""
TOLERANCE = 2
Picture = Callable[[], Image.Image]
BEST: dict[str, dict[str, object]] = {
    "PNG": {},
    "WEBP": {"lossless": True, "exact": True},
    "JPEG": {"quality": 100, "subsampling": 0},
    "AVIF": {"quality": 100, "subsampling": "4:4:4", "speed": 10},
}


def as_channels(mode: str) -> Image.Image:
    """The scene, transparent from left to right where the mode can say so."""
    image = scene()
    image.putalpha(Image.fromarray(np.tile(np.linspace(0, 255, 96).astype(np.uint8), (64, 1))))
    return image.convert(mode)


def on_white(mode: str) -> Image.Image:
    """What viewers show of it."""
    image = as_channels(mode).convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def few_colours() -> Image.Image:
    return scene().quantize(200)


def deep(colour: int, mode: str, *extra: bytes) -> bytes:
    """A PNG of 16 bits a channel."""
    rows = np.asarray(as_channels(mode)).reshape(64, -1).astype(np.uint16) * 257
    return png(96, 64, 16, colour, b"".join(b"\0" + row.astype(">u2").tobytes() for row in rows), *extra)


def swapped() -> Image.Image:
    red, green, blue = scene().split()
    return Image.merge("RGB", (green, red, blue))


def with_hole() -> Image.Image:
    image = scene()
    image.paste((1, 2, 3), (10, 10, 40, 40))
    return image


def without_hole() -> Image.Image:
    image = scene()
    image.paste((255, 255, 255), (10, 10, 40, 40))
    return image


def animation(image_format: str) -> bytes:
    others = [Image.new("RGB", (96, 64), colour) for colour in ("red", "blue")]
    return saved(scene(), image_format, save_all=True, append_images=others, duration=50, **BEST[image_format])


def odd() -> Iterator[tuple[str, bytes, Picture]]:
    """Name, file, and the plain picture that it must be seen as."""
    for image_format, options in BEST.items():
        yield image_format, saved(scene(), image_format, **options), scene
        for orientation, turn in TURNED.items():
            content = saved(scene().transpose(turn), image_format, exif=exif(orientation), **options)
            yield f"{image_format}, orientation {orientation}", content, scene
        if image_format != "AVIF":
            content = saved(swapped(), image_format, icc_profile=swapped_profile(), **options)
            yield f"{image_format}, profile", content, scene
        if image_format != "JPEG":
            yield (
                f"{image_format}, transparent",
                saved(as_channels("RGBA"), image_format, **options),
                lambda: on_white("RGBA"),
            )
            yield f"{image_format}, animated", animation(image_format), scene
        yield (
            f"{image_format}, grey",
            saved(scene().convert("L"), image_format, **options),
            lambda: scene().convert("L"),
        )
    yield "grey with alpha", saved(as_channels("LA"), "PNG"), lambda: on_white("LA")
    yield "palette", saved(few_colours(), "PNG"), few_colours
    yield "palette of a GIF", saved(few_colours(), "GIF"), few_colours
    yield "bits", saved(scene().convert("1"), "PNG"), lambda: scene().convert("1")
    yield "a transparent colour", saved(with_hole(), "PNG", transparency=(1, 2, 3)), without_hole
    yield "16 bits of grey", deep(0, "L"), lambda: scene().convert("L")
    yield "16 bits of colour", deep(2, "RGB"), scene
    yield "16 bits of grey and alpha", deep(4, "LA"), lambda: on_white("LA")
    yield "16 bits of colour and alpha", deep(6, "RGBA"), lambda: on_white("RGBA")
    yield "gamma", png_with(png_chunk(b"gAMA", struct.pack(">I", 45_455))), scene
    yield "CMYK", saved(scene().convert("CMYK"), "JPEG", **BEST["JPEG"]), scene
    yield "progressive", saved(scene(), "JPEG", progressive=True, **BEST["JPEG"]), scene
    yield (
        "followed by another",
        saved(scene(), "JPEG", **BEST["JPEG"]) + saved(Image.new("RGB", (96, 64)), "JPEG"),
        scene,
    )


def png_with(chunk: bytes) -> bytes:
    rows = np.asarray(scene()).reshape(64, -1)
    return png(96, 64, 8, 2, b"".join(b"\0" + row.tobytes() for row in rows), chunk)


@pytest.fixture(scope="module")
def decoders() -> Iterator[DecoderPool]:
    with DecoderPool.of(ImageSettings(decoders=1)) as pool:
        yield pool


@pytest.mark.parametrize(("content", "plain"), [pytest.param(*rest, id=name) for name, *rest in odd()])
def test_it_is_seen_as_its_plain_twin(decoders: DecoderPool, tmp_path: Path, content: bytes, plain: Picture) -> None:
    (tmp_path / "odd").write_bytes(content)
    (tmp_path / "twin.png").write_bytes(saved(plain().convert("RGB"), "PNG"))
    wanted = decoders.decode(DecodeTask(ImageRef("twin.png"), SPEC, tmp_path)).pixels.astype(int)
    indexed = decoders.decode(DecodeTask(ImageRef("odd"), SPEC, tmp_path)).pixels
    uploaded = decoded_upload(decoders, content, SPEC).pixels
    assert np.abs(indexed - wanted).max() <= TOLERANCE
    np.testing.assert_array_equal(uploaded, indexed)
