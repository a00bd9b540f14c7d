"""Whether a filter holds for products at hand: what stores answer, without asking one."""

import operator
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Final

import numpy as np
import numpy.typing as npt

from indexer.domain import AllOf, AnyOf, Condition, Not, Op, PayloadValue, Where

Payload = Mapping[str, PayloadValue]
Value = str | float | bool
Mask = npt.NDArray[np.bool_]
"""Shape (n,), one per product."""

_ORDERED: Final[Mapping[Op, Callable[[float, float], bool]]] = {
    Op.LT: operator.lt,
    Op.LE: operator.le,
    Op.GT: operator.gt,
    Op.GE: operator.ge,
}


def holds(where: Where, payload: Payload) -> bool:
    """As every store decides it: a field that is missing satisfies `!=` alone, a list `=` by any of its elements."""
    return bool(held(where, [payload])[0])


def held(where: Where, payloads: Sequence[Payload]) -> Mask:
    """`holds` for each of many products (n,): field by field, which spares a call for each product and term."""
    match where:
        case Condition(name, op, value):
            found = [payload.get(name) for payload in payloads]
            if op is Op.EQ:
                return _equal(found, value)
            return ~_equal(found, value) if op is Op.NE else _ordered(found, _ORDERED[op], value)
        case AllOf(terms):
            return reduce(np.logical_and, (held(term, payloads) for term in terms), np.ones(len(payloads), np.bool_))
        case AnyOf(terms):
            return reduce(np.logical_or, (held(term, payloads) for term in terms), np.zeros(len(payloads), np.bool_))
        case Not(term):
            return ~held(term, payloads)


def _equal(found: Sequence[PayloadValue | None], value: Value) -> Mask:
    return np.array([value in one if isinstance(one, list) else one == value for one in found], np.bool_)


def _ordered(found: Sequence[PayloadValue | None], compares: Callable[[float, float], bool], value: Value) -> Mask:
    if isinstance(value, str):
        return np.zeros(len(found), np.bool_)
    numbers = (None if isinstance(one, str | list) else one for one in found)
    return np.array([one is not None and compares(one, value) for one in numbers], np.bool_)
