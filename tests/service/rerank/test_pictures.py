"""Photos as they are sent."""

from io import BytesIO

import numpy as np
from PIL import Image

from service.rerank.pictures import hash_of, jpeg_of
from tests.service.worlds import picture


def test_a_photo_becomes_a_jpeg_of_its_pixels_and_nothing_else() -> None:
    pixels = picture("red", side=96)
    with Image.open(BytesIO(jpeg_of(pixels))) as photo:
        assert (photo.format, photo.mode, photo.size) == ("JPEG", "RGB", (96, 96))
        assert not photo.getexif()
        assert set(photo.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        middle = np.asarray(photo)[48, 48].astype(int)
    assert np.abs(middle - pixels[48, 48]).max() < 10


def test_a_part_of_a_photo_that_lies_in_another_array_is_sent_too() -> None:
    part = picture("red", side=96)[::2, 10:50]
    with Image.open(BytesIO(jpeg_of(part))) as photo:
        assert photo.size == (40, 48)
    assert hash_of(part) == hash_of(part.copy())


def test_photos_are_the_same_pixel_for_pixel() -> None:
    assert hash_of(picture("red")) == hash_of(picture("red"))
    assert len({hash_of(picture("red")), hash_of(picture("red", seed=1)), hash_of(picture("blue"))}) == 3
    flat = np.zeros((2, 3, 3), np.uint8)
    assert hash_of(flat) != hash_of(flat.reshape(3, 2, 3)), "shapes count"
