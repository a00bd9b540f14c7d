"""Charts as inline SVG: pure functions from numbers to markup.

No colour is fixed here: the classes are coloured by the report's style sheet, for light, dark and paper. Every chart
says in words what it shows (`<title>`), and every mark its value.
"""

from collections.abc import Mapping, Sequence
from math import isfinite

import numpy as np
from markupsafe import Markup

from eval.figures import between, short
from eval.report.scales import Scale

WIDTH = 640
LETTER = 7.0
"""Pixels that one letter of a label takes, about, at the 12 px of the style sheet."""
SERIES = 6
"""Colours of lines in the style sheet; further lines begin again, and are dashed."""
MOST_BINS = 30
MOST_DOTS = 25
"""A line of more points is drawn without dots."""

Points = Sequence[tuple[float, float]]


def line_chart(
    series: Mapping[str, Points],
    *,
    title: str,
    x_label: str,
    y_label: str,
    bands: Mapping[str, Points] | None = None,
    marks: Mapping[float, str] | None = None,
) -> Markup:
    """Lines of (x, y) points. `bands` has a line's (low, high) per point; `marks` names places on the x axis."""
    bands = bands or {}
    legend, top = _legend(list(series))
    height = top + 280
    points = [point for line in series.values() for point in line]
    ends = [end for band in bands.values() for pair in band for end in pair]
    xs = Scale.over([x for x, _ in points] + list(marks or {}), 56, WIDTH - 16, rounded=False)
    ys = Scale.over([y for _, y in points] + ends, height - 48, top)
    parts = [_frame(xs, ys, x_label, y_label), legend]
    for number, (name, line) in enumerate(series.items()):
        if name in bands:
            parts.append(_band(line, bands[name], xs, ys, number))
    parts += [_line(name, line, xs, ys, number) for number, (name, line) in enumerate(series.items())]
    parts += [_mark(xs.at(x), label, ys) for x, label in (marks or {}).items()]
    return _svg(title, height, parts)


