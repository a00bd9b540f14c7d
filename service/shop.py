"""Search over the published builds: the one object that the API, the command line and the demo talk to.

What a search does without is imported when it is asked for: changing products, answering questions, drawing pictures.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from indexer.builds.live import LiveIndex, published_build
from indexer.catalog.builds import BuildRepository
from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.engine import Database
from indexer.catalog.products import ProductRepository
from indexer.catalog.published import PublishedRepository
from indexer.catalog.records import Variant
from indexer.domain import BuildManifest, Product
from indexer.encoders import Encoder
from indexer.errors import ImageRejected, NothingPublished, VitrineError
from indexer.images.decoders import DecoderPool
from indexer.images.names import COLOUR_NAMES
from indexer.images.regions import Region
from indexer.noting import searched
from indexer.settings import Settings
from indexer.stores.keeping import Stores
from service.deadline import Deadline, hurried
from service.embedding_pool import EmbeddingPool
from service.language import Rewriter
from service.live import LiveBuilds, OpenEncoder
from service.metrics import Metrics
from service.once import Once
from service.photo_urls import PhotoUrls
from service.photos import BUSY, PATIENT, CataloguePhotos, refused
from service.posing import Posing
from service.request import SearchRequest
from service.rerank.verifier import Told, Verifier
from service.ruling import Rules
from service.search.answer import Answer
from service.search.drawing import Artist
from service.search.searcher import Searcher
from service.slow import Slow

if TYPE_CHECKING:
    from indexer.builds.changing import LiveChange
    from indexer.builds.given import ProductUpdate
    from service.ask.asking import Asking, Speaker
    from service.ask.documents import AskRequest, Event
    from service.draw.atelier import Atelier
    from service.draw.documents import DrawRequest, Pictures
    from service.generate.jobs import Job, Jobs
    from service.generate.seam import Watch


class CatalogProducts:
    """The searcher's view of the catalogue database; every call is one reading transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get_many(self, build: BuildManifest, ids: Sequence[str]) -> Mapping[str, Product]:
        with self._database.session() as session:
            return ProductRepository(session).get_many(build.catalog, ids, generation=build.generation)

    def siblings(self, build: BuildManifest, parents: Sequence[str]) -> Mapping[str, Sequence[Product]]:
        with self._database.session() as session:
            return ProductRepository(session).siblings(build.catalog, parents, generation=build.generation)

    def with_variants(
        self, build: BuildManifest, ids: Sequence[str]
    ) -> tuple[Mapping[str, Product], Mapping[str, Sequence[Variant]]]:
        with self._database.session() as session:
            repository = ProductRepository(session)
            products = repository.get_many(build.catalog, ids, generation=build.generation)
            parents = list(dict.fromkeys(one.parent or one.id for one in products.values()))
            return products, repository.variants(build.catalog, parents, generation=build.generation)


