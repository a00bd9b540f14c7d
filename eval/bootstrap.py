"""The composition root of measuring."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from eval.runs.runner import Bench
from eval.runs.vectors import RememberingEncoder
from eval.suites.suite import Suite
from indexer.bootstrap import encoder_of, open_catalogue
from indexer.builds.live import open_live, published_build
from indexer.images.decoders import DecoderPool
from indexer.settings import Settings
from service.shop import CatalogProducts


@contextmanager
def open_bench(
    suite: Suite, settings: Settings, catalog: str | None = None, build: str | None = None
) -> Iterator[Bench]:
    """The suite's catalog (or the one named) in its published build (or the one named).

    Raises UnknownCatalog, NothingPublished, UnknownBuild, StoreMismatch, StoreOwned, EncoderMismatch.
    """
    database = open_catalogue(settings)
    wanted = build or published_build(database, catalog or suite.card.catalog)[1]
    with closing(open_live(database, settings, wanted)) as index, DecoderPool.of(settings.images) as decoders:
        encoder = RememberingEncoder(encoder_of(index.manifest, settings), settings.home, settings.encoder.batch_size)
        yield Bench(index, settings.store.kind, encoder, CatalogProducts(database), decoders)
