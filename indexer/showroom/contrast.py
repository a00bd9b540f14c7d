"""How far apart the vocabulary's colours look."""

from functools import cache
from itertools import product
from math import dist

from indexer.showroom.look import COLOURS, RGB

Lab = tuple[float, float, float]

SECOND_DISTANCE = 45.0
"""Least Lab distance between a pattern's two colours: stripes must show in the shade too."""
SIBLING_DISTANCE = 30.0
"""Least Lab distance between two colours of one family: a shopper must see which is which."""


@cache
def colour_distance(one: str, other: str) -> float:
    """CIE76 distance between two colour names; 2.3 is a just noticeable difference."""
    return dist(_lab(COLOURS[one]), _lab(COLOURS[other]))


@cache
def second_colours(colour: str) -> tuple[str, ...]:
    """The colours that show clearly on `colour`."""
    return tuple(name for name in COLOURS if colour_distance(colour, name) >= SECOND_DISTANCE)


def _lab(rgb: RGB) -> Lab:
    """sRGB 0..255 to CIE L*a*b* under D65 (IEC 61966-2-1, CIE 15)."""
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (c / 255 for c in rgb)]
    rows = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    xyz = [sum(a * b for a, b in zip(row, linear, strict=True)) for row in rows]
    white = (0.9505, 1.0, 1.089)
    x, y, z = (_cube_root(value / w) for value, w in zip(xyz, white, strict=True))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _cube_root(t: float) -> float:
    return t ** (1 / 3) if t > 216 / 24389 else (24389 / 27 * t + 16) / 116


def contrasting_pairs() -> tuple[tuple[str, str], ...]:
    """All (colour, second) pairs whose second shows clearly."""
    return tuple((a, b) for a, b in product(COLOURS, COLOURS) if b in second_colours(a))
