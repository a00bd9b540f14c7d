"""What checks find, and how it is put into words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from eval.suites.suite import SuiteQuery

NAMED = 5
"""Queries or products that a sentence names."""


@dataclass(frozen=True)
class Findings:
    """Of one check: `reasons` refuse, `notices` do not, `figures` are finite."""

    reasons: Sequence[str] = ()
    notices: Sequence[str] = ()
    figures: Mapping[str, float] = field(default_factory=dict)


def together(found: Iterable[Findings]) -> Findings:
    reasons: list[str] = []
    notices: list[str] = []
    figures: dict[str, float] = {}
    for one in found:
        reasons += one.reasons
        notices += one.notices
        figures |= one.figures
    return Findings(reasons, notices, figures)


def label(query: SuiteQuery) -> str:
    """As its author would recognise it: `'red mug'`, `mug-red 'but blue'`, `photos/3.jpg`."""
    start = query.like or query.photo
    words = f"'{query.words}'" if query.words else ""
    return " ".join(part for part in (start, words) if part)


def listed(names: Sequence[str]) -> str:
    """The first NAMED, and how many more."""
    shown = ", ".join(names[:NAMED])
    return shown if len(names) <= NAMED else f"{shown} and {len(names) - NAMED:,} more"


def figure(value: float) -> str:
    """`.91`, `1.00`."""
    return f"{value:.2f}".removeprefix("0")


def signed(value: float) -> str:
    """`+.04`, `−.19`, `.00`, with a true minus sign."""
    spelled = figure(abs(value))
    return spelled if spelled == ".00" else f"{'−' if value < 0 else '+'}{spelled}"
