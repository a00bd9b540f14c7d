"""Runs a suite: every query goes through the searcher that shoppers use."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from eval.errors import RunError, SuiteError
from eval.runs.document import (
    WHOLE,
    RankedProduct,
    RunAnswer,
    RunDocument,
    SuiteReference,
    VerifiedWindow,
    falling,
    revision,
)
from eval.suites.files import read_suite
from eval.suites.suite import Suite, SuiteQuery
from indexer.builds.live import LiveIndex
from indexer.domain import Pixels, Product
from indexer.encoders import Encoder
from indexer.errors import ImageRejected, InputError
from indexer.images.decoders import Decoded, DecoderPool, DecodeTask
from indexer.images.fit import Fit
from indexer.images.names import name_colours
from indexer.settings import RerankSettings, SearchSettings, Settings
from service.rerank.verifier import Verifier
from service.search.query import Query
from service.search.searcher import Photos, Products, Searcher
from service.search.verification import Verification

DEPTH = 100
"""Products kept of every answer."""

Watch = Callable[[int, int], None]
"""Called with the queries done and their number."""
DecodedPhotos = Mapping[str, Decoded | ImageRejected]
"""Path in the suite → what decoding it came to."""


@dataclass(frozen=True)
class Verifying:
    """Who verifies, and the settings that made them."""

    verifier: Verifier
    settings: RerankSettings

    def recorded(self, *, always: bool) -> RerankSettings:
        """For a document that is passed on: no key, no address; `always`: whatever the settings say of that."""
        backend = "openai" if self.settings.endpoint else "zero_shot"
        changes = {"api_key": None, "base_url": None, "backend": backend, "always": always or self.settings.always}
        return self.settings.model_copy(update=changes)


@dataclass(frozen=True)
class Bench:
    """A build opened for measuring: what a search needs, and how photos are decoded."""

    index: LiveIndex
    store: str
    encoder: Encoder
    products: Products
    decoders: DecoderPool
    photos: Photos | None = None
    verifying: Verifying | None = None
    verbatim: bool = False
    """Only the questions' own words have vectors, so that they are searched as they were typed."""

    def known(self, ids: Sequence[str]) -> dict[str, Product]:
        return dict(self.products.get_many(self.index.manifest, ids))


def run_suite(
    suite: Suite,
    bench: Bench,
    search: SearchSettings,
    *,
    name: str = "run",
    depth: int = DEPTH,
    photos: DecodedPhotos | None = None,
    strict: bool = True,
    verify: bool | None = False,
    watch: Watch,
) -> RunDocument:
    """A query that cannot be answered is kept with the reason, and counts zero.

    `photos` are the suite's, where the caller asks it several times; `verify`: None, where the bench's settings say
    so. Raises SuiteError when judgements name products
    that the catalog does not have; unless `strict` they count as not found. Raises RunError where nobody can `verify`.
    """
    if strict:
        check_products(suite, bench)
    verifying = _verifying(bench) if verify else bench.verifying if verify is None else None
    searcher = _searcher(bench, search)
    photos = decoded_photos(suite, bench) if photos is None else photos
    views = _views(suite, bench, verifying)
    _encode_ahead(suite, photos, bench.encoder)
    answers: dict[str, RunAnswer] = {}
    unanswered: dict[str, str] = {}
    for number, query in enumerate(suite.queries, start=1):
        photo = photos.get(query.photo or "")
        if isinstance(photo, ImageRejected):
            unanswered[query.id] = f"photo {query.photo}: {photo.detail}"
            continue
        try:
            asked = query_of(query, photo, views.get(query.photo or ""), depth, verify=verify)
            answers[query.id] = _answer(asked, searcher, bench)
        except InputError as error:
            unanswered[query.id] = str(error)
        watch(number, len(suite.queries))
    return RunDocument(
        name=name,
        created=datetime.now(UTC),
        revision=revision(),
        suite=SuiteReference(
            name=suite.card.name, path=str(suite.directory.resolve()), digest=suite.digest, queries=len(suite.queries)
        ),
        build=bench.index.manifest,
        store=bench.store,
        search=search,
        rerank=None if verifying is None else verifying.recorded(always=verify is True),
        depth=depth,
        answers=answers,
        unanswered=unanswered,
    )


def _searcher(bench: Bench, search: SearchSettings) -> Searcher:
    """Of products one by one, not grouped, and of no merchandiser's rules."""
    settings = search.model_copy(update={"understand": False}) if bench.verbatim else search
    verifier = None if bench.verifying is None else bench.verifying.verifier
    return Searcher(bench.products, settings, photos=bench.photos, verifier=verifier)


def _verifying(bench: Bench) -> Verifying:
    if bench.verifying is None:
        why = "its suite ships vectors and no encoder; name a build of its catalogue with --catalog"
        raise RunError(f"Nobody can verify: {why if bench.verbatim else 'rerank.backend is none'}.")
    return bench.verifying


