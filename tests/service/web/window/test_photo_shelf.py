"""Shoppers' photos between their upload and their results."""

import os
import stat
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from indexer.errors import ImageRejected, PhotoGone
from indexer.images.decoders import DecoderPool
from service.web.window.photo_shelf import PhotoShelf
from tests.service.worlds import IMAGES, photo_of

MINUTES = 30


@pytest.fixture(scope="module")
def decoders() -> Iterator[DecoderPool]:
    with DecoderPool.of(IMAGES) as decoders:
        yield decoders


@pytest.fixture
def shelf(decoders: DecoderPool, tmp_path: Path) -> PhotoShelf:
    return PhotoShelf(tmp_path / "photos", decoders, MINUTES)


def jpeg_of(width: int, height: int) -> bytes:
    """With a place and a camera told in it."""
    pixels = np.random.default_rng(0).integers(0, 255, (height // 8, width // 8, 3), np.uint8)
    image = Image.fromarray(pixels).resize((width, height))
    exif = Image.Exif()
    exif[0x010F] = "A camera of somebody's"
    file = BytesIO()
    image.save(file, "JPEG", exif=exif)
    return file.getvalue()


def aged(folder: Path, photo_id: str, minutes: float) -> None:
    then = time.time() - minutes * 60
    os.utime(folder / f"{photo_id}.webp", (then, then))


def test_a_photo_is_kept_small_and_says_nothing_of_where_it_is_from(shelf: PhotoShelf, tmp_path: Path) -> None:
    photo_id = shelf.put(jpeg_of(2000, 1200))
    kept = shelf.get(photo_id)
    with Image.open(BytesIO(kept)) as image:
        assert (image.format, image.size) == ("WEBP", (1024, 614))
        assert not image.getexif()
    assert b"camera" not in kept
    assert shelf.size(photo_id) == (1024, 614)
    file = next((tmp_path / "photos").iterdir())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_small_photos_keep_their_size_and_two_of_the_same_have_two_ids(shelf: PhotoShelf) -> None:
    first, second = shelf.put(photo_of("red")), shelf.put(photo_of("red"))
    assert first != second
    assert len(first) == 22
    assert shelf.size(first) == (64, 64)


@pytest.mark.parametrize("content", [b"", b"<svg onload=alert(1)>", photo_of("red")[:200]])
def test_what_is_no_photo_is_refused_and_leaves_nothing(shelf: PhotoShelf, tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ImageRejected, match="The photo is refused"):
        shelf.put(content)
    assert not (tmp_path / "photos").exists()


@pytest.mark.parametrize("photo_id", ["", "a" * 22, "../../../../etc/passwd", "a" * 22 + "\n", "ä" * 22, "x" * 3000])
def test_what_is_no_id_of_a_photo_is_gone(shelf: PhotoShelf, photo_id: str) -> None:
    with pytest.raises(PhotoGone, match="choose it again"):
        shelf.get(photo_id)


def test_a_photo_is_gone_when_nobody_has_looked_at_it_for_its_minutes(shelf: PhotoShelf, tmp_path: Path) -> None:
    photo_id = shelf.put(photo_of("red"))
    aged(tmp_path / "photos", photo_id, MINUTES - 1)
    shelf.get(photo_id)
    aged(tmp_path / "photos", photo_id, MINUTES + 1)
    with pytest.raises(PhotoGone):
        shelf.get(photo_id)


def test_old_photos_go_with_the_next_one_and_at_the_next_start(decoders: DecoderPool, tmp_path: Path) -> None:
    shelf = PhotoShelf(tmp_path, decoders, MINUTES)
    (tmp_path / "notes.txt").write_text("not a photo of ours")
    first = shelf.put(photo_of("red"))
    aged(tmp_path, first, MINUTES + 1)
    second = shelf.put(photo_of("blue"))
    assert {one.name for one in tmp_path.iterdir()} == {"notes.txt", f"{second}.webp"}
    aged(tmp_path, second, MINUTES + 1)
    PhotoShelf(tmp_path, decoders, MINUTES)
    assert {one.name for one in tmp_path.iterdir()} == {"notes.txt"}


def test_when_there_are_too_many_those_looked_at_longest_ago_go(decoders: DecoderPool, tmp_path: Path) -> None:
    shelf = PhotoShelf(tmp_path, decoders, MINUTES, most=2)
    first, second = shelf.put(photo_of("red")), shelf.put(photo_of("blue"))
    aged(tmp_path, second, 1)
    third = shelf.put(photo_of("green"))
    assert shelf.size(first) == shelf.size(third) == (64, 64)
    with pytest.raises(PhotoGone):
        shelf.get(second)
