"""Looking at photos with a decoding child that is started once, and not for every build of a test."""

import atexit
from collections.abc import Generator, Iterable
from functools import cache

from indexer.builds.devices import open_embedder
from indexer.builds.embedder import Beat, Embedder, Here, Looked, Photo, PhotoReader
from indexer.builds.embeddings import Embeddings
from indexer.encoders import Encoder
from indexer.images.decoders import DecoderPool
from indexer.places import Place
from indexer.settings import ImageSettings, Settings

IMAGES = ImageSettings(decoders=1, decode_seconds=120)
"""For a busy machine."""


def warm(encoder: Encoder, settings: Settings) -> Embedder:
    """What the settings name; with the child of before where that is one in this process, and one child to decode."""
    embeddings = Embeddings(settings.home, encoder.spec.identity, settings.embeddings.url)
    named = open_embedder(encoder, embeddings, settings)
    usual = settings.images in (IMAGES, ImageSettings(decoders=1))
    return Warm(encoder, embeddings, settings) if usual and isinstance(named, Here) else named


class Warm(Here):
    def __init__(self, encoder: Encoder, embeddings: Embeddings, settings: Settings) -> None:
        super().__init__(encoder, embeddings, settings)
        self._given = encoder, embeddings.images, _decoders(), settings.encoder.batch_size

    def photos(self, photos: Iterable[Photo], root: Place, beat: Beat) -> Generator[Looked, None, None]:
        yield from PhotoReader(*self._given).read(photos, root, beat)


@cache
def _decoders() -> DecoderPool:
    pool = DecoderPool.of(IMAGES)
    atexit.register(pool.close)
    return pool
