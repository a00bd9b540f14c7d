"""What embeddings are kept in, open for the products that are put into a published build."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from indexer.builds.embeddings import Embeddings
from indexer.domain import EncoderIdentity
from indexer.errors import StoreUnavailable
from indexer.settings import Settings


class EmbeddingPool:
    """Thread-safe."""

    def __init__(self, settings: Settings, counted: Callable[[str, str], None]) -> None:
        """`counted` hears of what fails, and how."""
        self._counted = counted
        self._settings = settings
        self._spare: dict[str, deque[Embeddings]] = {}
        """By the encoder's fingerprint, for one thread at a time each."""

    @contextmanager
    def of(self, encoder: EncoderIdentity) -> Iterator[Embeddings]:
        """Opened once for as many puts as there ever are at the same time: reading what is cached takes a while."""
        spare = self._spare.setdefault(encoder.fingerprint, deque())
        try:
            opened = spare.pop()
        except IndexError:
            opened = Embeddings(self._settings.home, encoder, self._settings.embeddings.url, hurried=True)
        try:
            yield opened
        except StoreUnavailable:
            self._counted("embeddings", "failed")
            raise
        finally:
            spare.append(opened)
