"""The order of verified results, in two bounded passes: by who cannot be talked to, then by a model, which can.

In each pass results go by (contradicted, rank − lift), equal ones by rank, the first-stage rank or the one that the
first pass gave. A lift is a whole number of places, 0 to 3: who is denied something keeps fewer of them, and what could
not be told costs none, for shops leave fields empty, and a right product with empty fields must not fall behind wrong
ones with full ones. A model's part is 2: hence whatever a text or a photo talks a model into, its product rises by
three places at most against the truth, and nothing else falls by more than one (the tests try every case; places that
a rule has taken are not counted).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

LOCAL_LIFT: Final = 3
MODEL_LIFT: Final = 2
DENIED: Final = 2
"""Places lost for each constraint that is denied: with one, two neighbours would stay as they stand."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A product of the verified window. One that is `fixed`, by a merchandiser's rule, keeps its place."""

    lift: int = 0
    contradicted: bool = False
    fixed: bool = False


def ordered(window: Sequence[Standing]) -> list[int]:
    """Places in the window, given in their order, as they are to be shown."""
    free = [place for place, one in enumerate(window) if not one.fixed]
    ranks = {place: rank for rank, place in enumerate(free)}
    best = iter(sorted(free, key=lambda place: (window[place].contradicted, ranks[place] - window[place].lift, place)))
    return [place if one.fixed else next(best) for place, one in enumerate(window)]


def left(denied: int) -> int:
    """What is left of LOCAL_LIFT places to a product that is denied so many constraints."""
    return max(0, LOCAL_LIFT - DENIED * denied)


def believed(least: float | None) -> int:
    """What is left of MODEL_LIFT places to a product of which the least sure constraint holds to that degree, 0 to 1;
    None: nothing could be told."""
    return MODEL_LIFT if least is None else round(MODEL_LIFT * least)