def heatmap(
    rows: Sequence[str],
    columns: Sequence[str],
    values: Sequence[Sequence[float]],
    *,
    title: str,
    row_label: str,
    column_label: str,
    best: tuple[int, int] | None = None,
) -> Markup:
    """`values[row][column]`, the darkest highest; NaN is an empty cell. `best` is the cell to be framed."""
    left = 40 + LETTER * max((len(name) for name in rows), default=0)
    wide = max((WIDTH - 16 - left) / max(len(columns), 1), 24.0)
    tall, top = 30, 68
    finite = [value for row in values for value in row if isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    height = top + tall * len(rows) + 16
    parts = [
        _text(left, 42, column_label, "label"),
        _text(14, (top + height - 16) / 2, row_label, "label middle", turned=True),
    ]
    parts += [_text(left + (n + 0.5) * wide, 60, name, "middle") for n, name in enumerate(columns)]
    for n, (name, row) in enumerate(zip(rows, values, strict=True)):
        y = top + n * tall
        parts.append(_text(left - 8, y + 19, name, "end"))
        for m, value in enumerate(row):
            share = (value - low) / (high - low) if high > low else 0.5
            where = f"{row_label} {name}, {column_label} {columns[m]}"
            parts.append(_cell(left + m * wide, y, wide, tall, value, share, where, framed=best == (n, m)))
    return _svg(title, height, parts, width=max(WIDTH, left + wide * len(columns) + 16))


def interval_chart(figures: Sequence[tuple[str, float, float, float]], *, title: str, zero: bool = False) -> Markup:
    """A row per (label, mean, low, high): a dot with whiskers and its value. `zero` draws the line of no difference.

    A NaN end leaves the whiskers out.
    """
    left = 16 + LETTER * max((len(label) for label, *_ in figures), default=0)
    top, tall = 36, 26
    bottom = top + tall * len(figures)
    values = [value for _, *row in figures for value in row] + ([0.0] if zero else [])
    xs = Scale.over(values, left, WIDTH - 150)
    parts = [_upright("grid", xs.at(tick), top, bottom) for tick in xs.ticks]
    parts += [_text(xs.at(tick), bottom + 18, xs.label(tick), "middle") for tick in xs.ticks]
    if zero:
        parts.append(_upright("zero", xs.at(0.0), top, bottom))
    for number, figure in enumerate(figures):
        parts.append(_whiskers(figure, xs, top + (number + 0.5) * tall, signed=zero))
    return _svg(title, bottom + 28, parts)


def histogram(values: Sequence[float], *, title: str, x_label: str, zero: bool = False) -> Markup:
    """How many values fall where; values that are not finite are left out. `zero` draws a line at zero."""
    finite = np.array([value for value in values if isfinite(value)], np.float64)
    bins = min(max(len(np.histogram_bin_edges(finite, "auto")) - 1, 8), MOST_BINS) if len(finite) else 1
    counts, edges = np.histogram(finite, bins)
    height, top = 260, 36
    xs = Scale.over([float(edge) for edge in edges], 56, WIDTH - 16, rounded=False)
    ys = Scale.over([0.0, float(counts.max() or 1)], height - 48, top)
    parts = [_frame(xs, ys, x_label, "queries")]
    for count, low, high in zip(counts, edges[:-1], edges[1:], strict=True):
        shape = '<rect class="bar" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>'
        x, y = xs.at(float(low)), ys.at(float(count))
        said = f"{low:.3g} to {high:.3g}: {count}"
        parts.append(Markup(shape).format(x + 0.5, y, max(xs.at(float(high)) - x - 1, 0.5), ys.start - y, said))
    if zero and xs.low <= 0 <= xs.high:
        parts.append(_upright("zero", xs.at(0.0), ys.start, top))
    return _svg(title, height, parts)


def _svg(title: str, height: float, parts: Sequence[Markup], width: float = WIDTH) -> Markup:
    shape = (
        '<svg class="chart" role="img" viewBox="0 0 {:.0f} {:.0f}" width="{:.0f}" height="{:.0f}">'
        '<title>{}</title><text class="chart-title" x="0" y="16">{}</text>{}</svg>'
    )
    return Markup(shape).format(width, height, width, height, title, title, Markup("").join(parts))


def _frame(xs: Scale, ys: Scale, x_label: str, y_label: str) -> Markup:
    """Grid lines with their values, and what the axes are."""
    parts = []
    for tick in ys.ticks:
        line = Markup('<line class="grid" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>')
        parts.append(line.format(xs.start, xs.end, ys.at(tick), ys.at(tick)))
        parts.append(_text(xs.start - 8, ys.at(tick) + 4, ys.label(tick), "end"))
    for tick in xs.ticks:
        parts.append(_upright("axis", xs.at(tick), ys.start, ys.start + 4))
        parts.append(_text(xs.at(tick), ys.start + 18, xs.label(tick), "middle"))
    base = Markup('<line class="axis" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>')
    parts.append(base.format(xs.start, xs.end, ys.start, ys.start))
    parts.append(_text((xs.start + xs.end) / 2, ys.start + 38, x_label, "label middle"))
    parts.append(_text(14, (ys.start + ys.end) / 2, y_label, "label middle", turned=True))
    return Markup("").join(parts)


def _legend(names: Sequence[str]) -> tuple[Markup, float]:
    """Names of several lines, in rows, and where the drawing begins below them."""
    if len(names) < 2:
        return Markup(""), 32.0
    x, y, parts = 56.0, 38.0, []
    for number, name in enumerate(names):
        wide = 34 + LETTER * len(name)
        if x + wide > WIDTH and x > 56:
            x, y = 56.0, y + 18
        swatch = Markup('<line class="line {}" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>')
        parts += [swatch.format(_colour(number), x, x + 16, y - 4, y - 4), _text(x + 21, y, name, "")]
        x += wide
    return Markup("").join(parts), y + 16


def _line(name: str, line: Points, xs: Scale, ys: Scale, number: int) -> Markup:
    drawn = [(xs.at(x), ys.at(y), x, y) for x, y in line if isfinite(x) and isfinite(y)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _, _ in drawn)
    parts = [
        Markup('<polyline class="line {}" points="{}"><title>{}</title></polyline>').format(_colour(number), path, name)
    ]
    if len(drawn) <= MOST_DOTS:
        dot = Markup('<circle class="dot {}" cx="{:.1f}" cy="{:.1f}" r="3"><title>{}</title></circle>')
        parts += [dot.format(_colour(number), px, py, f"{name}: {x:g} → {y:.4g}") for px, py, x, y in drawn]
    return Markup("").join(parts)


def _band(line: Points, band: Points, xs: Scale, ys: Scale, number: int) -> Markup:
    ends = [(x, *pair) for (x, _), pair in zip(line, band, strict=True) if all(map(isfinite, pair))]
    there = [f"{xs.at(x):.1f},{ys.at(high):.1f}" for x, _, high in ends]
    back = [f"{xs.at(x):.1f},{ys.at(low):.1f}" for x, low, _ in reversed(ends)]
    return Markup('<polygon class="band {}" points="{}"/>').format(_colour(number), " ".join(there + back))


def _mark(x: float, label: str, ys: Scale) -> Markup:
    near_the_edge = x > WIDTH - 24 - LETTER * len(label)
    beside = _text(x - 5 if near_the_edge else x + 5, ys.end + 10, label, "label end" if near_the_edge else "label")
    return _upright("mark", x, ys.start, ys.end) + beside


def _cell(
    x: float, y: float, wide: float, tall: float, value: float, share: float, where: str, *, framed: bool
) -> Markup:
    if not isfinite(value):
        return _text(x + wide / 2, y + tall * 0.63, "–", "middle")
    shape = (
        '<rect class="heat{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill-opacity="{:.2f}">'
        "<title>{}: {:.4f}</title></rect>"
    )
    kind = " best" if framed else ""
    box = Markup(shape).format(kind, x + 1, y + 1, wide - 2, tall - 2, 0.06 + 0.86 * share, where, value)
    shown = f"{value:.3f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.2f}"
    fits = wide >= LETTER * len(shown)
    kind = "middle strong" if framed else "middle"
    return box + (
        _text(x + wide / 2, y + tall * 0.63, shown, kind + (" on-heat" if share > 0.55 else "")) if fits else ""
    )


def _whiskers(figure: tuple[str, float, float, float], xs: Scale, y: float, *, signed: bool) -> Markup:
    label, mean, low, high = figure
    known = isfinite(low) and isfinite(high)
    parts = [_text(xs.start - 10, y + 4, label, "end")]
    if known:
        bar = Markup('<line class="whisker" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>')
        parts.append(bar.format(xs.at(low), xs.at(high), y, y))
        parts += [bar.format(xs.at(end), xs.at(end), y - 4, y + 4) for end in (low, high)]
    if isfinite(mean):
        parts.append(Markup('<circle class="dot s0" cx="{:.1f}" cy="{:.1f}" r="4"/>').format(xs.at(mean), y))
    ends = between(low, high, signed=signed)
    parts.append(_text(WIDTH, y + 4, f"{short(mean, signed=signed)} {ends}".rstrip(), "end"))
    return Markup("").join(parts)


def _upright(kind: str, x: float, start: float, end: float) -> Markup:
    line = Markup('<line class="{0}" x1="{1:.1f}" x2="{1:.1f}" y1="{2:.1f}" y2="{3:.1f}"/>')
    return line.format(kind, x, start, end)


def _text(x: float, y: float, words: str, kind: str, *, turned: bool = False) -> Markup:
    turn = Markup(' transform="rotate(-90 {:.1f} {:.1f})"').format(x, y) if turned else ""
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}"{}>{}</text>').format(kind, x, y, turn, words)


def _colour(number: int) -> str:
    return f"s{number % SERIES}" + (" dashed" if number >= SERIES else "")
