"""A search through our API, and by the bare engine on a copy of the same shard; beside it what others begin with.

The made-up shop of `synthetic.py`, as large as it needs to be for Edge's graph over codes. Bare is one call of the
engine with the same vector, filter and parameters and as many hits, names included. The others are qdrant-client's
local mode and a plain FAISS graph, which knows filters as sets of rows. Recall is against a matrix product over all
vectors.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import cycle
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import faiss
import numpy as np
import numpy.typing as npt
import qdrant_edge as engine
from qdrant_client import QdrantClient, models

from eval.benchmarks.figures import Figure, Given, Wanted, alternate
from eval.benchmarks.stores import alone
from eval.benchmarks.synthetic import CHEAP, TENTH, Shop
from eval.benchmarks.trial import Prepared, Trial, prepare, write
from eval.benchmarks.truth import CASES, Case, K, recall
from indexer.domain import Matrix, Vector, VectorQuery
from indexer.stores.edge import APPROXIMATE
from indexer.stores.edge_keeping import EdgeStores
from indexer.stores.edge_where import translate
from indexer.stores.points import DENSE, IMAGE, PRODUCT, keys_of
from indexer.stores.rows import query_row
from indexer.stores.seam import Layout, VectorStore

POINTS: Final = 20_000
QUESTIONS: Final = 100
WARM: Final = 10
FEW: Final = 20
"""Questions to those that take long for each."""
WANTED: Final = Wanted(at_most=1.3)
LINKS, EFFORT = 32, 64
"""Of the plain graph: links of a point, and candidates of a search."""

Search = Callable[[VectorQuery, Case], Sequence[UUID]]


def figures(given: Given) -> Iterator[Figure]:
    shop = Shop(POINTS)
    prepared = prepare(shop, QUESTIONS + WARM)
    with tempfile.TemporaryDirectory(prefix="vitrine-") as folder:
        trial = Trial("edge", shop, Path(folder))
        alone(write, trial, prepared.layout)
        written = EdgeStores(trial.home)
        shutil.copytree(written.path(trial.build) / "shard", trial.home / "copied")
        with closing(written.open(trial.build, prepared.layout)) as store:
            ours = _ours(store)
            bare = _bare(trial.home / "copied", prepared.layout)
            for case in CASES:
                yield _figure("edge", case, ours, bare, prepared, "the bare engine on a copy", wanted=WANTED)
            local, graph = _local(shop), _graph(shop)
            for case in (case for case in CASES if case.asked == "words"):
                yield _figure("local", case, ours, local, prepared, "qdrant-client's local mode", rounds=FEW)
                yield _figure("faiss", case, ours, graph, prepared, "a plain FAISS graph (HNSW, fp32)")


def _figure(
    name: str,
    case: Case,
    ours: Search,
    theirs: Search,
    prepared: Prepared,
    against: str,
    *,
    rounds: int = QUESTIONS,
    wanted: Wanted | None = None,
) -> Figure:
    """Every question to both, in turn; those before the clock starts are the first."""
    questions, right = prepared.questions[case.asked], prepared.right[case]
    found: tuple[list[Sequence[UUID]], list[Sequence[UUID]]] = ([], [])
    mine, others = cycle(questions), cycle(questions)
    spent, other = alternate(
        lambda: found[0].append(ours(next(mine), case)),
        lambda: found[1].append(theirs(next(others), case)),
        rounds,
        warm=WARM,
    )
    recalls = [
        float(np.mean([recall(ids, points) for ids, points in zip(answers, right, strict=False)])) for answers in found
    ]
    under = f" under a filter that {case.under} satisfy" if case.under else ""
    return Figure.of(
        f"stores.{name}.{case.asked}" + (f".{case.under.removesuffix(' %')}-percent" if case.under else ""),
        f"{case.asked}{under}, {POINTS:,} points, Edge through our API",
        spent,
        against=against,
        baseline=other,
        wanted=wanted,
        beside={"recall@10": recalls[0]},
        beside_baseline={"recall@10": recalls[1]},
    )


def _ours(store: VectorStore) -> Search:
    return lambda query, case: [hit.point_id for hit in store.search(query, K, case.where)]


def _bare(shard: Path, layout: Layout) -> Search:
    opened, keys = engine.EdgeShard.load(str(shard)), keys_of(layout)

    def search(query: VectorQuery, case: Case) -> list[UUID]:
        condition = None if case.where is None else engine.Filter(must=[translate(case.where, keys)])
        nearest = engine.Query.Nearest(query_row(query, layout.dim).tolist(), DENSE)
        asked = engine.QueryRequest(
            query=nearest, limit=K, filter=condition, params=APPROXIMATE, with_payload=[PRODUCT, IMAGE]
        )
        return [point.id for point in opened.query(asked) if isinstance(point.id, UUID)]

    return search


def _local(shop: Shop) -> Search:
    client = QdrantClient(":memory:")
    size = models.VectorParams(size=2 * shop.dim, distance=models.Distance.DOT)
    client.create_collection("shop", vectors_config=size)
    for block in shop.blocks():
        points = shop.points(block)
        kept = [{name: point.payload[name] for name in (TENTH.field, CHEAP.field)} for point in points]
        client.upload_collection("shop", vectors=block.vectors, payload=kept, ids=[point.id for point in points])
    blue = models.FieldCondition(key=TENTH.field, match=models.MatchValue(value=str(TENTH.value)))
    cheap = models.FieldCondition(key=CHEAP.field, range=models.Range(lt=float(CHEAP.value)))
    filters = {None: None, "10 %": models.Filter(must=[blue]), "1 %": models.Filter(must=[blue, cheap])}

    def search(query: VectorQuery, case: Case) -> list[UUID]:
        row = query_row(query, shop.dim)
        found = client.query_points("shop", query=row, limit=K, query_filter=filters[case.under])
        return [UUID(str(point.id)) for point in found.points]

    return search


def _graph(shop: Shop) -> Search:
    blocks = list(shop.blocks())
    index = faiss.IndexHNSWFlat(2 * shop.dim, LINKS, faiss.METRIC_INNER_PRODUCT)
    index.add(np.concatenate([block.vectors for block in blocks]))
    faiss.omp_set_num_threads(1)
    ids = [shop.point_id(place) for place in range(shop.size)]
    passing: dict[str | None, npt.NDArray[np.int64]] = {
        under: np.flatnonzero(np.concatenate([block.passing[under] for block in blocks])) for under in ("10 %", "1 %")
    }
    untyped: Any = faiss  # its stubs lack this class
    params: dict[str | None, Any] = {None: untyped.SearchParametersHNSW(efSearch=EFFORT)}
    for under, rows in passing.items():
        params[under] = untyped.SearchParametersHNSW(efSearch=EFFORT, sel=faiss.IDSelectorBatch(rows))

    def search(query: VectorQuery, case: Case) -> list[UUID]:
        row: Vector = query_row(query, shop.dim)
        asked: Matrix = row[None, :]
        places = index.search(asked, K, params=params[case.under])[1][0]
        return [ids[place] for place in places.tolist() if place >= 0]

    return search
