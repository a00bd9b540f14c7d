"""One search from query to answer: encode, retrieve, backfill, fuse, boost, diversify, load, verify."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol
from uuid import UUID

from indexer.builds.live import LiveIndex
from indexer.domain import BuildManifest, Channel, Product, QueryKind, Spread, VectorQuery
from indexer.encoders import Encoder
from indexer.errors import UnknownProduct
from indexer.settings import Fusion, SearchSettings
from service.search.answer import Answer, Found, compose
from service.search.boosts import Boost, boosted, parse_boosts
from service.search.diversity import diversify
from service.search.edits import COLOUR
from service.search.fusion import Fused, by_distributions, by_ranks, fuse
from service.search.query import Query
from service.search.questions import Encoded, encode
from service.search.retrieve import Candidates, Question, retrieve
from service.search.verify import Checked, by_verdict, check, photos_showing
from service.search.weights import resolve, usable
from service.search.where import parse_where

VERIFY_WINDOW = 50
"""Products whose wanted change is checked; a contradicted one goes to the end of the window, never out of it."""


class Products(Protocol):
    """What a search needs to know of products."""

    def get_many(self, build: BuildManifest, ids: Sequence[str]) -> Mapping[str, Product]:
        """As they were when the build was made, or changed live since."""


class Searcher:
    """Stateless between calls; as safe to call from several threads as its store and encoder are."""

    def __init__(self, products: Products, settings: SearchSettings) -> None:
        self._products = products
        self._settings = settings

    def search(self, query: Query, index: LiveIndex, encoder: Encoder) -> Answer:
        """Raises QueryError for a contradictory request, UnknownProduct, UnavailableError for what is down."""
        watch = _Stopwatch()
        has_words = query.kind is QueryKind.TEXT
        asked = resolve(query.kind, query.weights, self._settings.weights, has_words)
        where = parse_where(query.where, index.manifest.fields)
        boosts = parse_boosts(self._settings.boosts, index.manifest.fields)
        fusion = query.fusion or self._settings.fusion
        with watch.stage("encode"):
            encoded = encode(query, index, encoder, self._reference(query, index))
        weights = usable(asked, {*encoded.vectors, Channel.LEXICAL})
        question = Question(
            vectors=encoded.vectors,
            words=query.words,
            weights=weights,
            spreads={} if fusion == "raw" else _spreads(query, index),
            where=where,
            exclude=query.like,
            top_k=query.top_k,
            depth=max(self._settings.depth, query.top_k),
        )
        with watch.stage("search"):
            candidates = retrieve(index.store, question)
        with watch.stage("fuse"):
            fused = self._fused(candidates, question, fusion)
        fused = _boosted(fused, boosts, question, index, watch)
        ordered = self._diversified(fused, index, watch)
        with watch.stage("load"):
            checked = self._checked(ordered, query, index, encoded)[: query.top_k]
        found = Found(question, fusion, encoded.changes, len(candidates.hits), fused, checked)
        return compose(query, index.manifest, found, watch.stages)

    def _reference(self, query: Query, index: LiveIndex) -> Product | None:
        if query.like is None:
            return None
        product = self._products.get_many(index.manifest, [query.like]).get(query.like)
        if product is None:
            raise UnknownProduct(f"No product {query.like!r} in catalog {index.manifest.catalog}.")
        return product

    def _fused(self, candidates: Candidates, question: Question, fusion: Fusion) -> list[Fused]:
        fused = fuse(candidates.hits, candidates.raw, question.weights, question.spreads)
        if fusion == "rrf":
            return by_ranks(fused, question.weights, self._settings.rrf_k)
        return by_distributions(fused, question.weights) if fusion == "dbsf" else fused

    def _diversified(self, fused: list[Fused], index: LiveIndex, watch: "_Stopwatch") -> list[Fused]:
        if self._settings.diversity == 0:
            return fused
        with watch.stage("diversify"):
            return diversify(fused, self._settings.diversity, index.store)

    def _checked(self, fused: Sequence[Fused], query: Query, index: LiveIndex, encoded: Encoded) -> list[Checked]:
        """The first products in their final order, those of an edit verified against what it changes."""
        window = fused[: max(VERIFY_WINDOW, query.top_k) if encoded.changes else query.top_k]
        products = self._products.get_many(index.manifest, [one.hit.product_id for one in window])
        so_coloured = _so_coloured(window, index, encoded)
        checked = [
            Checked(
                fused=one,
                fused_rank=rank,
                product=product,
                checks={change.field: check(change, product, one.hit, so_coloured) for change in encoded.changes},
            )
            for rank, one in enumerate(window, start=1)
            if (product := products.get(one.hit.product_id)) is not None
        ]
        return by_verdict(checked)


def _spreads(query: Query, index: LiveIndex) -> Mapping[Channel, Spread]:
    from_photo = query.kind is QueryKind.EDIT and query.photo is not None
    return index.manifest.spreads[QueryKind.PHOTO if from_photo else query.kind]


def _boosted(
    fused: list[Fused], boosts: Sequence[Boost], question: Question, index: LiveIndex, watch: "_Stopwatch"
) -> list[Fused]:
    if not boosts:
        return fused
    with watch.stage("boost"):
        return boosted(fused, boosts, VectorQuery(question.vectors), index.store)


def _so_coloured(window: Sequence[Fused], index: LiveIndex, encoded: Encoded) -> frozenset[UUID]:
    """The photos of the window that show the colour the edit wants, if it wants one."""
    colour = next((change.target for change in encoded.changes if change.field == COLOUR), None)
    if colour is None:
        return frozenset()
    return photos_showing(colour, [one.hit for one in window], VectorQuery(encoded.vectors), index.store)


class _Stopwatch:
    """Milliseconds per stage, in the order the stages were entered."""

    def __init__(self) -> None:
        self.stages: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.stages[name] = (time.perf_counter() - start) * 1_000
