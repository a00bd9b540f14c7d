"""The composition of those who draw: each that the settings name, with what it needs."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

from indexer.breaker import Breaker
from indexer.catalog.engine import Database
from indexer.domain import Pixels
from indexer.generate_settings import GeneratorName
from indexer.images.decoders import DecoderPool, DecodeTask
from indexer.images.fetch import Fetcher
from indexer.images.fit import Fit
from indexer.places import place_of
from indexer.settings import Settings
from service.generate.cache import ImageCache
from service.generate.recolouring import Recolouring
from service.generate.seam import ImageGenerator
from service.generate.studio import Studio
from service.photos import CataloguePhotos
from service.search.drawing import Artist

if TYPE_CHECKING:
    from service.generate.paying import Purse

Health = Callable[[str], Breaker]
"""A new breaker for what has that name."""


def unwatched(name: str) -> Breaker:
    return Breaker()


def open_artist(
    settings: Settings,
    database: Database,
    decoders: DecoderPool,
    photos: CataloguePhotos,
    health: Health = unwatched,
) -> Artist | None:
    """None where `generate.generators` names nobody that is set up. Raises SettingsError."""
    generate = settings.generate
    asked = (_OPENERS[name](settings, database, decoders, health) for name in generate.generators)
    generators = [one for one in asked if one is not None]
    if not generators:
        return None
    kept = settings.home / "generated" if generate.cache_url is None else place_of(generate.cache_url)
    return Artist(
        Studio(generators, ImageCache(kept, generate.cache_bytes, health("generated")), generate), generate, photos
    )


def _recolouring(settings: Settings, database: Database, decoders: DecoderPool, health: Health) -> ImageGenerator:
    return Recolouring()


def _diffusion(settings: Settings, database: Database, decoders: DecoderPool, health: Health) -> ImageGenerator | None:
    generate = settings.generate
    if not generate.diffusion.pipelines:
        return None
    from service.generate.diffusion.generator import Diffusion

    return Diffusion(generate.diffusion, generate.at_once, generate.most_side)


def _openai(settings: Settings, database: Database, decoders: DecoderPool, health: Health) -> ImageGenerator | None:
    given = settings.generate.openai
    if not given.named:
        return None
    from service.budget.picture_prices import picture_price_of
    from service.endpoint import PictureEndpoint
    from service.generate.openai_images import OpenAiImages

    key = None if given.api_key is None else given.api_key.get_secret_value()
    endpoint = PictureEndpoint(given.base_url, key, given.model, setting="generate.openai")
    price = picture_price_of(given.model, given.base_url, settings.budget.prices)
    return OpenAiImages(
        endpoint, given, price, _purse(settings, database, health("openai")), _decode(settings, decoders)
    )


def _replicate(settings: Settings, database: Database, decoders: DecoderPool, health: Health) -> ImageGenerator | None:
    given = settings.generate.replicate
    if given.model is None:
        return None
    from service.endpoint.predictions import Predictions
    from service.generate.replicate_images import ReplicateImages

    key = None if given.api_key is None else given.api_key.get_secret_value()
    predictions = Predictions(given.base_url, key, given.model, setting="generate.replicate")
    fetcher = Fetcher(settings.images.max_bytes, settings.images.fetch_seconds)
    return ReplicateImages(
        predictions, given, _purse(settings, database, health("replicate")), fetcher, _decode(settings, decoders)
    )


_Opener = Callable[[Settings, Database, DecoderPool, Health], ImageGenerator | None]
_OPENERS: Final[Mapping[GeneratorName, _Opener]] = {
    "recolour": _recolouring,
    "diffusion": _diffusion,
    "openai": _openai,
    "replicate": _replicate,
}


def _purse(settings: Settings, database: Database, breaker: Breaker) -> "Purse":
    from service.budget.governor import Governor
    from service.generate.paying import Purse

    return Purse(Governor(database, settings.budget), breaker)


def _decode(settings: Settings, decoders: DecoderPool) -> Callable[[bytes], Pixels]:
    side = settings.generate.most_side
    return partial(_decoded, decoders, Fit((side, side), "within"))


def _decoded(decoders: DecoderPool, fit: Fit, file: bytes) -> Pixels:
    return decoders.decode(DecodeTask(file, fit)).pixels
