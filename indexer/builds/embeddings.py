"""The vectors of one encoder: looked up by content, encoded when new."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from indexer.builds.cache import EmbeddingCache
from indexer.builds.texts import TEXT_VERSION
from indexer.domain import EncoderIdentity, Matrix


class Embeddings:
    """Keys are SHA-256 digests of an image's bytes or of a text; directories are named by the fingerprint."""

    def __init__(self, home: Path, identity: EncoderIdentity, url: str | None = None, hurried: bool = False) -> None:
        """Kept in `home`, or in the directory that `url` is, or in the object storage that it names, for which who is
        `hurried` waits little.

        Raises SettingsError for a URL without a driver.
        """
        self._home = home / "embeddings"
        self._url = url
        self._hurried = hurried
        encoder = identity.fingerprint[:16]
        self.images = self._cache(f"{encoder}/images", identity.dim)
        self.texts = self._cache(f"{encoder}/texts-{TEXT_VERSION}", identity.dim)

    def of_images(self, content_hashes: Sequence[str]) -> Matrix:
        """Unit rows (n, dim) for hexadecimal content hashes. Raises KeyError for one that was never encoded."""
        return self.images.get([bytes.fromhex(content_hash) for content_hash in content_hashes])

    def of_texts(self, texts: Sequence[str]) -> Matrix:
        """Unit rows (n, dim). Raises KeyError for a text that was never encoded."""
        return self.texts.get([text_key(text) for text in texts])

    def _cache(self, name: str, dim: int) -> EmbeddingCache:
        if self._url is None:
            return EmbeddingCache(self._home / name, dim)
        if "://" not in self._url:
            return EmbeddingCache(Path(self._url) / name, dim)
        mirror = self._home / "mirrors" / hashlib.sha256(self._url.encode()).hexdigest()[:16]
        return EmbeddingCache(mirror / name, dim, f"{self._url.rstrip('/')}/{name}", self._hurried)


def text_key(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
