"""What a text claims about a product, so that truth between any text and any look can be decided."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.showroom.look import COLOURS, KINDS, PATTERNS, Look

_KIND_IDS = {name: number for number, name in enumerate(KINDS)}
_COLOUR_IDS = {name: number for number, name in enumerate(COLOURS)}
_PATTERN_IDS = {name: number for number, name in enumerate(PATTERNS)}
_MATERIAL_IDS = {name: number for number, name in enumerate(sorted({m for k in KINDS.values() for m in k.materials}))}
_ANY = -1


@dataclass(frozen=True)
class Claim:
    """The attributes a text states; None is silence. `kinds` lists every kind the text's noun may mean."""

    kinds: frozenset[str] | None = None
    colour: str | None = None
    second: str | None = None
    pattern: str | None = None
    material: str | None = None

    def holds(self, look: Look) -> bool:
        """Whether every stated attribute is the look's; a second colour shows on patterned looks only."""
        return (
            (self.kinds is None or look.kind in self.kinds)
            and self.colour in (None, look.colour)
            and self.pattern in (None, look.pattern)
            and self.material in (None, look.material)
            and (self.second is None or (look.pattern != "plain" and self.second == look.second))
        )


def truth(claims: Sequence[Claim], looks: Sequence[Look]) -> NDArray[np.bool_]:
    """`claim.holds(look)` for all pairs: (len(claims), len(looks))."""
    kinds = np.ones((len(claims), len(_KIND_IDS)), dtype=np.bool_)
    for row, claim in enumerate(claims):
        if claim.kinds is not None:
            kinds[row] = [name in claim.kinds for name in _KIND_IDS]
    stated = np.array([_stated(claim) for claim in claims], dtype=np.int64).reshape(-1, 4)
    shown = np.array([_shown(look) for look in looks], dtype=np.int64).reshape(-1, 4)
    matches = (stated[:, None, :] == _ANY) | (stated[:, None, :] == shown[None, :, :])
    kind_of = np.array([_KIND_IDS[look.kind] for look in looks], dtype=np.int64)
    result: NDArray[np.bool_] = matches.all(axis=2) & kinds[:, kind_of]
    return result


def _stated(claim: Claim) -> tuple[int, int, int, int]:
    return (
        _ANY if claim.colour is None else _COLOUR_IDS[claim.colour],
        _ANY if claim.pattern is None else _PATTERN_IDS[claim.pattern],
        _ANY if claim.material is None else _MATERIAL_IDS[claim.material],
        _ANY if claim.second is None else _COLOUR_IDS[claim.second],
    )


def _shown(look: Look) -> tuple[int, int, int, int]:
    second = -2 if look.pattern == "plain" else _COLOUR_IDS[look.second]
    return (_COLOUR_IDS[look.colour], _PATTERN_IDS[look.pattern], _MATERIAL_IDS[look.material], second)