class Shop:
    """Thread-safe. Opens builds and encoders on first use; `close` gives the embedded stores up."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        open_encoder: OpenEncoder,
        decoders: DecoderPool,
        follow: bool = False,
        rewriter: Rewriter | None = None,
        metrics: Metrics | None = None,
        photos: CataloguePhotos | None = None,
        verifier: Verifier | None = None,
        speaker: "Speaker | None" = None,
        artist: Artist | None = None,
        stores: Stores | None = None,
        photo_urls: PhotoUrls | None = None,
    ) -> None:
        """`follow`: look for publications and live changes beside the requests, not in them, and draw what waits in the
        queue. Without a `verifier` nothing is verified, without a `speaker` no question is answered, without an
        `artist` nothing is drawn. `stores`: those that the settings name."""
        self.database = database
        self.settings = settings
        self.decoders = decoders
        self._opened = ExitStack()
        """What is closed first: whatever was asked for on top of searching."""
        self._live = LiveBuilds(database, settings, open_encoder, follow, stores)
        self.metrics = metrics or Metrics()
        self._embeddings = EmbeddingPool(settings, self.metrics.fault)
        self._slow = Slow(settings.telemetry.slow_ms, self.metrics)
        self._photos = photos or CataloguePhotos(database, decoders, BUSY if follow else PATIENT)
        self._photo_urls = photo_urls or PhotoUrls.of(settings, self.metrics.fault)
        self._verifier = verifier
        self._posing = Posing(decoders, self._photo_urls, verifier)
        self._speaker = speaker
        self.verifies, self.draws = verifier is not None, artist is not None
        self.rules = Rules(database, settings.catalog)
        self._products = CatalogProducts(database)
        self._searcher = Searcher(self._products, settings.search, self.rules, self._photos, rewriter, verifier, artist)
        self._artist = artist
        self._asking, self._atelier, self._jobs = Once(self._new_asking), Once(self._new_atelier), Once(self._new_jobs)
        if follow and artist is not None:
            self.jobs.start()

    @property
    def jobs(self) -> "Jobs":
        return self._jobs()

    def search(
        self,
        request: SearchRequest,
        photo: bytes | None = None,
        further: Sequence[bytes] = (),
        caller: str = "",
        told: Told | None = None,
        deadline: Deadline | None = None,
    ) -> Answer:
        """`further` photos show the same thing; the request's box is on the first. `caller` is whose budget pays for
        what is asked of endpoints. `told` hears of verdicts before the answer is ready.

        Raises InputError for what was asked, ConflictError and UnavailableError for the state of the shop, TooLate once
        the `deadline` is over.
        """
        deadline = deadline or Deadline()
        if request.generate is not None:
            deadline.extend(self.settings.generate.seconds_of(request.generate))
        begun = time.perf_counter()
        if self._posing.looks(request):
            self._photos.begin()
        try:
            photo = self._posing.photo(request, photo, deadline)
            with self._live.lease(request.catalog) as (index, encoder):
                searched(index.manifest.build)
                asked = self._posing.query(request, photo, further, encoder.spec, caller, deadline)
                query = replace(asked, told=told)
                answer = self._searcher.search(query, index, hurried(encoder, deadline))
        except VitrineError as error:
            self.metrics.refused(error)
            raise
        seconds = time.perf_counter() - begun
        self.metrics.observed(answer, seconds)
        self._slow.look(answer, seconds)
        return answer

    def preview(self, request: SearchRequest, build: str, caller: str = "") -> Answer:
        """What a search would find in that build, published or not. Raises UnknownBuild, and as `search`."""
        photo = self._posing.photo(request, None, Deadline())
        with self.lease(None, build) as (index, encoder):
            query = self._posing.query(request, photo, (), encoder.spec, caller, Deadline())
            return self._searcher.search(query, index, encoder)

    def ask(self, request: "AskRequest", caller: str = "", deadline: Deadline | None = None) -> "Iterator[Event]":
        """What is told about the hits of a search, as it is told; nothing is raised once that began.

        Raises NoEndpoint, and as `search`.
        """
        return self._asking().ask(request, caller, deadline)

    def draw(
        self,
        request: "DrawRequest",
        photo: bytes | None = None,
        caller: str = "",
        watch: "Watch | None" = None,
        deadline: Deadline | None = None,
    ) -> "Pictures":
        """Pictures of what an edit wants, drawn while the caller waits.

        Raises NothingGenerated with everybody's reasons, Cancelled as the `watch` says, and as `search`.
        """
        return self._atelier().draw(request, photo, caller, watch, deadline)

    def draw_later(self, request: "DrawRequest", photo: bytes | None = None, caller: str = "") -> "Job":
        """The same as a job. Raises QueueFull, and what can be told beforehand: InputError for what was asked,
        NothingPublished, NothingGenerated where nobody is set up to draw."""
        if request.like is not None:
            self.product(request.catalog, request.like)
        self._atelier().check(request, photo)
        catalog = self._published(request.catalog)
        return self.jobs.submit(
            request.model_copy(update={"catalog": catalog}).model_dump_json(), photo, catalog, caller
        )

    def png(self, picture_id: str) -> bytes:
        """The file of a picture that was generated. Raises UnknownPicture, NothingGenerated."""
        return self._atelier().png(picture_id)

    def regions(self, photo: bytes) -> tuple[Region, ...]:
        """Boxes around the things on a photo, to be searched one by one. Raises ImageRejected."""
        try:
            return self.decoders.regions(photo)
        except ImageRejected as error:
            raise refused(error) from error

    def product(self, catalog: str | None, product_id: str) -> Product:
        """Raises UnknownProduct, with ids that are close."""
        found, build = published_build(self.database, catalog or self.settings.catalog)
        with self.database.session() as session:
            generation = BuildRepository(session).get(build).generation
            return ProductRepository(session).get(found, product_id, generation=generation)

    def put(self, catalog: str | None, products: Sequence[Product], by: str = "") -> "LiveChange":
        """Add the products, replacing those of equal id. `by`: who does it, for the record.

        Raises InputError for an id given twice, and what keeps the published build from being searched.
        """
        from indexer.builds.changing import Seeing, put_products

        with self._live.lease(catalog) as (index, encoder), self._embeddings.of(index.manifest.encoder) as embeddings:
            seeing = Seeing(encoder, embeddings, self.decoders)
            return put_products(self.database, index.manifest.catalog, products, seeing, by)

    def update(self, catalog: str | None, product_id: str, update: "ProductUpdate", by: str = "") -> "LiveChange":
        """Change what needs no encoder. `by`: who does it.

        Raises UnknownProduct, with ids that are close, NothingPublished.
        """
        from indexer.builds.changing import update_product

        return update_product(self.database, self._published(catalog), product_id, update, by)

    def delete(self, catalog: str | None, product_ids: Sequence[str], by: str = "") -> "LiveChange":
        """Take the products out. `by`: who does it. Raises as `update`."""
        from indexer.builds.changing import delete_products

        return delete_products(self.database, self._published(catalog), product_ids, by)

    def catalogs(self) -> dict[str, str | None]:
        """Every catalog with the build that is published for it."""
        with self.database.session() as session:
            names = CatalogRepository(session).names()
            published = [PublishedRepository(session).find(name) for name in names]
        return {name: one.build if one else None for name, one in zip(names, published, strict=True)}

    def published(self) -> tuple[str, ...]:
        """The catalogs that can be searched, the eldest first."""
        with self.database.session() as session:
            return PublishedRepository(session).eldest_first()

    def begin(self) -> None:
        """Start the decoding children, which takes seconds, beside whatever the caller does meanwhile."""
        self._photos.begin()

    def warm(self) -> dict[str, str]:
        """Open everything that is published and use it once; catalog → the build that can be searched.

        Raises NothingPublished, and whatever keeps a published build from being searched.
        """
        published = [name for name, build in self.catalogs().items() if build is not None]
        if not published:
            raise NothingPublished("Nothing is published yet; build a catalogue first: vitrine build CATALOGUE.")
        return {name: self._warm(name) for name in published}

    def _warm(self, catalog: str) -> str:
        """The first edit compares with every colour, and the first photo starts the decoding children."""
        with self._live.lease(catalog) as (index, encoder):
            encoder.encode_texts([catalog, *COLOUR_NAMES])
            self.decoders.start()
            return index.manifest.build

    def close(self) -> None:
        self._opened.close()
        if self._artist is not None:
            self._artist.studio.close()
        self._live.close()
        if self._verifier is not None:
            self._verifier.close()
        self._photo_urls.close()
        self.decoders.close()

    def _new_asking(self) -> "Asking":
        from service.ask.asking import Asking

        asking = Asking(self.search, self.database, self._photos, self._speaker, self.metrics.asked)
        self._opened.callback(asking.close)
        return asking

    def _new_atelier(self) -> "Atelier":
        from service.draw.atelier import Atelier

        return Atelier(self._live.lease, self._products, self.decoders, self.metrics, self._artist)

    def _new_jobs(self) -> "Jobs":
        from service.generate.jobs import Jobs

        jobs = Jobs(self.database, self._atelier().run, self.settings.generate)
        self._opened.callback(jobs.close)
        return jobs

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def lease(self, catalog: str | None, build: str | None = None) -> Iterator[tuple[LiveIndex, Encoder]]:
        """The build that is searched, or the one named, open meanwhile, and its encoder. Raises as `LiveBuilds`."""
        with self._live.lease(catalog) if build is None else self._live.lease_build(build) as held:
            yield held

    def _published(self, catalog: str | None) -> str:
        return published_build(self.database, catalog or self.settings.catalog)[0]
