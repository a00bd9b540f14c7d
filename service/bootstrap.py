"""The composition root of the query side."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from indexer.bootstrap import encoder_of, open_catalogue
from indexer.breaker import Breaker, BreakerState
from indexer.catalog.engine import REST_SECONDS, RESTS_AFTER, Database
from indexer.domain import BuildManifest
from indexer.encoders import Encoder
from indexer.errors import SettingsError
from indexer.images.decoders import DecoderPool
from indexer.settings import LanguageSettings, Price, RerankSettings, Settings
from indexer.stores.opening import open_stores
from service.bootstrap_drawing import Health, open_artist, unwatched
from service.budget.governor import Governor
from service.budget.prices import price_of
from service.language import Rewriter
from service.metrics import Metrics, Uncounted
from service.photos import BUSY, PATIENT, CataloguePhotos
from service.rerank.cache import VerdictCache
from service.rerank.prompts import CachedPrompts
from service.rerank.verifier import Verifier
from service.rerank.zero_shot import ZeroShot
from service.shop import Shop

if TYPE_CHECKING:
    from service.ask.asking import Speaker
    from service.endpoint import Endpoint


def open_shop(settings: Settings) -> Shop:
    """For one caller at a time: a command."""
    database, decoders = open_catalogue(settings), DecoderPool.of(settings.images)
    photos = CataloguePhotos(database, decoders, PATIENT)
    line = open_line(settings, database)
    return Shop(
        database,
        settings,
        partial(encoder_of, settings=settings),
        decoders,
        rewriter=open_rewriter(settings.language),
        metrics=Uncounted(),
        photos=photos,
        verifier=open_verifier(settings, line, photos),
        speaker=open_speaker(settings.rerank, line),
        artist=open_artist(settings, database, decoders, photos),
    )


def open_busy_shop(settings: Settings) -> Shop:
    """For many callers at once: the service. Their queries share encoder calls, what was asked before is remembered,
    and a thread follows the ledger.

    Pointers that a killed publication left behind are put right first.
    """
    from indexer.builds.publish import repair_pointers
    from service.batching import BatchingEncoder
    from service.remembering import RememberingEncoder
    from service.scraping import Ledger

    metrics, decoders = Metrics(), DecoderPool.of(settings.images)
    database = open_catalogue(settings, _needed("database", metrics))
    stores = open_stores(settings, _needed("store", metrics))
    repair_pointers(database, stores)

    metrics.at_scrape(Ledger(database, settings).readings)
    photos = CataloguePhotos(database, decoders, BUSY)
    health = _told(metrics)
    line = open_line(settings, database, health)

    def open_encoder(manifest: BuildManifest) -> Encoder:
        batching = BatchingEncoder(encoder_of(manifest, settings), settings.service.max_batch, metrics)
        return RememberingEncoder(batching, settings.service.remembered, metrics.remembered)

    return Shop(
        database,
        settings,
        open_encoder,
        decoders,
        follow=True,
        rewriter=open_rewriter(settings.language, health),
        metrics=metrics,
        photos=photos,
        stores=stores,
        verifier=open_verifier(settings, line, photos),
        speaker=open_speaker(settings.rerank, line),
        artist=open_artist(settings, database, decoders, photos, health),
    )


def _needed(name: str, metrics: Metrics) -> Breaker:
    """Of what no search can do without: it is looked at again soon."""
    metrics.breaker(name, BreakerState.CLOSED)
    return Breaker(RESTS_AFTER, REST_SECONDS, told=partial(metrics.breaker, name), counted=partial(metrics.fault, name))


def _told(metrics: Metrics) -> Health:
    def watched(name: str) -> Breaker:
        metrics.breaker(name, BreakerState.CLOSED)
        return Breaker(told=partial(metrics.breaker, name), counted=partial(metrics.fault, name))

    return watched


def open_rewriter(settings: LanguageSettings, health: Health = unwatched) -> Rewriter | None:
    """None where no endpoint is named."""
    if settings.base_url is None:
        return None
    from service.openai_language import OpenAiRewriter

    return OpenAiRewriter(settings, health("language"))


@dataclass(frozen=True)
class Line:
    """To the endpoint that judges and answers: with its budget, its memory, its health and its price."""

    endpoint: "Endpoint"
    governor: Governor
    cache: VerdictCache
    breaker: Breaker
    answers: Breaker
    """Answers may take longer than verdicts, so that an endpoint which is too slow for these is not left alone by
    those."""
    price: Price


def open_line(settings: Settings, database: Database, health: Health = unwatched) -> Line | None:
    """None where no endpoint is named. Raises SettingsError where one is wanted all the same."""
    rerank = settings.rerank
    if not rerank.endpoint:
        return None
    if not rerank.named:
        raise SettingsError("rerank.backend is openai: name the rerank.base_url of an endpoint, or OpenAI's api_key.")
    from service.endpoint import Endpoint

    key = None if rerank.api_key is None else rerank.api_key.get_secret_value()
    return Line(
        Endpoint(rerank.base_url, key, rerank.model, setting="rerank"),
        Governor(database, settings.budget),
        VerdictCache(database, rerank.keep_days, rerank.keep_verdicts),
        health("rerank"),
        health("answers"),
        price_of(rerank.model, rerank.base_url, settings.budget.prices),
    )


def open_verifier(settings: Settings, line: Line | None, photos: CataloguePhotos) -> Verifier | None:
    """None where `rerank.backend` is none; a model judges too where an endpoint is named."""
    rerank = settings.rerank
    if rerank.backend == "none":
        return None
    witness = ZeroShot(CachedPrompts(settings.home, settings.embeddings.url))
    if line is None:
        return Verifier(rerank, witness)
    from service.rerank.model import Model

    judge = Model(line.endpoint, rerank, line.governor, line.cache, line.breaker, photos, line.price)
    return Verifier(rerank, witness, judge)


def open_speaker(settings: RerankSettings, line: Line | None) -> "Speaker | None":
    """None where no endpoint is named."""
    if line is None:
        return None
    from service.ask.asking import Speaker
    from service.rerank.calling import Till

    return Speaker(Till(line.endpoint, line.governor, line.answers, line.price), line.cache, settings)
