"""Measures as tables for people; progress goes to standard error."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import isnan
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from eval.runs.runner import Watch
from eval.runs.summary import Summary
from eval.statistics import Interval
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
    if path is not None:
        console.print(Text(f"Run: {path}", style="dim"))


def with_interval(interval: Interval) -> str:
    """`.913 ±.021`, half of the 95 % interval; without one where there is a single value."""
    mean = _short(interval.mean)
    return mean if isnan(interval.low) else f"{mean} ±{_short(interval.half)}"


def _short(value: float) -> str:
    return f"{value:.3f}".replace("0.", ".", 1)