def suite_of(document: RunDocument) -> Suite:
    """The suite that a run answered. Raises SuiteError when it moved, RunError when it changed since."""
    suite = read_suite(Path(document.suite.path))
    if suite.digest != document.suite.digest:
        raise RunError(
            f"Suite {document.suite.name} in {document.suite.path} changed since run {document.name} was made; "
            "run it again."
        )
    return suite


def repeating(settings: Settings, document: RunDocument) -> Settings:
    """With what the run verified with, at the present address of an endpoint and with its present key."""
    if document.rerank is None:
        return settings
    present = {"api_key": settings.rerank.api_key, "base_url": settings.rerank.base_url}
    return settings.model_copy(update={"rerank": document.rerank.model_copy(update=present)})


def catalog_of(document: RunDocument, suite: Suite) -> str:
    """Where the run's products are looked up."""
    return suite.card.catalog if document.build is None else document.build.catalog


def build_of(document: RunDocument) -> str | None:
    """The build whose products those are, where one answered."""
    return None if document.build is None else document.build.build


def check_products(suite: Suite, bench: Bench) -> None:
    """Raises SuiteError naming products that no longer exist, or never did."""
    named = dict.fromkeys(doc for grades in suite.qrels.values() for doc in grades)
    named |= dict.fromkeys(query.like for query in suite.queries if query.like is not None)
    known = bench.known(list(named))
    missing = [product for product in named if product not in known]
    if missing:
        shown = ", ".join(missing[:5]) + (" …" if len(missing) > 5 else "")
        raise SuiteError(
            f"Suite {suite.card.name} names {len(missing):,} of {len(named):,} products that catalog "
            f"{bench.index.manifest.catalog} does not have: {shown}. Build the catalogue the suite was made from, "
            "or make the suite again."
        )


def query_of(
    query: SuiteQuery, photo: Decoded | None, view: Pixels | None, depth: int, *, verify: bool | None = False
) -> Query:
    """What the searcher is asked: for products one by one, not grouped."""
    return Query(
        words=query.text,
        change=query.change,
        like=query.like,
        photo=None if photo is None else photo.pixels,
        photo_colours=() if photo is None else tuple(name_colours(photo.palette)),
        where=query.where,
        top_k=depth,
        group=False,
        verify=verify,
        view=view,
    )


def _answer(query: Query, searcher: Searcher, bench: Bench) -> RunAnswer:
    started = time.perf_counter()
    answer = searcher.search(query, bench.index, bench.encoder)
    whole = (time.perf_counter() - started) * 1_000
    shown = [RankedProduct(id=result.id, score=result.score) for result in answer.results]
    return RunAnswer(
        ranked=falling(shown),
        timings_ms={**answer.timings_ms, WHOLE: round(whole, 3)},
        window=None if answer.verification is None else _window(answer.verification, shown),
        degraded=tuple(answer.degraded),
    )


def _window(told: Verification, shown: Sequence[RankedProduct]) -> VerifiedWindow:
    found = {one.id: one for one in shown}
    return VerifiedWindow(
        by=told.by,
        unverified=tuple(found[product] for product in told.first_stage),
        unjudged=told.unjudged,
        calls=told.calls,
        cached=told.cached,
        tokens_in=told.tokens_in,
        tokens_out=told.tokens_out,
        dollars=told.dollars,
    )


def decoded_photos(suite: Suite, bench: Bench) -> DecodedPhotos:
    """The suite's photos, decoded once for all queries that use them."""
    return _decoded(suite, bench, bench.encoder.spec.fit)


def _views(suite: Suite, bench: Bench, verifying: Verifying | None) -> Mapping[str, Pixels]:
    """The suite's photos as large as whoever verifies wants to see them, where they do."""
    fit = None if verifying is None else verifying.verifier.fit
    decoded = {} if fit is None else _decoded(suite, bench, fit)
    return {name: one.pixels for name, one in decoded.items() if isinstance(one, Decoded)}


def _decoded(suite: Suite, bench: Bench, fit: Fit) -> DecodedPhotos:
    names = list(dict.fromkeys(query.photo for query in suite.queries if query.photo is not None))
    tasks = (DecodeTask(_bytes(suite, name), fit, key=name) for name in names)
    return {str(task.key): decoded for task, decoded in bench.decoders.map(tasks)}


def _bytes(suite: Suite, name: str) -> bytes:
    try:
        return (suite.directory / name).read_bytes()
    except OSError as error:
        raise SuiteError(f"{suite.directory / name}: {error.strerror or error}.") from error


def _encode_ahead(suite: Suite, photos: DecodedPhotos, encoder: Encoder) -> None:
    """In full batches; the searches then find every query's vector remembered."""
    encoder.encode_texts(list(dict.fromkeys(query.text for query in suite.queries if query.text)))
    encoder.encode_images([one.pixels for one in photos.values() if isinstance(one, Decoded)])
