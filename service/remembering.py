"""Words and photos that are asked again are not encoded again."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np

from indexer.domain import Matrix, Pixels, Vector
from indexer.encoders import Encoder, EncoderSpec
from service.deadline import Deadline, hurried

What = Literal["text", "photo"]
Counted = Callable[[What, int, int], None]
"""Called for each call of the encoder with what was asked for, how many vectors were remembered and how many not."""

Item = TypeVar("Item")

_DIGEST_BYTES = 16
"""Two of a million million million queries would share a key by chance."""


class RememberingEncoder:
    """An Encoder in front of another one that keeps the `size` vectors used last. Thread-safe.

    Texts are the same when they are so letter for letter, photos when they are so pixel for pixel. Who asks at the same
    time for what is not remembered yet has it encoded twice, and nobody waits for another's call.
    """

    def __init__(self, inner: Encoder, size: int, counted: Counted) -> None:
        self._inner = inner
        self._size = size
        self._counted = counted
        self._lock = threading.Lock()
        self._vectors: OrderedDict[bytes, Vector] = OrderedDict()
        """By what they are of, the one used last at the end."""

    @property
    def spec(self) -> EncoderSpec:
        return self._inner.spec

    def encode_texts(self, texts: Sequence[str]) -> Matrix:
        return self.texts_by(self._inner, texts)

    def encode_images(self, images: Sequence[Pixels]) -> Matrix:
        return self.images_by(self._inner, images)

    def until(self, deadline: Deadline) -> Encoder:
        return _Until(self, hurried(self._inner, deadline))

    def texts_by(self, inner: Encoder, texts: Sequence[str]) -> Matrix:
        return self._remembered("text", texts, [_text_key(text) for text in texts], inner.encode_texts)

    def images_by(self, inner: Encoder, images: Sequence[Pixels]) -> Matrix:
        return self._remembered("photo", images, [_photo_key(image) for image in images], inner.encode_images)

    def _remembered(
        self, what: What, items: Sequence[Item], keys: Sequence[bytes], encode: Callable[[Sequence[Item]], Matrix]
    ) -> Matrix:
        if not items:
            return encode(items)
        found = self._known(keys)
        missing = {key: item for key, item in zip(keys, items, strict=True) if key not in found}
        self._counted(what, len(keys) - len(missing), len(missing))
        if missing:
            rows = encode(list(missing.values()))
            # Copied, because a view would keep the whole batch in memory.
            fresh = {key: row.copy() for key, row in zip(missing, rows, strict=True)}
            self._keep(fresh)
            found |= fresh
        return np.stack([found[key] for key in keys])

    def _known(self, keys: Sequence[bytes]) -> dict[bytes, Vector]:
        with self._lock:
            known = {key: self._vectors[key] for key in keys if key in self._vectors}
            for key in known:
                self._vectors.move_to_end(key)
            return known

    def _keep(self, vectors: dict[bytes, Vector]) -> None:
        with self._lock:
            self._vectors.update(vectors)
            while len(self._vectors) > self._size:
                self._vectors.popitem(last=False)


@dataclass(frozen=True)
class _Until:
    """The remembering encoder as one request sees it: what is not remembered, its own `inner` encodes."""

    remembering: RememberingEncoder
    inner: Encoder

    @property
    def spec(self) -> EncoderSpec:
        return self.inner.spec

    def encode_texts(self, texts: Sequence[str]) -> Matrix:
        return self.remembering.texts_by(self.inner, texts)

    def encode_images(self, images: Sequence[Pixels]) -> Matrix:
        return self.remembering.images_by(self.inner, images)


def _text_key(text: str) -> bytes:
    """Halves of surrogate pairs are no text, and yet somebody sends them."""
    return b"t" + hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).digest()


def _photo_key(photo: Pixels) -> bytes:
    digest = hashlib.blake2b(repr(photo.shape).encode(), digest_size=_DIGEST_BYTES)
    digest.update(np.ascontiguousarray(photo).data)
    return b"p" + digest.digest()
