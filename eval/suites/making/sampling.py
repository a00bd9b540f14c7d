"""Choosing from a catalogue in one pass, and which half of a suite a question belongs to."""

import heapq
from collections.abc import Iterable
from typing import Generic, TypeVar

from eval.suites.suite import Split
from indexer.showroom.split import stable_fraction

Item = TypeVar("Item")


class Sample(Generic[Item]):
    """The `size` names of lowest hash, each with everything that was added under it (bottom-k sampling).

    What is kept depends on the names alone, not on their order; a product that is added to the catalogue displaces
    at most one name. Cohen and Kaplan 2007, "Summarizing data using bottom-k sketches".
    """

    def __init__(self, size: int, salt: str) -> None:
        self._size = size
        self._salt = salt
        self._kept: dict[str, list[Item]] = {}
        self._worst: list[tuple[float, str]] = []
        """A heap of (−hash, name)."""

    def add(self, name: str, item: Item) -> None:
        if name in self._kept:
            self._kept[name].append(item)
            return
        rank = stable_fraction(self._salt, name)
        if len(self._kept) == self._size and (not self._worst or rank >= -self._worst[0][0]):
            return
        self._kept[name] = [item]
        heapq.heappush(self._worst, (-rank, name))
        if len(self._kept) > self._size:
            del self._kept[heapq.heappop(self._worst)[1]]

    def groups(self) -> list[tuple[str, list[Item]]]:
        """Name and items, lowest hash first."""
        order = sorted((-rank, name) for rank, name in self._worst)
        return [(name, self._kept[name]) for _, name in order]


def half_of(name: str) -> Split:
    """The same half for everything that carries the name: a question in all its wordings, a family of variants."""
    return Split.TUNE if stable_fraction("half", name) < 0.5 else Split.REPORT


def joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Name → the smallest name that it is joined to by any chain of pairs."""
    above: dict[str, str] = {}

    def top(name: str) -> str:
        while above.setdefault(name, name) != name:
            name = above[name]
        return name

    for one, other in pairs:
        low, high = sorted((top(one), top(other)))
        above[high] = low
    return {name: top(name) for name in list(above)}
