"""Boosts as arithmetic over a product's fields, as a tree that is evaluated for many products at a time.

The amount is in the unit of the fused score. A condition counts 1 or 0, a flag as well, a date the days since
1970-01-01. Each part of the outermost sum counts for itself: one that needs a field which the product lacks, or that
has no finite value (a division by 0, the logarithm of a negative number), counts 0.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Final

import numpy as np
import numpy.typing as npt

from indexer.domain import PayloadValue, Where
from service.search.conditions import held

LIMIT = 1_000.0
"""The most an expression adds or takes, far beyond the scores there are: what is lifted so much is first."""

PLUS, TIMES, NEGATIVE, INVERSE = "+", "*", "-", "/"
"""Operators; the first two take any number of values, the others one."""
FUNCTIONS: Final = {"log": (1, 1), "sqrt": (1, 1), "min": (2, 100), "max": (2, 100), "clip": (3, 3)}
"""Function → how many values it takes at least and at most. The logarithm is the natural one; clip(x, low, high)."""

Payload = Mapping[str, PayloadValue]
Values = npt.NDArray[np.float64]
"""Shape (n,), one per product."""


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Field:
    """A number, flag or date of the product."""

    name: str


@dataclass(frozen=True, slots=True)
class Holds:
    """1 for products that satisfy the condition, else 0."""

    where: Where


@dataclass(frozen=True, slots=True)
class Default:
    """The field, or for products without it the number."""

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class Recency:
    """1 today, half of it after each `half_life` days; what is dated ahead counts as of today."""

    name: str
    half_life: float


@dataclass(frozen=True, slots=True)
class Apply:
    """A function or an operator."""

    name: str
    arguments: tuple["Node", ...]


Node = Number | Field | Holds | Default | Recency | Apply


@dataclass(frozen=True, slots=True)
class Expression:
    """The parts of the outermost sum."""

    parts: tuple[Node, ...]

    def amounts(self, payloads: Sequence[Payload], today: float) -> Values:
        """(n,) what it adds to each product's score, at most LIMIT either way; `today` in days since 1970-01-01."""
        with np.errstate(all="ignore"):
            parts = [_values(part, payloads, today) for part in self.parts]
            counted = (np.where(np.isnan(part), 0.0, np.clip(part, -LIMIT, LIMIT)) for part in parts)
            return np.clip(sum(counted), -LIMIT, LIMIT)


def _values(node: Node, payloads: Sequence[Payload], today: float) -> Values:
    """(n,), NaN where a field is missing or the result is no finite number."""
    match node:
        case Number(value):
            return np.full(len(payloads), value)
        case Holds(where):
            return held(where, payloads).astype(np.float64)
        case Field(name):
            return _numbers(name, payloads)
        case Default(name, value):
            found = _numbers(name, payloads)
            return np.where(np.isnan(found), value, found)
        case Recency(name, half_life):
            return _finite(np.power(0.5, np.maximum(0.0, today - _numbers(name, payloads)) / half_life))
        case Apply(name, arguments):
            return _finite(_COMPUTE[name]([_values(one, payloads, today) for one in arguments]))


def _numbers(name: str, payloads: Sequence[Payload]) -> Values:
    found = (payload.get(name) for payload in payloads)
    return _finite(np.array([one if isinstance(one, bool | int | float) else math.nan for one in found], np.float64))


def _finite(values: Values) -> Values:
    return np.where(np.isfinite(values), values, math.nan)


_COMPUTE: Final[Mapping[str, Callable[[Sequence[Values]], Values]]] = {
    PLUS: lambda given: np.sum(given, axis=0),
    TIMES: lambda given: reduce(np.multiply, given),
    NEGATIVE: lambda given: -given[0],
    INVERSE: lambda given: 1 / given[0],
    "log": lambda given: np.log(given[0]),
    "sqrt": lambda given: np.sqrt(given[0]),
    "min": lambda given: np.min(given, axis=0),
    "max": lambda given: np.max(given, axis=0),
    "clip": lambda given: np.maximum(given[1], np.minimum(given[2], given[0])),
}
