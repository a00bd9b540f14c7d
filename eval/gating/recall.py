"""The store's answers against exact search over what it must hold.

Sampled products are asked for by their own vectors, as words and as a photo would be: with the weights and the
calibration of those kinds of query. A point that the store lost or garbled counts as one that its graph does not reach.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import numpy.typing as npt

from eval.gating.ledger import Ledger
from indexer.domain import BuildManifest, Channel, Matrix, QueryKind, Vector, VectorQuery
from indexer.errors import BadWeights
from indexer.settings import SearchSettings
from indexer.stores.rows import query_row
from indexer.stores.seam import VectorStore
from service.search.fusion import weighted_vectors
from service.search.weights import resolve

K = 10
PRODUCTS = 100
"""Sampled products; each is asked for as words and as a photo, which makes 200 queries."""
SLACK = 1e-5
"""Of the query's length: a score this close to the K-th best is as good, so that ties and rounding cost nothing."""

Scores = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Recall:
    """Mean share of the exact first K that the store finds: over all sampled queries, and by kind."""

    mean: float
    by_kind: dict[QueryKind, float]
    queries: int


def recall_of(store: VectorStore, ledger: Ledger, manifest: BuildManifest, search: SearchSettings) -> Recall | None:
    """None when the weights leave no channel with vectors to search by. Raises StoreMismatch."""
    asked = list(_queries(ledger, manifest, search))
    if not asked:
        return None
    found = [list(dict.fromkeys(hit.point_id for hit in store.search(query, K))) for _, query in asked]
    rows = np.array([query_row(query, manifest.encoder.dim) for _, query in asked])
    best, scores = _exactly(ledger, rows, found)
    reachable = np.isfinite(best)
    enough = np.where(reachable, best, np.inf).min(axis=1) - SLACK * np.linalg.norm(rows, axis=1)
    shares = (scores >= enough[:, None]).sum(axis=1) / reachable.sum(axis=1)
    kinds = np.array([kind.value for kind, _ in asked])
    by_kind = {QueryKind(kind): float(shares[kinds == kind].mean()) for kind in dict.fromkeys(kinds.tolist())}
    return Recall(float(shares.mean()), by_kind, len(asked))


def _queries(
    ledger: Ledger, manifest: BuildManifest, search: SearchSettings
) -> Iterator[tuple[QueryKind, VectorQuery]]:
    page = ledger.sample(PRODUCTS)
    for entry, row in zip(page, ledger.block(page).rows, strict=True):
        photo, text = np.split(row, 2)
        for kind, vector in ((QueryKind.TEXT, text), (QueryKind.PHOTO, photo)):
            query = _query(kind, vector, manifest, search)
            if query is not None and (entry.images or kind is QueryKind.TEXT):
                yield kind, query


def _query(kind: QueryKind, vector: Vector, manifest: BuildManifest, search: SearchSettings) -> VectorQuery | None:
    try:
        weights = resolve(kind, None, search.weights, has_words=False)
    except BadWeights:
        return None
    spreads = {} if search.fusion == "raw" else manifest.spreads[kind]
    return VectorQuery(weighted_vectors({Channel.IMAGE: vector, Channel.TEXT: vector}, weights, spreads))


def _exactly(ledger: Ledger, queries: Matrix, found: Sequence[Sequence[UUID]]) -> tuple[Scores, Scores]:
    """The K best scores of each query (q, K), −∞ where there are fewer points, and those of what the store found.

    A point that was found and does not exist scores −∞. Memory does not grow with the catalogue.
    """
    best = np.full((len(queries), K), -np.inf, np.float32)
    scores = np.full((len(queries), K), -np.inf, np.float32)
    places: dict[UUID, list[tuple[int, int]]] = {}
    for query, ids in enumerate(found):
        for rank, id in enumerate(ids):
            places.setdefault(id, []).append((query, rank))
    for block in ledger.blocks():
        every = queries @ block.rows.T
        best = np.partition(np.concatenate([best, every], axis=1), -K, axis=1)[:, -K:]
        for column, id in enumerate(block.ids):
            for query, rank in places.get(id, ()):
                scores[query, rank] = every[query, column]
    return best, scores
