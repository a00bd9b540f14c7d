"""Small real implementations that tests share. No torch, no network, the same numbers on every machine."""

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from indexer.domain import Matrix, Pixels, Vector
from indexer.encoders import EncoderSpec
from indexer.images.fit import Fit

COLOURS = {
    "red": (200, 30, 30),
    "green": (30, 150, 50),
    "blue": (30, 60, 200),
    "yellow": (230, 210, 40),
    "black": (20, 20, 20),
    "white": (245, 245, 245),
}
"""The words that FakeEncoder sees in the middle of a photo, by their sRGB values."""
NOISE = 0.3
"""Length of a photo's own part beside its colour's unit vector."""


class FakeEncoder:
    """A text is the sum of its words; a photo is the word of the colour in its middle, and a little of itself.

    So `red mug` is near red photos. Another `salt` is another encoder. `texts` and `photos` count what was encoded.
    """

    def __init__(self, salt: str = "", dim: int = 64, size: int = 32, scale: float = 100.0) -> None:
        self._salt = salt
        self._dim = dim
        fingerprint = hashlib.sha256(f"fake {salt} {dim} {size}".encode()).hexdigest()
        self.spec = EncoderSpec("fake", fingerprint, dim, 77, Fit((size, size)), "fp32", scale)
        self.texts: list[str] = []
        self.photos = 0

    def encode_texts(self, texts: Sequence[str]) -> Matrix:
        self.texts += texts
        return self._rows([self._text(text) for text in texts])

    def encode_images(self, images: Sequence[Pixels]) -> Matrix:
        self.photos += len(images)
        return self._rows([self._photo(image) for image in images])

    def word(self, word: str) -> Vector:
        """The unit vector (dim,) of one word."""
        return _drawn(self._salt, word, self._dim)

    def _text(self, text: str) -> Vector:
        words = re.findall(r"\w+", text.casefold())[: self.spec.context_length]
        total: Vector = np.sum([self.word(word) for word in words or [""]], axis=0)
        return total

    def _photo(self, image: Pixels) -> Vector:
        height, width = image.shape[:2]
        middle = image[height // 4 : -(height // 4), width // 4 : -(width // 4)].mean(axis=(0, 1))
        colour = min(COLOURS, key=lambda name: float(np.abs(middle - COLOURS[name]).sum()))
        return self.word(colour) + NOISE * self.word(hashlib.sha256(image.tobytes()).hexdigest())

    def _rows(self, vectors: list[Vector]) -> Matrix:
        rows = np.array(vectors, np.float32).reshape(-1, self._dim)
        unit: Matrix = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit


@lru_cache(maxsize=10_000)
def _drawn(salt: str, word: str, dim: int) -> Vector:
    seed = hashlib.sha256(f"{salt}\0{word}".encode()).digest()
    vector = np.random.default_rng(list(seed)).standard_normal(dim).astype(np.float32)
    unit: Vector = vector / np.linalg.norm(vector)
    unit.flags.writeable = False
    return unit


class ThingEncoder(FakeEncoder):
    """To which all photos show one thing, in its colour: what is recoloured stays that thing."""

    def _photo(self, image: Pixels) -> Vector:
        return super()._photo(image) + self.word("thing")
