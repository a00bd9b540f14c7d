"""The composition root of the query side."""

from functools import partial

from indexer.bootstrap import encoder_of, open_catalogue
from indexer.domain import BuildManifest
from indexer.encoders import Encoder
from indexer.images.decoders import DecoderPool
from indexer.settings import Settings
from service.batching import BatchingEncoder
from service.shop import Shop


def open_shop(settings: Settings) -> Shop:
    """For one caller at a time: a command."""
    return Shop(
        open_catalogue(settings), settings, partial(encoder_of, settings=settings), DecoderPool.of(settings.images)
    )


def open_busy_shop(settings: Settings) -> Shop:
    """For many callers at once: the service. Their queries share encoder calls."""

    def open_encoder(manifest: BuildManifest) -> Encoder:
        return BatchingEncoder(encoder_of(manifest, settings), settings.service.max_batch)

    return Shop(open_catalogue(settings), settings, open_encoder, DecoderPool.of(settings.images))
