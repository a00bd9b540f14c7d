"""The builds that are compared: one that is opened here, and the published one of a running service.

A running service is asked before its store is opened: a shopper's next search must not find the store taken. It answers
with its own settings where a request cannot say them.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from eval.measures import Run
from eval.runs.document import RankedProduct, falling
from eval.runs.runner import DEPTH, Bench, run_suite
from eval.runs.vectors import RememberingEncoder
from eval.suites.suite import Suite, SuiteQuery
from indexer.bootstrap import encoder_of
from indexer.builds.gates import Candidate
from indexer.builds.live import LiveIndex, open_live
from indexer.catalog.published import PublishedRepository
from indexer.domain import BuildManifest
from indexer.encoders import Encoder
from indexer.errors import ConflictError, InputError
from indexer.images.decoders import DecoderPool
from indexer.settings import SearchSettings, Settings
from service.address import running
from service.client import RemoteShop
from service.local import Searching
from service.photos import CataloguePhotos
from service.request import SearchRequest
from service.search.answer import Answer
from service.shop import CatalogProducts


class Side(Protocol):
    """A build that can be asked a suite."""

    def run(self, suite: Suite) -> Run:
        """A query that cannot be answered is absent. Raises UnavailableError, ConflictError."""


@dataclass(frozen=True)
class OpenedBuild:
    bench: Bench
    search: SearchSettings
    watch: Callable[[int, int], None]

    def run(self, suite: Suite) -> Run:
        """Judgements that name a product the build does not have count against it."""
        return run_suite(suite, self.bench, self.search, strict=False, watch=self.watch).scores


@dataclass(frozen=True)
class ServedBuild:
    """The published build through the service that owns its store."""

    service: Searching
    build: str
    catalog: str
    search: SearchSettings
    watch: Callable[[int, int], None]

    def run(self, suite: Suite) -> Run:
        """Raises ConflictError when the service answers from another build."""
        run = {}
        for number, query in enumerate(suite.queries, start=1):
            photo = None if query.photo is None else (suite.directory / query.photo).read_bytes()
            with suppress(InputError):
                run[query.id] = self._scores(self.service.search(self._request(query), photo))
            self.watch(number, len(suite.queries))
        return run

    def _request(self, query: SuiteQuery) -> SearchRequest:
        return SearchRequest(
            text=query.text,
            like=query.like,
            change=query.change,
            where=query.where,
            weights={str(channel): weight for channel, weight in self.search.weights[query.kind].items()},
            fusion=self.search.fusion,
            top_k=DEPTH,
            catalog=self.catalog,
            group=False,
            rules="off",
            verify=False,
        )

    def _scores(self, answer: Answer) -> dict[str, float]:
        """Falling with the order that was shown, which checks may have changed."""
        if answer.build != self.build:
            raise ConflictError(f"The service switched from build {self.build} to {answer.build} meanwhile; try again.")
        shown = falling(RankedProduct(id=result.id, score=result.score) for result in answer.results)
        return {one.id: one.score for one in shown}


@dataclass(frozen=True)
class Access:
    """How encoders and the running service are reached."""

    encoder: Callable[[BuildManifest], Encoder]
    """Raises EncoderMismatch, or InputError when the encoder is not there any more."""
    service: Callable[[Settings], Searching | None]


def access_of(settings: Settings) -> Access:
    return Access(partial(encoder_of, settings=settings), _service)


def candidate_side(candidate: Candidate, decoders: DecoderPool) -> OpenedBuild:
    return _opened(candidate, candidate.index, candidate.encoder, decoders)


@contextmanager
def open_published_side(candidate: Candidate, build: str, access: Access, decoders: DecoderPool) -> Iterator[Side]:
    """The build that the candidate would replace, or another one it is compared with.

    Raises StoreMismatch when the store does not have it, EncoderMismatch and InputError when its encoder is gone,
    StoreOwned when a process that is no service has it open.
    """
    settings, catalog = candidate.settings, candidate.manifest.catalog
    with candidate.database.session() as session:
        published = PublishedRepository(session).find(catalog)
    served = published is not None and published.build == build
    service = access.service(settings) if served else None
    if service is not None:
        yield ServedBuild(service, build, catalog, settings.search, candidate.watch)
        return
    with closing(open_live(candidate.database, settings, build)) as index:
        same = index.manifest.encoder == candidate.encoder.spec.identity
        encoder = candidate.encoder if same else access.encoder(index.manifest)
        yield _opened(candidate, index, encoder, decoders)


def _opened(candidate: Candidate, index: LiveIndex, encoder: Encoder, decoders: DecoderPool) -> OpenedBuild:
    settings = candidate.settings
    remembering = RememberingEncoder(encoder, settings.home, settings.encoder.batch_size)
    products, photos = CatalogProducts(candidate.database), CataloguePhotos(candidate.database, decoders)
    bench = Bench(index, settings.store.kind, remembering, products, decoders, photos)
    return OpenedBuild(bench, settings.search, candidate.watch)


def _service(settings: Settings) -> Searching | None:
    service = running(settings.home)
    return None if service is None else RemoteShop(service.url, service.secret)
