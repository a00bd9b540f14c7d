"""The encoder seam: photos and words into one space of unit vectors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from indexer.domain import EncoderIdentity, Matrix, Pixels
from indexer.images.fit import Fit


@dataclass(frozen=True)
class EncoderSpec:
    """`fit` is how photos must be framed before encoding; decoding children apply it."""

    name: str
    fingerprint: str
    dim: int
    context_length: int
    fit: Fit
    precision: str
    scale: float = 100.0
    """What the model multiplies cosines with before a softmax, exp(logit_scale); CLIP's training stops it at 100."""

    @property
    def identity(self) -> EncoderIdentity:
        return EncoderIdentity(name=self.name, fingerprint=self.fingerprint, dim=self.dim)


class Encoder(Protocol):
    @property
    def spec(self) -> EncoderSpec: ...

    def encode_images(self, images: Sequence[Pixels]) -> Matrix:
        """Unit rows (n, dim), float32. Photos of another size than `spec.fit` are fitted first."""

    def encode_texts(self, texts: Sequence[str]) -> Matrix:
        """Unit rows (n, dim), float32. Longer texts are cut at the context length."""
