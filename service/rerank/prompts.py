"""Vectors of prompts that builds encoded, read from their cache instead of being encoded again."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from indexer.builds.embeddings import Embeddings
from indexer.domain import EncoderIdentity, Matrix
from indexer.errors import StoreMismatch, StoreUnavailable

PATIENCE: Final = 0.2
"""Seconds that are waited for what is in the cache."""


class CachedPrompts:
    """Thread-safe. A cache in object storage is left alone, and one that a build holds on to is not waited for."""

    def __init__(self, home: Path, url: str | None = None) -> None:
        self._home = home
        self._url = url
        self._remote = url is not None and "://" in url
        self._reading = ThreadPoolExecutor(1, "prompts")
        self._opened: dict[str, Embeddings] = {}

    def of(self, encoder: EncoderIdentity, prompts: Sequence[str]) -> Matrix | None:
        """Unit rows (n, dim); None unless all are there."""
        if self._remote:
            return None
        read = self._reading.submit(self._read, encoder, prompts)
        try:
            return read.result(PATIENCE)
        except (KeyError, StoreMismatch, StoreUnavailable):
            return None
        except TimeoutError:
            read.cancel()
            return None

    def _read(self, encoder: EncoderIdentity, prompts: Sequence[str]) -> Matrix:
        opened = self._opened.get(encoder.fingerprint)
        if opened is None:
            opened = self._opened[encoder.fingerprint] = Embeddings(self._home, encoder, self._url)
        return opened.of_texts(prompts)
