"""Where each key is, in 16 bytes of memory per key."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from indexer.builds.segments import Keys

Places = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class _Run:
    """Ascending by the first eight bytes of the key; where the key is: the segment's number, the row in it."""

    heads: npt.NDArray[np.uint64]
    segments: Places
    rows: Places
    held: frozenset[int]
    """The numbers in `segments`."""


class KeyIndex:
    """Sorted runs of growing size, so that adding a few keys to millions does not sort the millions again."""

    def __init__(self) -> None:
        self._runs: list[_Run] = []

    def __len__(self) -> int:
        return sum(len(run.heads) for run in self._runs)

    def add(self, segments: Mapping[int, Keys]) -> None:
        """Numbers are not used twice."""
        if not segments:
            return
        heads = np.concatenate([_heads(keys) for keys in segments.values()])
        sizes = [len(keys) for keys in segments.values()]
        numbers = np.repeat(np.fromiter(segments, np.int32), sizes)
        rows = np.concatenate([np.arange(size, dtype=np.int32) for size in sizes])
        self._runs.append(_sorted_run(heads, numbers, rows, frozenset(segments)))
        while len(self._runs) > 1 and 2 * len(self._runs[-1].heads) > len(self._runs[-2].heads):
            self._runs.append(_joined(self._runs.pop(), self._runs.pop()))

    def drop(self, numbers: Collection[int]) -> None:
        gone = np.fromiter(numbers, np.int32)
        for place, run in enumerate(self._runs):
            if not run.held.isdisjoint(numbers):
                kept = ~np.isin(run.segments, gone)
                self._runs[place] = _Run(
                    run.heads[kept], run.segments[kept], run.rows[kept], run.held.difference(numbers)
                )

    def find(self, wanted: Keys, keys_of: Callable[[int], Keys]) -> tuple[Places, Places]:
        """Segment and row of each wanted key, −1 where there is none. `keys_of` a segment settles equal heads."""
        segments, rows = np.full(len(wanted), -1, np.int32), np.full(len(wanted), -1, np.int32)
        heads = _heads(wanted)
        for run in self._runs:
            place, end = np.searchsorted(run.heads, heads), np.searchsorted(run.heads, heads, side="right")
            while len(trying := np.flatnonzero((segments < 0) & (place < end))):
                at = place[trying]
                equal = _equal(wanted[trying], run.segments[at], run.rows[at], keys_of)
                segments[trying[equal]], rows[trying[equal]] = run.segments[at[equal]], run.rows[at[equal]]
                place[trying] += 1
        return segments, rows


def _equal(wanted: Keys, segments: Places, rows: Places, keys_of: Callable[[int], Keys]) -> npt.NDArray[np.bool_]:
    """Whether each wanted key is the one at the place (n,)."""
    equal = np.zeros(len(wanted), np.bool_)
    for number in np.unique(segments).tolist():
        chosen = segments == number
        equal[chosen] = (keys_of(number)[rows[chosen]] == wanted[chosen]).all(axis=1)
    return equal


def _heads(keys: Keys) -> npt.NDArray[np.uint64]:
    """The first eight bytes of each key as a number (n,)."""
    return np.ascontiguousarray(keys[:, :8]).view(np.uint64).reshape(-1)


def _sorted_run(heads: npt.NDArray[np.uint64], segments: Places, rows: Places, held: frozenset[int]) -> _Run:
    order = np.argsort(heads)
    return _Run(heads[order], segments[order], rows[order], held)


def _joined(one: _Run, other: _Run) -> _Run:
    return _sorted_run(
        np.concatenate([one.heads, other.heads]),
        np.concatenate([one.segments, other.segments]),
        np.concatenate([one.rows, other.rows]),
        one.held | other.held,
    )
