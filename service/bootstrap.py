"""The composition root of the query side."""

from functools import partial

from indexer.bootstrap import encoder_of, open_catalogue
from indexer.builds.publish import repair_pointers
from indexer.domain import BuildManifest
from indexer.encoders import Encoder
from indexer.images.decoders import DecoderPool
from indexer.settings import Settings
from indexer.stores.opening import open_stores
from service.batching import BatchingEncoder
from service.shop import Shop


def open_shop(settings: Settings) -> Shop:
    """For one caller at a time: a command."""
    return Shop(
        open_catalogue(settings), settings, partial(encoder_of, settings=settings), DecoderPool.of(settings.images)
    )


def open_busy_shop(settings: Settings) -> Shop:
    """For many callers at once: the service. Their queries share encoder calls, and a thread follows the ledger.

    Pointers that a killed publication left behind are put right first.
    """
    database = open_catalogue(settings)
    repair_pointers(database, open_stores(settings))

    def open_encoder(manifest: BuildManifest) -> Encoder:
        return BatchingEncoder(encoder_of(manifest, settings), settings.service.max_batch)

    return Shop(database, settings, open_encoder, DecoderPool.of(settings.images), follow=True)
