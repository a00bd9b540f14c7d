"""Vectors of prompts that builds encoded, read from their cache instead of being encoded again."""

import threading
from collections.abc import Sequence
from pathlib import Path

from indexer.builds.embeddings import Embeddings
from indexer.domain import EncoderIdentity, Matrix
from indexer.errors import StoreMismatch, StoreUnavailable


class CachedPrompts:
    """Thread-safe. A cache in object storage is left alone: searches do not wait for that."""

    def __init__(self, home: Path, url: str | None = None) -> None:
        self._home = home
        self._url = url
        self._remote = url is not None and "://" in url
        self._lock = threading.Lock()
        self._opened: dict[str, Embeddings] = {}

    def of(self, encoder: EncoderIdentity, prompts: Sequence[str]) -> Matrix | None:
        """Unit rows (n, dim); None unless all are there."""
        if self._remote:
            return None
        with self._lock:
            opened = self._opened.get(encoder.fingerprint)
            if opened is None:
                opened = self._opened[encoder.fingerprint] = Embeddings(self._home, encoder, self._url)
            try:
                return opened.of_texts(prompts)
            except (KeyError, StoreMismatch, StoreUnavailable):
                return None
