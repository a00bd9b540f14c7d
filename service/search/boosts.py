"""What satisfies a condition is lifted (or, below zero, lowered) in the order: `in_stock=true` by 0.3."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from indexer.domain import FieldType, Hit, VectorQuery, Where
from indexer.errors import BadFilter
from indexer.stores.seam import VectorStore
from service.search.fusion import Fused, in_order
from service.search.where import parse_where


@dataclass(frozen=True)
class Boost:
    """`condition` as it was written, `where` as stores read it; `amount` is in the unit of the fused score."""

    condition: str
    where: Where
    amount: float


def parse_boosts(boosts: Mapping[str, float], fields: Mapping[str, FieldType]) -> list[Boost]:
    """Those that change anything. Raises BadFilter naming the condition whose field, operator or value is wrong."""
    parsed = []
    for condition, amount in boosts.items():
        try:
            where = parse_where([condition], fields)
        except BadFilter as error:
            raise BadFilter(f"search.boosts: {condition!r} cannot be used: {error}") from None
        if where is not None and amount != 0:
            parsed.append(Boost(condition, where, amount))
    return parsed


def boosted(fused: Sequence[Fused], boosts: Sequence[Boost], query: VectorQuery, store: VectorStore) -> list[Fused]:
    """In their new order; the photo a product was found by decides whether it satisfies a condition.

    One search among the candidates per boost. The query only has to be one that the products were found with.
    """
    hits = [one.hit for one in fused]
    applied: dict[UUID, dict[str, float]] = {hit.point_id: {} for hit in hits}
    for boost in boosts:
        for point in satisfying(boost.where, hits, query, store):
            applied[point][boost.condition] = boost.amount
    return in_order(
        replace(one, score=one.score + sum(lifts.values()), boosts=tuple(lifts.items())) if lifts else one
        for one in fused
        for lifts in [applied[one.hit.point_id]]
    )


def satisfying(where: Where, hits: Sequence[Hit], query: VectorQuery, store: VectorStore) -> list[UUID]:
    """The points of those hits that satisfy the condition."""
    among = [hit.point_id for hit in hits]
    return [hit.point_id for hit in store.search(query, len(among), where, among)] if among else []
