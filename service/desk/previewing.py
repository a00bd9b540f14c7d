"""Two answers to one query beside each other: what moved, what is new, what is gone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from indexer.catalog.builds import BuildRepository
from indexer.catalog.engine import Database
from indexer.catalog.records import BuildRecord
from indexer.catalog.states import PUBLISHABLE_STATES
from service.search.answer import Answer, Result

Move = Literal["same", "up", "down", "new", "gone"]
OFFERED = 50
"""Builds that one can choose from."""


@dataclass(frozen=True)
class Placed:
    """A result, and what becomes of it on the other side."""

    result: Result
    move: Move
    other: int | None
    """Its rank there; None: not among those that were asked for."""


@dataclass(frozen=True)
class SideBySide:
    before: Answer
    after: Answer
    left: tuple[Placed, ...]
    """Of `before`: where each goes, or that it is gone."""
    right: tuple[Placed, ...]
    """Of `after`: where each comes from, or that it is new."""

    @property
    def moved(self) -> int:
        """Products that both sides have at different places, of those shown on either."""
        return len({one.result.id for one in (*self.left, *self.right) if one.move in ("up", "down")})

    @property
    def new(self) -> int:
        return sum(one.move == "new" for one in self.right)

    @property
    def gone(self) -> int:
        return sum(one.move == "gone" for one in self.left)

    @property
    def same(self) -> bool:
        return not (self.moved or self.new or self.gone)


def side_by_side(before: Answer, after: Answer, shown: int | None = None) -> SideBySide:
    """Of the first `shown` on each side; where they are on the other is told however far down that is."""
    left, right = before.results, after.results
    return SideBySide(before, after, _placed(left, right, "gone", 1)[:shown], _placed(right, left, "new", -1)[:shown])


def finished_builds(database: Database) -> list[BuildRecord]:
    """Of all catalogs, newest first: those that can be searched, whether they are published or not."""
    with database.session() as session:
        found = BuildRepository(session).recent(limit=1_000)
    return [one for one in found if one.state in PUBLISHABLE_STATES][:OFFERED]


def _placed(these: Sequence[Result], others: Sequence[Result], missing: Move, sign: int) -> tuple[Placed, ...]:
    """`sign` 1 when the others come after these, -1 when before."""
    ranks = {one.id: one.rank for one in others}
    return tuple(Placed(one, _move(one.rank, ranks.get(one.id), missing, sign), ranks.get(one.id)) for one in these)


def _move(rank: int, other: int | None, missing: Move, sign: int) -> Move:
    if other is None:
        return missing
    if other == rank:
        return "same"
    return "up" if (other - rank) * sign < 0 else "down"
