"""A store whose calls are timed: each channel's search, and exact scores and payloads of what was found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from indexer.domain import Channel, Hit, PayloadValue, Point, StoreQuery, Vector, VectorQuery, Where
from indexer.stores.seam import VectorStore
from service.search.trail import Trail

BACKFILL = "backfill"
"""Scores, or vectors, of candidates that another channel found."""
PAYLOAD = "payload"


@dataclass(frozen=True, eq=False)
class Watched:
    """A VectorStore in front of another one."""

    store: VectorStore
    trail: Trail

    def search(
        self, query: StoreQuery, top_k: int, where: Where | None = None, among: Sequence[UUID] | None = None
    ) -> list[Hit]:
        with self.trail.part(BACKFILL if among is not None else _channels(query)):
            return self.store.search(query, top_k, where, among)

    def fetch(self, ids: Sequence[UUID]) -> dict[UUID, Mapping[Channel, Vector]]:
        with self.trail.part(BACKFILL):
            return self.store.fetch(ids)

    def read(self, ids: Sequence[UUID]) -> dict[UUID, Mapping[str, PayloadValue]]:
        with self.trail.part(PAYLOAD):
            return self.store.read(ids)

    def upsert(self, points: Sequence[Point]) -> None:
        self.store.upsert(points)

    def delete(self, ids: Sequence[UUID]) -> None:
        self.store.delete(ids)

    def count(self) -> int:
        return self.store.count()


def _channels(query: StoreQuery) -> str:
    """`image`, `text`, `image+text` where one call searches both, `lexical`."""
    return "+".join(sorted(query.vectors)) if isinstance(query, VectorQuery) else Channel.LEXICAL.value
