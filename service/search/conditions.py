"""Whether a filter holds for a product at hand: what stores answer, without asking one."""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from indexer.domain import AllOf, AnyOf, Condition, Not, Op, PayloadValue, Where

Payload = Mapping[str, PayloadValue]
Test = Callable[[Payload], bool]

_ORDERED: Final[Mapping[Op, Callable[[float, float], bool]]] = {
    Op.LT: operator.lt,
    Op.LE: operator.le,
    Op.GT: operator.gt,
    Op.GE: operator.ge,
}


def holds(where: Where, payload: Payload) -> bool:
    """As every store decides it: a field that is missing satisfies `!=` alone, a list `=` by any of its elements."""
    return test_of(where)(payload)


def test_of(where: Where) -> Test:
    """`holds`, read once for many products."""
    match where:
        case Condition(name, op, value):
            if op is Op.EQ:
                return _equal(name, value)
            return _not(_equal(name, value)) if op is Op.NE else _ordered(name, _ORDERED[op], value)
        case AllOf(terms):
            return _all([*map(test_of, terms)])
        case AnyOf(terms):
            return _any([*map(test_of, terms)])
        case Not(term):
            return _not(test_of(term))


def _equal(name: str, value: str | float | bool) -> Test:
    def test(payload: Payload) -> bool:
        found = payload.get(name)
        return value in found if isinstance(found, list) else found == value

    return test


def _ordered(name: str, compares: Callable[[float, float], bool], value: str | float | bool) -> Test:
    def test(payload: Payload) -> bool:
        found = payload.get(name)
        if found is None or isinstance(found, str | list) or isinstance(value, str):
            return False
        return compares(found, value)

    return test


def _not(term: Test) -> Test:
    return lambda payload: not term(payload)


def _all(terms: Sequence[Test]) -> Test:
    return lambda payload: all(term(payload) for term in terms)


def _any(terms: Sequence[Test]) -> Test:
    return lambda payload: any(term(payload) for term in terms)
