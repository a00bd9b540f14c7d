"""The report of a comparison: the verdict, the questions won and lost as they look in both runs, then all figures."""

from collections.abc import Sequence
from math import isfinite
from pathlib import Path

from markupsafe import Markup

from eval.comparing.compare import Comparison
from eval.comparing.configuration import configuration
from eval.comparing.differences import MeasureDifference
from eval.comparing.queries import QueryChange
from eval.comparing.verification import effects
from eval.comparing.words import effect_words, part, sentence, title
from eval.figures import short
from eval.measured import scored
from eval.measures import ranking
from eval.report.cases import Case, change_case
from eval.report.charts import interval_chart
from eval.report.gallery import open_gallery
from eval.report.html import render
from eval.runs.timing import Latency, latencies
from eval.suites.groups import ALL
from indexer.settings import Settings
from indexer.stores.pointer import write_atomically

OPEN = 5
"""Wins, and losses, that are seen without a click."""


def write_comparison_report(comparison: Comparison, settings: Settings, path: Path) -> None:
    """One HTML file. Raises OSError when it cannot be written."""
    won, lost = _cases(comparison, comparison.wins), _cases(comparison, comparison.losses)
    gallery = open_gallery(comparison.suite, comparison.after, [*won, *lost], settings)
    parts = [(group, one) for group, found in comparison.figures.items() if group != ALL for one in found]
    values = {
        "comparison": comparison,
        "title": title(comparison),
        "sentence": sentence(comparison),
        "part": part(comparison),
        "figures": comparison.figures[ALL],
        "shown": [row for row in parts if row[1].difference.shown],
        "others": [row for row in parts if not row[1].difference.shown],
        "won": won,
        "lost": lost,
        "open": OPEN,
        "gallery": gallery,
        "chart": _chart(comparison.figures[ALL]),
        "speed": _speed(comparison),
        "verified": [(name, effect, effect_words(effect)) for name, effect in effects(comparison).items()],
        "configurations": [configuration(run) for run in (comparison.before, comparison.after)],
    }
    write_atomically(path, render("comparison.html", values).encode())


def _cases(comparison: Comparison, changes: Sequence[QueryChange]) -> list[Case]:
    a, b = (scored(comparison.suite, run.scores) for run in (comparison.before, comparison.after))
    measure = comparison.headline.measure
    return [
        change_case(
            comparison.suite,
            change,
            comparison.names,
            (ranking(a[change.query.id]), ranking(b[change.query.id])),
            f"{measure} {short(change.before)} → {short(change.after)}",
        )
        for change in changes
    ]


def _chart(figures: Sequence[MeasureDifference]) -> Markup:
    """Of the measures that have an interval."""
    rows = []
    for one in figures:
        interval = one.difference.interval
        name = one.measure if one.higher_is_better else f"{one.measure} (lower is better)"
        if isfinite(interval.low):
            rows.append((name, interval.mean, interval.low, interval.high))
    return interval_chart(rows, title="B − A with 95 % intervals", zero=True)


def _speed(comparison: Comparison) -> list[tuple[str, Latency | None, Latency | None]]:
    """Stage → milliseconds in A and in B."""
    a, b = (latencies(run.answers.values()) for run in (comparison.before, comparison.after))
    return [(stage, a.get(stage), b.get(stage)) for stage in dict.fromkeys([*a, *b])]
