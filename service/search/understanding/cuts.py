"""Words that are taken out of a query because something else does what they ask."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from indexer.domain import Where
from service.search.understanding.chips import Chip, SoftBoost

_DANGLING = " ,;:/–-"
_BEFORE_MARK = re.compile(r"\s+(?=[,;.!?])")
_MARKS = re.compile(r"(?:[,;]\s*)+(?=[,;.!?])")


@dataclass(frozen=True)
class Cut:
    """The text from `start` to `end`, and what is done instead: a filter, words to avoid, negative boosts."""

    start: int
    end: int
    chip: Chip
    where: Where | None = None
    avoid: str | None = None
    boosts: tuple[SoftBoost, ...] = ()


def disjoint(cuts: Iterable[Cut]) -> list[Cut]:
    """In order of their places; of two that overlap the one that was read first."""
    kept: list[Cut] = []
    for cut in cuts:
        if all(cut.end <= other.start or cut.start >= other.end for other in kept):
            kept.append(cut)
    return sorted(kept, key=lambda cut: cut.start)


def without(text: str, cuts: Iterable[Cut]) -> str:
    """The text that is left, without the marks that then stand alone. The cuts are disjoint and in order."""
    left, at = [], 0
    for cut in cuts:
        left.append(text[at : cut.start])
        at = cut.end
    left.append(text[at:])
    joined = " ".join(" ".join(left).split())
    return _MARKS.sub("", _BEFORE_MARK.sub("", joined)).strip(_DANGLING)
