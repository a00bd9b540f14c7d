"""Search over the published builds: the one object that the API, the command line and the demo talk to."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Self

from indexer.builds.changing import LiveChange, Seeing, delete_products, put_products, update_product
from indexer.builds.embeddings import Embeddings
from indexer.builds.given import ProductUpdate
from indexer.builds.live import published_build
from indexer.catalog.builds import BuildRepository
from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.engine import Database
from indexer.catalog.products import ProductRepository
from indexer.catalog.published import PublishedRepository
from indexer.domain import BuildManifest, EncoderIdentity, Pixels, Product
from indexer.encoders import Encoder
from indexer.errors import ImageRejected, NothingPublished, QueryError, VitrineError
from indexer.images.decoders import Decoded, DecoderPool, DecodeTask
from indexer.images.fit import Fit
from indexer.images.names import COLOUR_NAMES, name_colours
from indexer.images.regions import Box, Region
from indexer.settings import Settings
from service.ask.asking import Asking, Speaker
from service.ask.documents import AskRequest, Event
from service.language import Rewriter
from service.live import LiveBuilds, OpenEncoder
from service.metrics import Metrics
from service.photos import BUSY, PATIENT, CataloguePhotos
from service.request import SearchRequest
from service.rerank.verifier import Verifier
from service.ruling import Rules
from service.search.answer import Answer
from service.search.query import Query
from service.search.searcher import Searcher
from service.search.weights import named_weights


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
        speaker: Speaker | None = None,
    ) -> None:
        """`follow`: look for publications and live changes beside the requests, not in them. Without a `verifier`
        nothing is verified, without a `speaker` no question is answered."""
        self._database = database
        self._settings = settings
        self._live = LiveBuilds(database, settings, open_encoder, follow)
        self._decoders = decoders
        self._spare: dict[str, deque[Embeddings]] = {}
        """By the encoder's fingerprint, for one thread at a time each."""
        self.metrics = metrics or Metrics()
        self._photos = photos or CataloguePhotos(database, decoders, BUSY if follow else PATIENT)
        self._verifier = verifier
        self._asking = Asking(self.search, database, self._photos, speaker, self.metrics.asked)
        self.rules = Rules(database, settings.catalog)
        products = CatalogProducts(database)
        self._searcher = Searcher(products, settings.search, self.rules, self._photos, rewriter, verifier)

    def search(
        self, request: SearchRequest, photo: bytes | None = None, further: Sequence[bytes] = (), caller: str = ""
    ) -> Answer:
        """`further` photos show the same thing; the request's box is on the first. `caller` is whose budget pays for
        what is asked of endpoints.

        Raises InputError for what was asked, ConflictError and UnavailableError for the state of the shop.
        """
        if self._looks(request):
            self._photos.begin()
        try:
            with self._live.lease(request.catalog) as (index, encoder):
                query = self._query(request, photo, further, encoder, caller)
                answer = self._searcher.search(query, index, encoder)
        except VitrineError as error:
            self.metrics.refused(error)
            raise
        self.metrics.observed(answer)
        return answer

    def ask(self, request: AskRequest, caller: str = "") -> Iterator[Event]:
        """What is told about the hits of a search, as it is told; nothing is raised once that began.

        Raises NoEndpoint, and as `search`.
        """
        return self._asking.ask(request, caller)

    def regions(self, photo: bytes) -> tuple[Region, ...]:
        """Boxes around the things on a photo, to be searched one by one. Raises ImageRejected."""
        try:
            return self._decoders.regions(photo)
        except ImageRejected as error:
            raise _refused(error) from error

    def product(self, catalog: str | None, product_id: str) -> Product:
        """Raises UnknownProduct, with ids that are close."""
        found, build = published_build(self._database, catalog or self._settings.catalog)
        with self._database.session() as session:
            generation = BuildRepository(session).get(build).generation
            return ProductRepository(session).get(found, product_id, generation=generation)

    def put(self, catalog: str | None, products: Sequence[Product]) -> LiveChange:
        """Add the products, replacing those of equal id.

        Raises InputError for an id given twice, and what keeps the published build from being searched.
        """
        with self._live.lease(catalog) as (index, encoder), self._embeddings(index.manifest.encoder) as embeddings:
            seeing = Seeing(encoder, embeddings, self._decoders)
            return put_products(self._database, index.manifest.catalog, products, seeing)

    def update(self, catalog: str | None, product_id: str, update: ProductUpdate) -> LiveChange:
        """Change what needs no encoder. Raises UnknownProduct, with ids that are close, NothingPublished."""
        return update_product(self._database, self._published(catalog), product_id, update)

    def delete(self, catalog: str | None, product_ids: Sequence[str]) -> LiveChange:
        """Take the products out. Raises UnknownProduct, with ids that are close, NothingPublished."""
        return delete_products(self._database, self._published(catalog), product_ids)

    def catalogs(self) -> dict[str, str | None]:
        """Every catalog with the build that is published for it."""
        with self._database.session() as session:
            names = CatalogRepository(session).names()
            published = [PublishedRepository(session).find(name) for name in names]
        return {name: one.build if one else None for name, one in zip(names, published, strict=True)}

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
        self._decoders.start()
        with self._live.lease(catalog) as (index, encoder):
            encoder.encode_texts([catalog, *COLOUR_NAMES])
            return index.manifest.build

    def close(self) -> None:
        self._live.close()
        self._asking.close()
        if self._verifier is not None:
            self._verifier.close()
        self._photos.close()
        self._decoders.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _embeddings(self, encoder: EncoderIdentity) -> Iterator[Embeddings]:
        """Opened once for as many puts as there ever are at the same time: reading what is cached takes a while."""
        spare = self._spare.setdefault(encoder.fingerprint, deque())
        try:
            opened = spare.pop()
        except IndexError:
            opened = Embeddings(self._settings.home, encoder, self._settings.embeddings.url)
        try:
            yield opened
        finally:
            spare.append(opened)

    def _published(self, catalog: str | None) -> str:
        return published_build(self._database, catalog or self._settings.catalog)[0]

    def _query(
        self, request: SearchRequest, photo: bytes | None, further: Sequence[bytes], encoder: Encoder, caller: str
    ) -> Query:
        box = None if request.box is None else Box(*request.box)
        if box is not None and photo is None:
            raise QueryError("box: a box is a part of a photo; give the photo too.")
        decoded = None if photo is None else self._decoded(photo, encoder.spec.fit, box)
        return Query(
            words=request.text,
            change=request.change,
            like=request.like,
            photo=None if decoded is None else decoded.pixels,
            photo_colours=() if decoded is None else tuple(name_colours(decoded.palette)),
            further_photos=tuple(self._decoded(one, encoder.spec.fit).pixels for one in further),
            without=request.without,
            ignore=request.ignore,
            where=request.where,
            weights=None if request.weights is None else named_weights(request.weights),
            top_k=request.top_k,
            fusion=request.fusion,
            diversity=request.diversity,
            group=request.group,
            sort=request.sort,
            cursor=request.cursor,
            facets=request.facets,
            rules=request.rules,
            verify=request.verify,
            strict=request.strict,
            view=self._view(request, photo, box),
            caller=caller,
            why_not=request.why_not,
            explain=request.explain,
        )

    def _view(self, request: SearchRequest, photo: bytes | None, box: Box | None) -> Pixels | None:
        """As large as whoever verifies wants to see it."""
        fit = None if self._verifier is None else self._verifier.fit
        if photo is None or fit is None or not self._looks(request):
            return None
        return self._decoded(photo, fit, box).pixels

    def _looks(self, request: SearchRequest) -> bool:
        """Whether somebody will look at photos to verify the answer."""
        verifier = self._verifier
        return verifier is not None and verifier.fit is not None and verifier.whole(request.verify, request.strict)

    def _decoded(self, photo: bytes, fit: Fit, box: Box | None = None) -> Decoded:
        try:
            return self._decoders.decode(DecodeTask(photo, fit, box=box))
        except ImageRejected as error:
            raise _refused(error) from error


def _refused(error: ImageRejected) -> ImageRejected:
    return ImageRejected(error.reason, f"The photo is refused ({error.reason}): {error.detail}.")
