"""Shoppers' photos, kept for the pages of their results: small, nameless, and for minutes."""

import os
import re
import secrets
import stat
import time
from collections.abc import Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from threading import Lock, Timer
from typing import Final

from fastapi import Request
from PIL import Image

from indexer.errors import PhotoGone, UnavailableError
from indexer.images.decoders import DecoderPool
from indexer.images.fit import Fit
from service.photos import decoded_upload
from service.web.site import shop_of
from service.web.window.address import PHOTO_ID
from service.web.words import marked

FOLDER: Final = "page-photos"
SIDE: Final = 1024
"""Longest side of what is kept, in pixels: encoders look at a quarter of it, whoever draws at all of it."""
MOST_PHOTOS: Final = 2_000
MOST_BYTES: Final = 256 << 20
_QUALITY: Final = 90
_EFFORT: Final = 2
"""WebP's `method`: the higher ones take twice as long for a twentieth of the bytes."""
_KEPT: Final = re.compile(r"[\w-]{22}\.webp(\.tmp)?", re.ASCII)
"""Whatever else lies there is somebody else's, and stays."""


class PhotoShelf:
    """Thread-safe, and safe beside other processes on the same folder.

    A photo is kept until nobody has looked at it for `minutes`, even if nobody comes any more; when there are too many,
    those looked at longest ago go first.
    """

    def __init__(self, folder: Path, decoders: DecoderPool, minutes: int, most: int = MOST_PHOTOS) -> None:
        self._folder = folder
        self._decoders = decoders
        self._seconds = minutes * 60
        self._most = most
        self._lock = Lock()
        self._timer: Timer | None = None
        self._sweep()

    def put(self, photo: bytes) -> str:
        """The photo's id, which nobody can guess. Nothing of the file is kept but what it shows.

        Raises ImageRejected, in words for shoppers, and UnavailableError where nothing can be written.
        """
        pixels = decoded_upload(self._decoders, photo, Fit((SIDE, SIDE), "within")).pixels
        encoded = BytesIO()
        Image.fromarray(pixels).save(encoded, "WEBP", quality=_QUALITY, method=_EFFORT)
        photo_id = secrets.token_urlsafe(16)
        try:
            self._write(photo_id, encoded.getvalue())
        except OSError as error:
            raise UnavailableError(f"Photos cannot be kept at the moment: {error.strerror}.") from error
        self._sweep()
        return photo_id

    def get(self, photo_id: str) -> bytes:
        """The photo as WebP. Raises PhotoGone, also for what is no id."""
        path = self._path(photo_id)
        try:
            content = path.read_bytes()
            if time.time() - path.stat().st_mtime > self._seconds:
                raise _gone()
            os.utime(path)
        except FileNotFoundError as error:
            raise _gone() from error
        return content

    def size(self, photo_id: str) -> tuple[int, int]:
        """(width, height) in pixels. Raises PhotoGone."""
        with Image.open(BytesIO(self.get(photo_id)), formats=["WEBP"]) as image:
            return image.size

    def _path(self, photo_id: str) -> Path:
        if not PHOTO_ID.fullmatch(photo_id):
            raise _gone()
        return self._folder / f"{photo_id}.webp"

    def _write(self, photo_id: str, content: bytes) -> None:
        """A reader finds the whole of it; nobody but this user can read it."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._path(photo_id)
        temporary = path.with_name(f"{path.name}.tmp")
        with open(temporary, "xb", opener=_for_us_alone) as file:
            file.write(content)
        temporary.replace(path)

    def _sweep(self) -> None:
        """Delete what has had its time and what is too much; again when the next has had its."""
        with self._lock:
            oldest_first = _kept(self._folder)
            size, number = sum(one.st_size for _, one in oldest_first), len(oldest_first)
            left = []
            for path, one in oldest_first:
                late = time.time() - one.st_mtime > self._seconds
                if late or number > self._most or size > MOST_BYTES:
                    path.unlink(missing_ok=True)
                    size, number = size - one.st_size, number - 1
                else:
                    left.append(one.st_mtime)
            if left and (self._timer is None or not self._timer.is_alive()):
                self._timer = Timer(max(left[0] + self._seconds - time.time(), 0) + 1, self._sweep_later)
                self._timer.daemon = True
                self._timer.start()

    def _sweep_later(self) -> None:
        with self._lock:
            self._timer = None
        self._sweep()


def shelf_of(request: Request) -> PhotoShelf:
    """The application's, opened with the first photo or page that needs it."""
    state = request.app.state
    if not hasattr(state, "photo_shelf"):
        shop = shop_of(request)
        state.photo_shelf = PhotoShelf(shop.settings.home / FOLDER, shop.decoders, shop.settings.pages.photo_minutes)
    shelf: PhotoShelf = state.photo_shelf
    return shelf


def _kept(folder: Path) -> Sequence[tuple[Path, os.stat_result]]:
    """Files of ours, those looked at longest ago first."""
    found = []
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):  # another process has just deleted it
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode) and _KEPT.fullmatch(entry.name):
                    found.append((Path(entry.path), status))
    return sorted(found, key=lambda one: one[1].st_mtime)


def _for_us_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _gone() -> PhotoGone:
    return PhotoGone(marked("The photo is not kept any more; choose it again."))
