"""Query vectors that are computed once: a second run, or one of another setting, encodes nothing."""

from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import numpy as np

from indexer.builds.cache import EmbeddingCache
from indexer.builds.embeddings import text_key
from indexer.domain import Matrix, Pixels
from indexer.encoders import Encoder, EncoderSpec

Item = TypeVar("Item", str, Pixels)


class RememberingEncoder:
    """An Encoder in front of another one, with a cache on disk that belongs to the inner one's fingerprint.

    Vectors come back from fp16, as those of products do.
    """

    def __init__(self, inner: Encoder, home: Path, batch: int = 64) -> None:
        directory = home / "eval" / "vectors" / inner.spec.fingerprint[:16]
        self._inner, self._batch = inner, batch
        self._texts = EmbeddingCache(directory / "texts", inner.spec.dim)
        self._images = EmbeddingCache(directory / "images", inner.spec.dim)

    @property
    def spec(self) -> EncoderSpec:
        return self._inner.spec

    def encode_texts(self, texts: Sequence[str]) -> Matrix:
        return self._remembered(self._texts, texts, text_key, self._inner.encode_texts)

    def encode_images(self, images: Sequence[Pixels]) -> Matrix:
        return self._remembered(self._images, images, _image_key, self._inner.encode_images)

    def _remembered(
        self,
        cache: EmbeddingCache,
        items: Sequence[Item],
        key_of: Callable[[Item], bytes],
        encode: Callable[[Sequence[Item]], Matrix],
    ) -> Matrix:
        keys = [key_of(item) for item in items]
        of_key = dict(zip(keys, items, strict=True))
        missing = cache.missing(keys)
        for start in range(0, len(missing), self._batch):
            batch = missing[start : start + self._batch]
            cache.put(batch, encode([of_key[key] for key in batch]))
        return cache.get(keys)


def _image_key(image: Pixels) -> bytes:
    return sha256(repr(image.shape).encode() + np.ascontiguousarray(image).tobytes()).digest()
