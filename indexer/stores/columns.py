"""Payload columns of stores that keep rows in this process: a filter becomes one boolean mask over all rows."""

import math
from array import array
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Final

import numpy as np
import numpy.typing as npt

from indexer.domain import AllOf, AnyOf, Condition, FieldType, Not, Op, PayloadValue, Where

Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float64]
COMPARE: Final = {
    Op.EQ: np.equal,
    Op.NE: np.not_equal,
    Op.LT: np.less,
    Op.LE: np.less_equal,
    Op.GT: np.greater,
    Op.GE: np.greater_equal,
}
"""NaN, an absent number, satisfies none of them but `!=`."""


class Columns:
    """Numbers and flags (capacity,) as float64, NaN where absent; keywords as lists of row numbers per value."""

    def __init__(self, fields: Mapping[str, FieldType], capacity: int) -> None:
        self._numbers: dict[str, Numbers] = {
            name: np.full(capacity, np.nan) for name, kind in fields.items() if kind is not FieldType.KEYWORD
        }
        self._flags = frozenset(name for name, kind in fields.items() if kind is FieldType.FLAG)
        self._keywords: dict[str, dict[str, array[int]]] = {
            name: {} for name, kind in fields.items() if kind is FieldType.KEYWORD
        }

    def write(self, start: int, payloads: Sequence[Mapping[str, PayloadValue]]) -> None:
        """Rows from `start` on, which were never written before."""
        for row, payload in enumerate(payloads, start):
            for name, value in payload.items():
                if isinstance(value, list):
                    for word in set(value):
                        self._keywords[name].setdefault(word, array("q")).append(row)
                else:
                    self._numbers[name][row] = float(value)

    def write_numbers(self, name: str, start: int, numbers: Numbers) -> None:
        """Numbers, or flags as 0 and 1, of the rows from `start` on; NaN where absent."""
        self._numbers[name][start : start + numbers.size] = numbers

    def write_word(self, name: str, word: str, rows: npt.NDArray[np.int64]) -> None:
        """Rows (ascending, behind those written before) whose list holds the word."""
        self._keywords[name].setdefault(word, array("q")).frombytes(rows.tobytes())

    def values(self, rows: npt.NDArray[np.intp]) -> dict[str, list[float | bool | None]]:
        """Each number and flag of the rows, None where absent."""
        found: dict[str, list[float | bool | None]] = {}
        for name, numbers in self._numbers.items():
            kind = bool if name in self._flags else float
            found[name] = [None if math.isnan(number) else kind(number) for number in numbers[rows].tolist()]
        return found

    def mask(self, where: Where, rows: int) -> Mask:
        """(rows,) whether each row satisfies the filter, which was checked against the fields."""
        match where:
            case AllOf(terms):
                return reduce(np.logical_and, (self.mask(term, rows) for term in terms), np.ones(rows, dtype=np.bool_))
            case AnyOf(terms):
                return reduce(np.logical_or, (self.mask(term, rows) for term in terms), np.zeros(rows, dtype=np.bool_))
            case Not(term):
                return ~self.mask(term, rows)
            case Condition():
                return self._holds(where, rows)

    def resize(self, capacity: int) -> None:
        for name, numbers in self._numbers.items():
            grown = np.full(capacity, np.nan)
            grown[: numbers.size] = numbers
            self._numbers[name] = grown

    def squeeze(self, kept: npt.NDArray[np.intp]) -> None:
        """Keep only these rows (ascending), numbered anew from 0."""
        for numbers in self._numbers.values():
            numbers[: kept.size] = numbers[kept]
            numbers[kept.size :] = np.nan
        for values in self._keywords.values():
            for word in list(values):
                values[word], _ = renumber(values[word], kept)

    def _holds(self, condition: Condition, rows: int) -> Mask:
        if condition.field in self._keywords:
            equal = np.zeros(rows, dtype=np.bool_)
            listed = self._keywords[condition.field].get(str(condition.value))
            if listed is not None:
                equal[np.frombuffer(listed, dtype=np.int64)] = True
            return equal if condition.op is Op.EQ else ~equal
        numbers, value = self._numbers[condition.field][:rows], float(condition.value)
        holds: Mask = COMPARE[condition.op](numbers, value)
        return holds


def renumber(rows: "array[int]", kept: npt.NDArray[np.intp]) -> "tuple[array[int], Mask]":
    """The new numbers of those of `rows` that are kept (both ascending), and which of them those were."""
    old = np.frombuffer(rows, dtype=np.int64)
    if not kept.size:
        return array("q"), np.zeros(old.size, dtype=np.bool_)
    place = np.minimum(np.searchsorted(kept, old), kept.size - 1)
    stays = kept[place] == old
    return array("q", place[stays].astype(np.int64).tobytes()), stays
