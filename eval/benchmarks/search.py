"""`python -m eval.benchmarks search`: what a text query costs beside the bare encoder and the bare engine.

Ours ends when hits with titles are in hand. Bare is the encoder's call and the same engine calls (one search of the
concatenated vectors, one of the words, the exact scores of the candidates per channel) on a copy of the same shard.
Both run in one process, in turn, query by query; whoever goes first changes with every query.
"""

import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import numpy as np
import qdrant_edge as engine

from indexer.bootstrap import encoder_of, load_settings, open_catalogue
from indexer.builds.live import LiveIndex, open_live, published_build, read_layout
from indexer.domain import BuildManifest, Channel, QueryKind
from indexer.encoders import Encoder
from indexer.settings import SearchSettings
from indexer.stores.edge_keeping import EdgeStores
from indexer.stores.lexical import Lexicon
from service.search.query import Query
from service.search.searcher import Searcher
from service.shop import CatalogProducts

CATALOG = "showroom"
QUERIES = 300
WARM_UP = 30
TOP_K = 10


PointId = int | UUID | str


@dataclass(frozen=True)
class Bare:
    """The engine as one would call it by hand."""

    shard: engine.EdgeShard
    encoder: Encoder
    lexicon: Lexicon
    scales: Sequence[float]
    depth: int

    def search(self, words: str) -> int:
        vector = self.encoder.encode_texts([words])[0]
        image, text = (vector * np.float32(scale) for scale in self.scales)
        dense = self._nearest(np.concatenate([image, text]).tolist(), "dense", None)
        terms = self.lexicon.query(words)
        sparse = self._nearest(engine.SparseVector(terms.indices.tolist(), terms.values.tolist()), "lexical", None)
        among = {point.id for point in (*dense, *sparse)}
        nothing = np.zeros_like(vector)
        for half in ([vector, nothing], [nothing, vector]):
            self._nearest(np.concatenate(half).tolist(), "dense", among)
        return len(among)

    def _nearest(
        self, vector: list[float] | engine.SparseVector, using: str, among: set[PointId] | None
    ) -> list[engine.ScoredPoint]:
        condition = None if among is None else engine.Filter(must=[engine.HasIdCondition(among)])
        limit = self.depth if among is None else len(among)
        query = engine.Query.Nearest(vector, using)
        request = engine.QueryRequest(query=query, limit=limit, filter=condition, with_payload=["product", "image"])
        return self.shard.query(request)


def main() -> None:
    settings = load_settings()
    database = open_catalogue(settings)
    _, build = published_build(database, CATALOG)
    index = open_live(database, settings, build)
    encoder = encoder_of(index.manifest, settings)
    searcher = Searcher(CatalogProducts(database), settings.search)
    with tempfile.TemporaryDirectory() as copied:
        shutil.copytree(EdgeStores(settings.home).path(build) / "shard", Path(copied) / "shard")
        lexicon = read_layout(database, build)[1].lexicon
        bare = bare_of(Path(copied) / "shard", index.manifest, encoder, lexicon, settings.search)
        ours, theirs = _alternate(
            lambda words: searcher.search(Query(words=words, top_k=TOP_K), index, encoder), bare.search, _queries(index)
        )
    index.close()
    _report(ours, theirs, index)


def bare_of(shard: Path, manifest: BuildManifest, encoder: Encoder, lexicon: Lexicon, settings: SearchSettings) -> Bare:
    """On this copy of the build's shard, which nobody else has open."""
    weights, spreads = settings.weights[QueryKind.TEXT], manifest.spreads[QueryKind.TEXT]
    total = sum(weights.values())
    scales = [weights[channel] / total / spreads[channel].deviation for channel in (Channel.IMAGE, Channel.TEXT)]
    return Bare(engine.EdgeShard.load(str(shard)), encoder, lexicon, scales, settings.depth)


def _queries(index: LiveIndex) -> list[str]:
    """Colours, patterns and categories of the catalogue's own vocabulary, seeded."""
    rng = np.random.default_rng(0)
    vocabulary = index.manifest.vocabulary
    fields = ("colour", "pattern", "material", "category")
    return [" ".join(str(rng.choice(vocabulary[field])) for field in fields) for _ in range(WARM_UP + QUERIES)]


def _alternate(
    ours: Callable[[str], object], theirs: Callable[[str], object], queries: Sequence[str]
) -> tuple[list[float], list[float]]:
    """Milliseconds per query of each."""
    spent: dict[str, list[float]] = {"ours": [], "theirs": []}
    for number, words in enumerate(queries):
        turn = [("ours", ours), ("theirs", theirs)]
        for name, call in turn if number % 2 else reversed(turn):
            start = time.perf_counter()
            call(words)
            if number >= WARM_UP:
                spent[name].append((time.perf_counter() - start) * 1_000)
    return spent["ours"], spent["theirs"]


def _report(ours: Sequence[float], theirs: Sequence[float], index: LiveIndex) -> None:
    print(f"{QUERIES} text queries, top {TOP_K} of {index.manifest.points:,} points, one process, in turn")
    for name, spent in (("Vitrine, hits with titles", ours), ("bare encoder + bare engine", theirs)):
        quartiles = statistics.quantiles(spent, n=20)
        print(f"{name:<28} p50 {statistics.median(spent):6.2f} ms   p95 {quartiles[-1]:6.2f} ms")
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    print(
        f"ratio, median of pairs       {statistics.median(ratios):.3f}   (of medians "
        f"{statistics.median(ours) / statistics.median(theirs):.3f}; wanted: at most 1.3)"
    )
