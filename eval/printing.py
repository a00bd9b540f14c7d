"""Measures as tables for people; progress goes to standard error."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import isnan
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from eval.comparing.verification import Effect
from eval.comparing.words import effect_cost, effect_sentence
from eval.figures import between, chance, short
from eval.runs.runner import Watch
from eval.runs.summary import Summary
from eval.statistics import Interval
from eval.suites.groups import ALL
from indexer.printing import stdout


@contextmanager
def watching_queries() -> Iterator[Watch]:
    """A progress bar over queries."""
    columns = (TextColumn("queries"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("queries", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def print_summary(summary: Summary, path: Path | None) -> None:
    """One row per group of queries, one column per measure."""
    console = stdout()
    measures = list(dict.fromkeys(figure.measure for figures in summary.figures.values() for figure in figures))
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("", "queries", *measures):
        table.add_column(column, justify="left" if column == "" else "right")
    for group, figures in summary.figures.items():
        cells = {figure.measure: with_interval(figure.interval) for figure in figures}
        counted = max((figure.queries for figure in figures), default=0)
        table.add_row(Text(group), str(counted), *(cells.get(measure, "–") for measure in measures))
    answered = "answered by another system" if summary.build is None else f"on build {summary.build}"
    console.print(Text(f"{summary.name}: suite {summary.suite} {answered}"))
    console.print(table)
    if summary.unanswered:
        query, reason = next(iter(summary.unanswered.items()))
        console.print(Text(f"{len(summary.unanswered)} queries unanswered and counted as zero, e.g. {query}: {reason}"))
    spent = ", ".join(f"{stage} {one.p50:.1f}/{one.p95:.1f}" for stage, one in summary.latencies.items())
    console.print(Text(f"ms p50/p95: {spent}", style="dim"))
    if summary.degraded:
        query, reason = next(iter(summary.degraded.items()))
        console.print(Text(f"{len(summary.degraded)} queries went without something, e.g. {query}: {reason}"))
    if summary.effect is not None:
        print_effect(summary.effect)
    if path is not None:
        console.print(Text(f"Run: {path}", style="dim"))


def print_effect(effect: Effect, name: str = "") -> None:
    """With and without verification side by side, and what it took; of kinds and tags those that differ.

    `name` is the run's, where there are several.
    """
    console = stdout()
    console.print(Text(f"{name + ', verified' if name else 'Verified'} by {' and '.join(effect.by)}:", style="bold"))
    console.print(Text(effect_sentence(effect)))
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("", "measure", "queries", "without", "with", "difference", "95 %", "p", ""):
        table.add_column(column, justify="left" if column in ("", "measure") else "right")
    for group, found in effect.figures.items():
        for one in found:
            interval = one.difference.interval
            cells = [short(one.before), short(one.after), short(interval.mean, signed=True)]
            cells += [between(interval.low, interval.high, signed=True), chance(one.difference.p_value)]
            if group == ALL or one.difference.shown:
                table.add_row(*map(Text, (group, one.measure, str(one.difference.queries), *cells, one.verdict.value)))
    console.print(table)
    console.print(Text(f"{effect_cost(effect)}.", style="dim"))


def with_interval(interval: Interval) -> str:
    """`.913 ±.021`, half of the 95 % interval; without one where there is a single value."""
    mean = _short(interval.mean)
    return mean if isnan(interval.low) else f"{mean} ±{_short(interval.half)}"


def _short(value: float) -> str:
    return f"{value:.3f}".replace("0.", ".", 1)
