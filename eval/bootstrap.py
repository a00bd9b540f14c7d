"""The composition root of measuring."""

from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import replace

from eval.runs.prepared import is_prepared, prepared_bench
from eval.runs.runner import Bench, Verifying
from eval.runs.vectors import RememberingEncoder
from eval.suites.suite import Suite
from indexer.bootstrap import encoder_of, open_catalogue
from indexer.builds.live import open_live, published_build
from indexer.catalog.engine import Database
from indexer.images.decoders import DecoderPool
from indexer.settings import Settings
from service.bootstrap import open_line, open_verifier
from service.photos import CataloguePhotos
from service.shop import CatalogProducts, Shop


@contextmanager
def open_bench(
    suite: Suite, settings: Settings, catalog: str | None = None, build: str | None = None, *, verify: bool = False
) -> Iterator[Bench]:
    """The suite's catalog (or the one named) in its published build (or the one named), to `verify` with where wanted.

    A suite that ships vectors is searched in these, unless a catalog or a build is named.
    Raises UnknownCatalog, NothingPublished, UnknownBuild, StoreMismatch, StoreOwned, EncoderMismatch; SuiteError or
    RunError for shipped vectors that are damaged or no longer those of the build named.
    """
    if is_prepared(suite, catalog, build):
        with prepared_bench(suite, settings, build) as bench:
            yield bench
        return
    database = open_catalogue(settings)
    wanted = build or published_build(database, catalog or suite.card.catalog)[1]
    with closing(open_live(database, settings, wanted)) as index, DecoderPool.of(settings.images) as decoders:
        photos = CataloguePhotos(database, decoders)
        encoder = RememberingEncoder(encoder_of(index.manifest, settings), settings.home, settings.encoder.batch_size)
        bench = Bench(index, settings.store.kind, encoder, CatalogProducts(database), decoders, photos)
        with _verifying(settings, database, photos) if verify else nullcontext() as verifying:
            yield replace(bench, verifying=verifying)


@contextmanager
def leased_bench(
    suite: Suite, shop: Shop, catalog: str | None = None, build: str | None = None, *, verify: bool = False
) -> Iterator[Bench]:
    """As `open_bench`, in the process that has the store open already; the build stays open meanwhile."""
    settings = shop.settings
    if is_prepared(suite, catalog, build):
        with prepared_bench(suite, settings, build) as bench:
            yield bench
        return
    photos = CataloguePhotos(shop.database, shop.decoders)
    with shop.lease(catalog or suite.card.catalog, build) as (index, encoder):
        remembering = RememberingEncoder(encoder, settings.home, settings.encoder.batch_size)
        products = CatalogProducts(shop.database)
        bench = Bench(index, settings.store.kind, remembering, products, shop.decoders, photos)
        with _verifying(settings, shop.database, photos) if verify else nullcontext() as verifying:
            yield replace(bench, verifying=verifying)


@contextmanager
def _verifying(settings: Settings, database: Database, photos: CataloguePhotos) -> Iterator[Verifying | None]:
    """None where `rerank.backend` is none."""
    line = open_line(settings, database)
    with closing(line.endpoint) if line is not None else nullcontext():
        verifier = open_verifier(settings, line, photos)
        yield None if verifier is None else Verifying(verifier, settings.rerank)
