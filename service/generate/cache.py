"""Pictures that were drawn, as PNG files that carry how they came about, named by the digest of their recipe.

A directory of this machine, or a folder of an object store, that several processes may share. Nothing in it is trusted:
a file that is too large, damaged or of another recipe is as good as none.
"""

import json
import logging
import os
import re
import secrets
import stat
import struct
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Final

import numpy as np
from PIL import Image

from indexer.breaker import Breaker
from indexer.domain import Pixels
from indexer.errors import SettingsError, SourceError
from indexer.images.gate import DECODER_ERRORS
from indexer.places import Held, Place, Remote, why
from service.generate.bucket import Bucket
from service.generate.seam import Generated, Provenance

_KEY: Final = "vitrine"
"""Keyword of the iTXt chunk with the provenance."""
_ID: Final = re.compile(r"[0-9a-f]{64}")
_PICTURE: Final = re.compile(r"[0-9a-f]{64}\.png")
_LEFTOVER: Final = re.compile(r"[0-9a-f]{64}\.png\.[0-9a-f]+\.tmp")
"""Whatever else lies there is somebody else's, and stays."""
_HOUR: Final = 3600.0
_MOST_BYTES: Final = 64 << 20
_MOST_SIDE: Final = 4096
_MOST_TOLD: Final = 200_000
"""Characters of a provenance."""
_QUICK: Final = 1
"""zlib's level: the others take several times as long for a tenth of the bytes."""
_HEADER: Final = struct.Struct(">8s4x4sII")
"""Signature, and of the first chunk its name, width and height."""

_UNUSABLE: Final = (OSError, SettingsError, SourceError)
"""What a place raises that cannot be read or written; the last two where nothing is installed that opens it."""

_log = logging.getLogger(__name__)


class ImageCache:
    """Of at most `limit_bytes`: then those used longest ago are deleted; in an object store, which does not remember
    use, those written longest ago. Thread-safe, and safe beside other processes.

    A place that cannot be read or written is one that holds nothing: it is logged, and never raised.
    """

    def __init__(self, place: Place, limit_bytes: int, breaker: Breaker | None = None) -> None:
        """`breaker` is for an object store."""
        self._place = place
        self._shelf = Bucket(place, breaker) if isinstance(place, Remote) else _Folder(place)
        self._limit = limit_bytes
        self._trimming = Lock()

    def get(self, recipe_id: str) -> Generated | None:
        """None where there is none, or no sound one, and for what is no id."""
        if not _ID.fullmatch(recipe_id):
            return None
        try:
            content = self._shelf.read(f"{recipe_id}.png", _MOST_BYTES + 1)
        except FileNotFoundError:
            return None
        except _UNUSABLE as error:
            _log.warning("Pictures in %s cannot be read: %s", self._place, why(error))
            return None
        try:
            return _decoded(content, recipe_id)
        except DECODER_ERRORS as error:
            _log.warning("The picture %s in %s is no good: %s", recipe_id, self._place, why(error))
            return None

    def put(self, picture: Generated) -> None:
        """Replaces one of the same recipe; one that alone is larger than the cache is not kept."""
        content = encoded(picture)
        if len(content) > min(self._limit, _MOST_BYTES):
            _log.warning("The picture %s of %d bytes is too large to be kept.", picture.id, len(content))
            return
        try:
            self._shelf.write(f"{picture.id}.png", content)
            with self._trimming:
                self._trim()
        except _UNUSABLE as error:
            _log.warning("The picture %s is not kept in %s: %s", picture.id, self._place, why(error))

    def close(self) -> None:
        self._shelf.close()

    def _trim(self) -> None:
        held = self._shelf.files()
        for leftover in held:
            if _LEFTOVER.fullmatch(leftover.name) and time.time() - leftover.changed > _HOUR:
                with suppress(OSError):
                    self._shelf.remove(leftover.name)
        pictures = sorted((one for one in held if _PICTURE.fullmatch(one.name)), key=lambda one: one.changed)
        size = sum(one.size for one in pictures)
        for oldest in pictures:
            if size <= self._limit:
                return
            with suppress(OSError):  # it stays, and the next goes in its place
                self._shelf.remove(oldest.name)
                size -= oldest.size
        if size > self._limit:
            _log.warning("%s is larger than it may be, for what is there cannot be removed.", self._place)


class _Folder:
    """A directory; reading a file marks it as used."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def close(self) -> None:
        pass

    def read(self, name: str, most: int) -> bytes:
        with open(self._path / name, "rb", opener=_at_once) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise OSError(f"{name} is no file")
            content = file.read(most)
        with suppress(OSError):  # in a read-only directory nothing is deleted either
            os.utime(self._path / name)
        return content

    def write(self, name: str, content: bytes) -> None:
        self._path.mkdir(parents=True, exist_ok=True)
        temporary = self._path / f"{name}.{secrets.token_hex(4)}.tmp"
        try:
            temporary.write_bytes(content)
            temporary.replace(self._path / name)
        finally:
            temporary.unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        (self._path / name).unlink(missing_ok=True)

    def files(self) -> Sequence[Held]:
        found = []
        with os.scandir(self._path) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):  # another process has just deleted it
                    status = entry.stat(follow_symlinks=False)
                    if stat.S_ISREG(status.st_mode):
                        found.append(Held(entry.name, status.st_size, status.st_mtime))
        return found


def _at_once(path: str, flags: int) -> int:
    """Opens without waiting for whoever writes into a pipe."""
    return os.open(path, flags | os.O_NONBLOCK)


def encoded(picture: Generated) -> bytes:
    """As a PNG file that carries its provenance."""
    from PIL.PngImagePlugin import PngInfo

    told = PngInfo()
    told.add_itxt(_KEY, json.dumps(picture.provenance.model_dump(mode="json")))
    stream = BytesIO()
    Image.fromarray(picture.pixels).save(stream, "PNG", pnginfo=told, compress_level=_QUICK)
    return stream.getvalue()


def _decoded(content: bytes, recipe_id: str) -> Generated:
    """Raises DECODER_ERRORS for whatever is not a picture of that recipe; pixels are decoded last."""
    _check_header(content)
    with Image.open(BytesIO(content), formats=["PNG"]) as image:
        provenance = _provenance(image.info)
        if provenance.recipe.id != recipe_id:
            raise ValueError("it is of another recipe")
        if image.mode != "RGB" or getattr(image, "is_animated", False):
            raise ValueError("it is no plain RGB picture")
        pixels: Pixels = np.array(image)
    return Generated(pixels, provenance)


def _check_header(content: bytes) -> None:
    if len(content) > _MOST_BYTES:
        raise ValueError("the file is too large")
    signature, name, width, height = _HEADER.unpack_from(content)
    if signature != b"\x89PNG\r\n\x1a\n" or name != b"IHDR" or not 0 < max(width, height) <= _MOST_SIDE:
        raise ValueError("its header is not that of a picture of ours")


def _provenance(info: Mapping[str | tuple[int, int], object]) -> Provenance:
    told = info.get(_KEY)
    if not isinstance(told, str) or len(told) > _MOST_TOLD:
        raise ValueError("it does not say how it came about")
    return Provenance.model_validate_json(told)
