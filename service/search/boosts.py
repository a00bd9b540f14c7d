"""Products are lifted (or, below zero, lowered) in the order by what is known of them: `in_stock=true` by 0.3."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from indexer.domain import FieldType, Where
from indexer.errors import BadFilter
from service.search.expressions import TIMES, Apply, Expression, Holds, Number
from service.search.fusion import Fused, in_order
from service.search.where import EPOCH, parse_where


@dataclass(frozen=True)
class Lift:
    """`name` is what an answer calls it; the expression's amount is in the unit of the fused score."""

    name: str
    expression: Expression


def lift_where(name: str, where: Where, amount: float) -> Lift:
    """The same amount for all that satisfy a condition."""
    return Lift(name, Expression((Apply(TIMES, (Number(amount), Holds(where))),)))


def lift(fused: Sequence[Fused], lifts: Sequence[Lift], today: date | None = None) -> list[Fused]:
    """In their new order, each with the amounts that are not 0 behind the boosts it had.

    The payload of the photo that a product was found by decides. `today`, by default the day it is in UTC, is what
    recency is reckoned from.
    """
    if not lifts:
        return in_order(fused)
    days = float(((today or datetime.now(UTC).date()) - EPOCH).days)
    payloads = [one.payload for one in fused]
    names = [each.name for each in lifts]
    amounts = [each.expression.amounts(payloads, days).tolist() for each in lifts]
    return in_order(
        _lifted(one, [given for given in zip(names, of_product, strict=True) if given[1]])
        for one, of_product in zip(fused, zip(*amounts, strict=True), strict=True)
    )


def _lifted(one: Fused, given: Sequence[tuple[str, float]]) -> Fused:
    if not given:
        return one
    return one.lifted(one.score + sum(amount for _, amount in given), (*one.boosts, *given))


def parse_boosts(boosts: Mapping[str, float], fields: Mapping[str, FieldType]) -> list[Lift]:
    """Those that change anything. Raises BadFilter naming the condition whose field, operator or value is wrong."""
    parsed = []
    for condition, amount in boosts.items():
        try:
            where = parse_where([condition], fields)
        except BadFilter as error:
            raise BadFilter(f"search.boosts: {condition!r} cannot be used: {error}") from None
        if where is not None and amount != 0:
            parsed.append(lift_where(condition, where, amount))
    return parsed
