"""The vectors of one encoder: looked up by content, encoded when new."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from indexer.builds.cache import EmbeddingCache
from indexer.builds.texts import TEXT_VERSION
from indexer.domain import EncoderIdentity, Matrix


class Embeddings:
    """Keys are SHA-256 digests of an image's bytes or of a text; directories are named by the fingerprint."""

    def __init__(self, home: Path, identity: EncoderIdentity) -> None:
        directory = home / "embeddings" / identity.fingerprint[:16]
        self.images = EmbeddingCache(directory / "images", identity.dim)
        self.texts = EmbeddingCache(directory / f"texts-{TEXT_VERSION}", identity.dim)

    def of_images(self, content_hashes: Sequence[str]) -> Matrix:
        """Unit rows (n, dim) for hexadecimal content hashes. Raises KeyError for one that was never encoded."""
        return self.images.get([bytes.fromhex(content_hash) for content_hash in content_hashes])

    def of_texts(self, texts: Sequence[str]) -> Matrix:
        """Unit rows (n, dim). Raises KeyError for a text that was never encoded."""
        return self.texts.get([text_key(text) for text in texts])


def text_key(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
