"""A plot of a cost by points as an SVG file, both axes logarithmic: what grows with the catalogue is a straight line.

It brings its colours for light and dark and its own ground, so that it can be read wherever it is shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10
from typing import Final

WIDTH: Final = 560
LEFT, RIGHT, TOP, BOTTOM = 64, 540, 62, 262
HEIGHT: Final = 306
LETTER: Final = 7
"""Pixels that a letter of a name takes, about."""
SERIES: Final = 4
"""Colours; further lines begin again."""
NARROW: Final = 30.0
"""How many times the smallest value the largest one may be for ticks between the powers of ten."""
STYLE: Final = """<style>
svg{--ink:#1d1c1a;--quiet:#69655e;--grid:#e3dfd7;--ground:#fff;font:12px system-ui,sans-serif}
.s0{color:#2b66a8}.s1{color:#c2571f}.s2{color:#2f7d57}.s3{color:#84509b}
@media(prefers-color-scheme:dark){svg{--ink:#efece6;--quiet:#a8a298;--grid:#38352f;--ground:#191817}
.s0{color:#7db2ee}.s1{color:#f0975f}.s2{color:#79c9a0}.s3{color:#c99ae0}}
text{fill:var(--ink)}.h{font-weight:600}.q{fill:var(--quiet)}.m{text-anchor:middle}.e{text-anchor:end}
.b{fill:var(--ground)}.g{stroke:var(--grid);fill:none}.l{fill:none;stroke:currentColor;stroke-width:2}
.s1 .l{stroke-dasharray:7 3}.s2 .l{stroke-dasharray:2 3}.s3 .l{stroke-dasharray:9 3 2 3}.d{fill:currentColor}
</style>"""

Points = Sequence[tuple[int, float]]
"""(points, cost), by points."""


@dataclass(frozen=True)
class Axis:
    """Ticks by their values, from `start` to `end` in pixels; the outermost ticks are its ends."""

    ticks: Sequence[float]
    start: float
    end: float
    linear: bool = False

    def at(self, value: float) -> float:
        low, high, place = (one if self.linear else log10(one) for one in (self.ticks[0], self.ticks[-1], value))
        return self.start + (place - low) / (high - low) * (self.end - self.start)


def plot(lines: Mapping[str, Points], title: str, unit: str, *, share: bool = False) -> str:
    """The file's text. Costs are above 0; those of a `share` lie below 1, on an axis that is not logarithmic.

    Raises ValueError for fewer than two sizes.
    """
    sizes = sorted({float(size) for line in lines.values() for size, _ in line})
    if len(sizes) < 2:
        raise ValueError("a plot by points needs two sizes")
    values = [value for line in lines.values() for _, value in line]
    across = Axis(sizes, LEFT, RIGHT)
    up = Axis(_shares(min(values)) if share else _powers(min(values), max(values)), BOTTOM, TOP, linear=share)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}">',
        f"<title>{escape(title)}, by points</title>{STYLE}",
        f'<rect class="b" width="{WIDTH}" height="{HEIGHT}" rx="6"/>',
        f'<text class="h" x="12" y="20">{escape(title)}, {escape(unit)}</text>',
        *(_across(up.at(tick), value_label(tick)) for tick in up.ticks),
        *(_upright(across.at(tick), size_label(tick)) for tick in across.ticks),
        f'<text class="q m" x="{(LEFT + RIGHT) / 2:g}" y="{BOTTOM + 36}">points</text>',
    ]
    place = float(LEFT)
    for number, (name, line) in enumerate(lines.items()):
        parts.append(_line(name, line, across, up, number % SERIES, place))
        place += 44 + LETTER * len(name)
    return "\n".join([*parts, "</svg>\n"])


def size_label(points: float) -> str:
    """`500`, `30k`, `1M`."""
    if points >= 1e6:
        return f"{points / 1e6:g}M"
    return f"{points / 1e3:g}k" if points >= 1e3 else f"{points:g}"


def value_label(value: float) -> str:
    """`0.2`, `5`, `1,000`."""
    return f"{value:,.0f}" if value >= 1 and value == round(value) else f"{value:.3g}"


def _powers(least: float, most: float) -> list[float]:
    """Powers of ten around the values; 2 and 5 times them too where there would be few."""
    steps = (1, 2, 5) if most / least <= NARROW else (1,)
    low, high = floor(log10(least)), ceil(log10(most)) + 1
    ticks = [float(f"{step}e{power}") for power in range(low, high + 1) for step in steps]
    first = max(place for place, tick in enumerate(ticks) if tick <= least)
    last = min(place for place, tick in enumerate(ticks) if tick >= most and place > first)
    return ticks[first : last + 1]


def _shares(least: float) -> list[float]:
    """Five steps up to 1, from the tenth below the least, or from .9."""
    low = min(floor(least * 10) / 10, 0.9)
    return [low + (1 - low) * step / 5 for step in range(6)]


def _across(y: float, label: str) -> str:
    return (
        f'<path class="g" d="M{LEFT} {y:.1f}H{RIGHT}"/><text class="q e" x="{LEFT - 8}" y="{y + 4:.1f}">{label}</text>'
    )


def _upright(x: float, label: str) -> str:
    return (
        f'<path class="g" d="M{x:.1f} {TOP}V{BOTTOM + 4}"/>'
        f'<text class="q m" x="{x:.1f}" y="{BOTTOM + 18}">{label}</text>'
    )


def _line(name: str, line: Points, across: Axis, up: Axis, colour: int, place: float) -> str:
    """With its name above the plot, which begins at `place`."""
    at = [(across.at(size), up.at(value), size, value) for size, value in line]
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y, _, _ in at)
    dots = "".join(
        f'<circle class="d" cx="{x:.1f}" cy="{y:.1f}" r="3"><title>{escape(name)}, {size_label(size)}: '
        f"{value:.4g}</title></circle>"
        for x, y, size, value in at
    )
    return (
        f'<g class="s{colour}"><title>{escape(name)}</title><path class="l" d="M{place:g} 40h22"/>'
        f'<text x="{place + 28:g}" y="44">{escape(name)}</text><path class="l" d="M{path}"/>{dots}</g>'
    )
