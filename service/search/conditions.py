"""Whether a filter holds for a product at hand: what stores answer, without asking one."""

from collections.abc import Mapping

from indexer.domain import AllOf, AnyOf, Condition, Not, Op, PayloadValue, Where


def holds(where: Where, payload: Mapping[str, PayloadValue]) -> bool:
    """As every store decides it: a field that is missing satisfies `!=` alone, a list `=` by any of its elements."""
    match where:
        case Condition(name, op, value):
            found = payload.get(name)
            return found is not None and _compares(found, op, value) if op is not Op.NE else not _equals(found, value)
        case AllOf(terms):
            return all(holds(term, payload) for term in terms)
        case AnyOf(terms):
            return any(holds(term, payload) for term in terms)
        case Not(term):
            return not holds(term, payload)


def _compares(found: PayloadValue, op: Op, value: str | float | bool) -> bool:
    if op is Op.EQ:
        return _equals(found, value)
    if isinstance(found, str | list) or isinstance(value, str):
        return False
    if op is Op.LT:
        return found < value
    if op is Op.LE:
        return found <= value
    return found > value if op is Op.GT else found >= value


def _equals(found: PayloadValue | None, value: str | float | bool) -> bool:
    return value in found if isinstance(found, list) else found == value
