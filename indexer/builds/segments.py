"""The file format of cached embeddings: immutable safetensors files of keys and vectors, read as mapped pages."""

import json
import os
import secrets
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from indexer.errors import StoreMismatch, StoreUnavailable

KEY_BYTES = 32
"""Length of a SHA-256 digest."""
SUFFIX = ".safetensors"
LEFTOVER = ".tmp"

Keys = npt.NDArray[np.uint8]
"""Shape (n, KEY_BYTES)."""
Halves = npt.NDArray[np.float16]
"""Shape (n, dim)."""


class Segment:
    """One file. The keys are checked when it is opened, the vectors, of which there is far more, when first asked for.

    Raises StoreMismatch, naming the file, when it is damaged or its vectors have another length.
    """

    def __init__(self, path: Path, dim: int) -> None:
        self._path = path
        self.bytes = path.stat().st_size
        try:
            with safe_open(path, framework="numpy") as file:
                *of_keys, self._checksum = (file.metadata() or {}).get("checksum", "").split(" ")
            self.keys, self._vectors = _mapped(path)
        except (SafetensorError, OSError, ValueError, KeyError) as error:
            raise self._damage() from error
        if self._vectors.shape != (len(self.keys), dim) or of_keys not in ([], [str(_checksum(self.keys))]):
            raise self._damage()
        self._checked = False
        if not of_keys:  # written when one checksum was of both
            self._check()

    @property
    def vectors(self) -> Halves:
        if not self._checked:
            self._check()
        return self._vectors

    def _check(self) -> None:
        if self._checksum != str(_checksum(self._vectors, _checksum(self.keys))):
            raise self._damage()
        self._checked = True

    def _damage(self) -> StoreMismatch:
        return StoreMismatch(
            f"The embedding cache segment {self._path} is damaged or not of this encoder; delete it, "
            "the next build encodes its items again."
        )


def segment_bytes(keys: Keys, vectors: Halves) -> bytes:
    """The content of a file: the same for the same rows."""
    of_keys = _checksum(keys)
    metadata = {"checksum": f"{of_keys} {_checksum(vectors, of_keys)}"}
    return save({"keys": keys, "vectors": vectors}, metadata)


def write_whole(path: Path, content: bytes) -> None:
    """The file appears whole or not at all; its name is durable once its directory is. Raises OSError."""
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}{LEFTOVER}")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
    finally:
        temporary.unlink(missing_ok=True)


def unwritable(directory: Path, error: OSError) -> StoreUnavailable:
    """The error to raise."""
    return StoreUnavailable(
        f"The embedding cache cannot write in {directory}: {error.strerror or error}. "
        "Nothing that it holds is lost: make room or permit it, then build again."
    )


def _checksum(part: npt.NDArray[np.uint8] | Halves, before: int = 0) -> int:
    return zlib.crc32(np.ascontiguousarray(part).data, before)


def _mapped(path: Path) -> tuple[Keys, Halves]:
    """Both tensors as pages of the file; safetensors' own numpy reader copies them into memory.

    A file is the header's length (8 bytes, little endian), the header (JSON), and the tensors.
    """
    pages = np.asarray(np.memmap(path, np.uint8, "r"))
    start = 8 + int.from_bytes(pages[:8].tobytes(), "little")
    header = json.loads(pages[8:start].tobytes())

    def tensor(name: str) -> Keys:
        begin, end = header[name]["data_offsets"]
        return pages[start + begin : start + end]

    keys, vectors = tensor("keys").reshape(-1, KEY_BYTES), tensor("vectors").view(np.float16)
    return keys, vectors.reshape(header["vectors"]["shape"])
