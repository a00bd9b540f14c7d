"""The order of verified results: bounded, so that no single verdict can do much.

Products go by (contradicted, rank − lift), equal ones by rank. A lift is a whole number of places, 0 to 3: what the
model says gives up to 2 of them, what cannot be talked to (the shop's fields, the palette, the encoder) the third.
Hence whatever a text or photo talks a model into, its product rises by three places at most against the truth, and
nothing else falls by more than one: with r the rank and a lift that differs by 2 there are three products at most
whose own rank − lift lies between (the tests try every case).
"""

from collections.abc import Sequence
from dataclasses import dataclass

MODEL_LIFT = 2
LOCAL_LIFT = 1
ALONE_LIFT = 3
"""Of verdicts that no model had a part in."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A product of the verified window. One that is `fixed`, by a merchandiser's rule, keeps its place."""

    lift: int = 0
    contradicted: bool = False
    fixed: bool = False


def ordered(window: Sequence[Standing]) -> list[int]:
    """Places in the window, given in first-stage order, as they are to be shown."""
    free = [place for place, one in enumerate(window) if not one.fixed]
    ranks = {place: rank for rank, place in enumerate(free)}
    best = iter(sorted(free, key=lambda place: (window[place].contradicted, ranks[place] - window[place].lift, place)))
    return [place if one.fixed else next(best) for place, one in enumerate(window)]


def places(score: float | None, most: int) -> int:
    """What a score of 0 to 1 lifts, of `most` places; what could not be told lifts nothing."""
    return 0 if score is None else round(score * most)
