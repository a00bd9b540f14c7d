"""Vectors that ship with a data set, in one safetensors file beside the suite.

| tensor | shape | what |
|---|---|---|
| `products` | (n, 32) uint8 | SHA-256 of the product ids, in the order of the catalogue |
| `image`, `text` | (n, dim) float16 | unit rows; a row of zeros where the product lacks it |
| `queries` | (m, 32) uint8 | SHA-256 of the queries' words |
| `words` | (m, dim) float16 | unit rows |

It is written row by row through a memory map, as the library's own writer needs all of it in memory; the layout of
such a file is eight bytes with the length of a JSON header, the header, and the tensors one after the other
(https://github.com/huggingface/safetensors#format).
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

from eval.errors import SuiteError
from eval.suites.loaders.loaded import ShippedVectors
from indexer.builds.embeddings import text_key
from indexer.builds.segments import KEY_BYTES
from indexer.domain import Matrix, Vector

VECTORS = "vectors.safetensors"

Shapes = Mapping[str, tuple[str, tuple[int, int]]]
_TYPES: Mapping[str, "np.dtype[Any]"] = {"U8": np.dtype(np.uint8), "F16": np.dtype(np.float16)}

_OPEN: Any = safe_open
"""The library has no types for what it opens."""


def query_key(words: str) -> bytes:
    """What a query's vector is found by; white space is as the search has it."""
    return text_key(" ".join(words.split()))


def write_vectors(path: Path, shipped: ShippedVectors, rows: Mapping[str, int]) -> tuple[int, int]:
    """How many products got a vector of their photo, and of their text; `rows` maps product → row of the catalogue.

    Vectors of products that the catalogue does not have are passed over. The file appears whole or not at all.
    """
    shapes = {
        "products": ("U8", (len(rows), KEY_BYTES)),
        "image": ("F16", (len(rows), shipped.dim)),
        "text": ("F16", (len(rows), shipped.dim)),
        "queries": ("U8", (len(shipped.queries), KEY_BYTES)),
        "words": ("F16", (len(shipped.queries), shipped.dim)),
    }
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as temporary:
        try:
            parts = _laid_out(Path(temporary.name), shapes, {"encoder": shipped.encoder})
            for product, row in rows.items():
                parts["products"][row] = np.frombuffer(text_key(product), np.uint8)
            for row, (words, vector) in enumerate(shipped.queries.items()):
                parts["queries"][row] = np.frombuffer(query_key(words), np.uint8)
                parts["words"][row] = _unit(vector, shipped.dim, f"query {words!r}")
            counts = _products(parts, shipped, rows)
            for part in parts.values():
                part.flush()
            os.replace(temporary.name, path)
        except BaseException:
            os.unlink(temporary.name)
            raise
    return counts


class VectorFile:
    """Such a file opened; rows are read when asked for. Raises SuiteError for what is no such file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = _OPEN(path, framework="numpy")
            self.encoder: str = self._file.metadata()["encoder"]
            self._parts = {name: self._file.get_slice(name) for name in ("products", "image", "text")}
            self.keys: npt.NDArray[np.uint8] = self._file.get_tensor("products")
            self.queries = [row.tobytes() for row in self._file.get_tensor("queries")]
            self.words: Matrix = _units(self._file.get_tensor("words"))
        except (OSError, SafetensorError, KeyError, TypeError) as error:
            raise SuiteError(f"{path} holds no vectors of a suite ({error}); import the data set again.") from error
        self.dim = int(self.words.shape[1])

    def fingerprint(self) -> str:
        """SHA-256 of the file, 64 hex digits."""
        with self._path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    def rows(self, channel: str, start: int, end: int) -> Matrix:
        """Unit rows of `image` or `text`, float32; zeros where a product lacks it."""
        return _units(self._parts[channel][start:end])


def _laid_out(path: Path, shapes: Shapes, metadata: Mapping[str, str]) -> dict[str, Any]:
    """The file with its header and room for the tensors, each as a writable memory map."""
    header: dict[str, object] = {"__metadata__": dict(metadata)}
    places, end = dict[str, int](), 0
    for name, (kind, (height, width)) in shapes.items():
        places[name], end = end, end + height * width * _TYPES[kind].itemsize
        header[name] = {"dtype": kind, "shape": (height, width), "data_offsets": (places[name], end)}
    spelled = json.dumps(header).encode()
    spelled += b" " * (-len(spelled) % 8)
    start = 8 + len(spelled)
    with path.open("wb") as file:
        file.write(len(spelled).to_bytes(8, "little") + spelled)
        file.truncate(start + end)
    return {
        name: np.memmap(path, _TYPES[kind], "r+", start + places[name], shape) for name, (kind, shape) in shapes.items()
    }


def _products(parts: Mapping[str, Any], shipped: ShippedVectors, rows: Mapping[str, int]) -> tuple[int, int]:
    pictured = described = 0
    for product, image, text in shipped.products:
        row = rows.get(product)
        if row is None:
            continue
        if image is not None:
            parts["image"][row] = _unit(image, shipped.dim, f"product {product}")
            pictured += 1
        if text is not None:
            parts["text"][row] = _unit(text, shipped.dim, f"product {product}")
            described += 1
    return pictured, described


def _unit(vector: Vector, dim: int, whose: str) -> Vector:
    length = float(np.linalg.norm(vector))
    if vector.shape != (dim,) or not np.isfinite(length) or length == 0:
        raise SuiteError(f"The vector of {whose} is not {dim} numbers with a length above 0.")
    unit: Vector = vector / np.float32(length)
    return unit


def _units(rows: npt.NDArray[np.float16]) -> Matrix:
    """float32, of unit length again after the rounding; zeros stay zeros."""
    found = rows.astype(np.float32)
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    units: Matrix = np.divide(found, lengths, out=found, where=lengths > 0)
    return units
