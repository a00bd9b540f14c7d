"""Runs a suite: every query goes through the searcher that shoppers use."""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from eval.errors import RunError, SuiteError
from eval.runs.document import RankedProduct, RunAnswer, RunDocument, SuiteReference, revision
from eval.suites.files import read_suite
from eval.suites.suite import Suite, SuiteQuery
from indexer.builds.live import LiveIndex
from indexer.domain import Product
from indexer.encoders import Encoder
from indexer.errors import ImageRejected, InputError
from indexer.images.decoders import Decoded, DecoderPool, DecodeTask
from indexer.images.names import name_colours
from indexer.settings import SearchSettings
from service.search.query import Query
from service.search.searcher import Photos, Products, Searcher

DEPTH = 100
"""Products kept of every answer."""

Watch = Callable[[int, int], None]
"""Called with the queries done and their number."""
DecodedPhotos = Mapping[str, Decoded | ImageRejected]
"""Path in the suite → what decoding it came to."""


@dataclass(frozen=True)
class Bench:
    """A build opened for measuring: what a search needs, and how photos are decoded."""

    index: LiveIndex
    store: str
    encoder: Encoder
    products: Products
    decoders: DecoderPool
    photos: Photos | None = None
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
    watch: Watch,
) -> RunDocument:
    """A query that cannot be answered is kept with the reason, and counts zero.

    `photos` are the suite's, where the caller asks it several times. Raises SuiteError when judgements name products
    that the catalog does not have; unless `strict` they count as not found.
    """
    if strict:
        check_products(suite, bench)
    searcher = _searcher(bench, search)
    photos = decoded_photos(suite, bench) if photos is None else photos
    _encode_ahead(suite, photos, bench.encoder)
    answers: dict[str, RunAnswer] = {}
    unanswered: dict[str, str] = {}
    for number, query in enumerate(suite.queries, start=1):
        photo = photos.get(query.photo or "")
        if isinstance(photo, ImageRejected):
            unanswered[query.id] = f"photo {query.photo}: {photo.detail}"
            continue
        try:
            answers[query.id] = _answer(query, photo, searcher, bench, depth)
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
        depth=depth,
        answers=answers,
        unanswered=unanswered,
    )


def _searcher(bench: Bench, search: SearchSettings) -> Searcher:
    """Of products one by one, not grouped, and of no merchandiser's rules."""
    settings = search.model_copy(update={"understand": False}) if bench.verbatim else search
    return Searcher(bench.products, settings, photos=bench.photos)


def suite_of(document: RunDocument) -> Suite:
    """The suite that a run answered. Raises SuiteError when it moved, RunError when it changed since."""
    suite = read_suite(Path(document.suite.path))
    if suite.digest != document.suite.digest:
        raise RunError(
            f"Suite {document.suite.name} in {document.suite.path} changed since run {document.name} was made; "
            "run it again."
        )
    return suite


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


def _answer(query: SuiteQuery, photo: Decoded | None, searcher: Searcher, bench: Bench, depth: int) -> RunAnswer:
    asked = Query(
        words=query.text,
        change=query.change,
        like=query.like,
        photo=None if photo is None else photo.pixels,
        photo_colours=() if photo is None else tuple(name_colours(photo.palette)),
        where=query.where,
        top_k=depth,
        group=False,
    )
    started = time.perf_counter()
    answer = searcher.search(asked, bench.index, bench.encoder)
    whole = (time.perf_counter() - started) * 1_000
    shown = falling((result.id, result.score) for result in answer.results)
    ranked = tuple(RankedProduct(id=product, score=score) for product, score in shown.items())
    return RunAnswer(ranked=ranked, timings_ms={**answer.timings_ms, "whole": round(whole, 3)})


def falling(shown: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Scores that fall with the order that was shown: what verification moved down keeps its place, not its score."""
    scores: dict[str, float] = {}
    lowest = math.inf
    for product, score in shown:
        lowest = scores[product] = min(score, math.nextafter(lowest, -math.inf))
    return scores


def decoded_photos(suite: Suite, bench: Bench) -> DecodedPhotos:
    """The suite's photos, decoded once for all queries that use them."""
    names = list(dict.fromkeys(query.photo for query in suite.queries if query.photo is not None))
    fit = bench.encoder.spec.fit
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
