"""The composition root of the query side."""

from functools import partial

from indexer.bootstrap import encoder_of, open_catalogue
from indexer.builds.publish import repair_pointers
from indexer.domain import BuildManifest
from indexer.encoders import Encoder
from indexer.images.decoders import DecoderPool
from indexer.settings import LanguageSettings, Settings
from indexer.stores.opening import open_stores
from service.batching import BatchingEncoder
from service.language import Rewriter
from service.metrics import Metrics
from service.remembering import RememberingEncoder
from service.shop import Shop


def open_shop(settings: Settings) -> Shop:
    """For one caller at a time: a command."""
    return Shop(
        open_catalogue(settings),
        settings,
        partial(encoder_of, settings=settings),
        DecoderPool.of(settings.images),
        rewriter=open_rewriter(settings.language),
    )


def open_busy_shop(settings: Settings) -> Shop:
    """For many callers at once: the service. Their queries share encoder calls, what was asked before is remembered,
    and a thread follows the ledger.

    Pointers that a killed publication left behind are put right first.
    """
    database = open_catalogue(settings)
    repair_pointers(database, open_stores(settings))

    metrics = Metrics()

    def open_encoder(manifest: BuildManifest) -> Encoder:
        batching = BatchingEncoder(encoder_of(manifest, settings), settings.service.max_batch)
        return RememberingEncoder(batching, settings.service.remembered, metrics.remembered)

    return Shop(
        database,
        settings,
        open_encoder,
        DecoderPool.of(settings.images),
        follow=True,
        rewriter=open_rewriter(settings.language),
        metrics=metrics,
    )


def open_rewriter(settings: LanguageSettings) -> Rewriter | None:
    """None where no endpoint is named."""
    if settings.base_url is None:
        return None
    from service.openai_language import OpenAiRewriter

    return OpenAiRewriter(settings)
