import random
import struct
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from indexer.errors import ImageRejected
from indexer.images.containers import gif_frames, sniff
from indexer.images.gate import Limits, open_checked
from indexer.images.normalise import normalise
from indexer.images.reasons import Reason
from tests.indexer.images.drawn import LIMITS, png, png_chunk, saved, scene


def refusal(content: bytes, limits: Limits = LIMITS) -> ImageRejected:
    """The rejection by the gate, or else by decoding."""
    with pytest.raises(ImageRejected) as caught:
        normalise(open_checked(content, limits))
    return caught.value


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "AVIF", "GIF"])
def test_the_five_formats_pass(image_format: str) -> None:
    content = saved(scene(), image_format)
    assert sniff(content) == image_format
    assert open_checked(content, LIMITS).size == (96, 64)


@pytest.mark.parametrize(
    ("content", "reason", "word"),
    [
        (b"", Reason.EMPTY, "empty"),
        (b"this is a shopping list\n" * 20, Reason.UNSUPPORTED_FORMAT, "is text"),
        (b"\n <!DOCTYPE html><html>404</html>", Reason.UNSUPPORTED_FORMAT, "HTML"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', Reason.UNSUPPORTED_FORMAT, "SVG"),
        (b"%PDF-1.7\n", Reason.UNSUPPORTED_FORMAT, "PDF"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", Reason.UNSUPPORTED_FORMAT, "HEIF"),
        (bytes(range(256)), Reason.UNSUPPORTED_FORMAT, "something else"),
        (saved(scene(), "BMP"), Reason.UNSUPPORTED_FORMAT, "BMP"),
        (saved(scene(), "TIFF"), Reason.UNSUPPORTED_FORMAT, "TIFF"),
        (saved(scene(), "PPM"), Reason.UNSUPPORTED_FORMAT, ""),
        (saved(scene(1, 1), "PNG"), Reason.TOO_SMALL, "1 x 1"),
        (saved(Image.new("L", (640, 20)), "PNG"), Reason.BAD_ASPECT, "640 x 20"),
        (saved(Image.new("L", (20_001, 1_100)), "PNG"), Reason.TOO_LARGE_SIDE, "20,001"),
        (b"\xff\xd8\xff\xe0<html>not a photo</html>", Reason.TRUNCATED, "JPEG"),
        (b"\xff\xd8\xff\xe0\x00\x04ab<html>not a photo</html>", Reason.DECODE_FAILED, "JPEG"),
        (b"\x89PNG\r\n\x1a\n", Reason.TRUNCATED, "PNG"),
        (b"GIF89a", Reason.DECODE_FAILED, "GIF"),
        (b"RIFF\x04\x00\x00\x00WEBP", Reason.DECODE_FAILED, "WEBP"),
    ],
)
def test_what_is_no_photo_is_named(content: bytes, reason: Reason, word: str) -> None:
    error = refusal(content)
    assert error.reason == reason
    assert word in error.detail


def test_bytes_are_counted_before_anything_else() -> None:
    limits = Limits(100, 10**6, 1000, 1, 20, 1)
    assert refusal(b"x" * 101, limits).reason == Reason.TOO_LARGE_BYTES


def test_a_bomb_of_pixels_is_refused_by_its_header() -> None:
    side = 30_000
    content = png(side, side, 8, 0, b"\0")
    assert len(content) < 100
    assert refusal(content).reason == Reason.TOO_MANY_PIXELS
    big = saved(Image.new("1", (10_000, 9_000)), "PNG")
    assert refusal(big).reason == Reason.TOO_MANY_PIXELS


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "AVIF", "GIF"])
@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9])
def test_a_cut_file_is_refused(image_format: str, kept: float) -> None:
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 255, (80, 80, 3), np.uint8))
    content = saved(noise, image_format)
    assert refusal(content[: int(len(content) * kept)]).reason in (Reason.TRUNCATED, Reason.DECODE_FAILED)


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_a_cut_file_is_called_truncated(image_format: str) -> None:
    content = saved(scene(), image_format)
    assert refusal(content[: len(content) * 2 // 3]).reason == Reason.TRUNCATED


def test_texts_and_oversized_profiles_in_a_png_are_never_inflated() -> None:
    bomb = zlib.compress(bytes(50_000_000), 9)
    rows = b"".join(b"\0" + bytes([200, 10, 30] * 32) for _ in range(32))
    text = png_chunk(b"zTXt", b"Comment\0\0" + bomb)
    profile = png_chunk(b"iCCP", b"profile\0\0" + bomb)
    image = open_checked(png(32, 32, 8, 2, rows, text, text, profile), LIMITS)
    assert normalise(image).getpixel((5, 5)) == (200, 10, 30)
    assert "icc_profile" not in image.info


def test_a_png_of_countless_chunks_is_refused() -> None:
    rows = (b"\0" + bytes(32)) * 32
    assert refusal(png(32, 32, 8, 0, rows, *[png_chunk(b"prVt", b"")] * 5000)).reason == Reason.DECODE_FAILED


@pytest.mark.parametrize(("image_format", "options"), [("GIF", {}), ("WEBP", {"lossless": True}), ("PNG", {})])
def test_animations_give_their_first_frame_and_have_a_limit(image_format: str, options: dict[str, object]) -> None:
    frames = [Image.new("RGB", (32, 32), (5 * n, 250 - 5 * n, 40)) for n in range(12)]
    content = saved(frames[0], image_format, save_all=True, append_images=frames[1:], duration=50, **options)
    first = normalise(open_checked(content, LIMITS))
    assert first.size == (32, 32)
    assert first.getpixel((10, 10)) == pytest.approx((0, 250, 40), abs=2)
    error = refusal(content, Limits(10**6, 10**6, 1000, 1, 20, 5))
    assert error.reason == Reason.TOO_MANY_FRAMES


def test_counting_gif_frames_stops_at_the_limit() -> None:
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    many = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0, 0, 0) + frame * 100_000 + b";"
    assert gif_frames(many, 500) == 501


def test_a_polyglot_is_what_its_first_bytes_say() -> None:
    photo = saved(scene(), "JPEG")
    assert open_checked(photo + b"PK\x03\x04" + b"archive" * 50, LIMITS).format == "JPEG"
    assert open_checked(saved(scene(), "PNG") + b"<script>alert(1)</script>", LIMITS).format == "PNG"


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "AVIF", "GIF"])
def test_damaged_bytes_are_refused_or_decoded_never_anything_else(image_format: str) -> None:
    original = saved(scene(), image_format)
    dice = random.Random(image_format)
    for _ in range(60):
        damaged = bytearray(original)
        for _ in range(dice.randrange(1, 12)):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        with suppress(ImageRejected):
            assert normalise(open_checked(bytes(damaged), LIMITS)).mode == "RGB"


def test_limits_come_from_the_settings_and_opening_changes_no_global_state(tmp_path: Path) -> None:
    before = Image.MAX_IMAGE_PIXELS
    assert LIMITS.max_pixels == 50_000_000
    open_checked(saved(scene(), "PNG"), LIMITS)
    assert before == Image.MAX_IMAGE_PIXELS
