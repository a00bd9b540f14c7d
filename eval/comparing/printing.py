"""A comparison for the terminal."""

from pathlib import Path

from rich.table import Table
from rich.text import Text

from eval.comparing.compare import Comparison
from eval.comparing.differences import MeasureDifference
from eval.comparing.queries import QueryChange
from eval.comparing.verification import effects
from eval.comparing.words import part, sentence, title
from eval.figures import between, chance, short
from eval.printing import print_effect
from eval.suites.groups import ALL
from indexer.printing import stdout

NAMED = 5
"""Wins, and losses, that are printed."""


def print_comparison(comparison: Comparison, path: Path | None) -> None:
    """Headline, measures, the groups that differ, most-changed queries, what differs between the runs."""
    console = stdout()
    console.print(Text(f"{title(comparison)}.", style="bold"))
    console.print(Text(sentence(comparison)))
    console.print(_table(comparison, [(ALL, one) for one in comparison.figures[ALL]]))
    groups = [(group, one) for group, found in comparison.figures.items() if group != ALL for one in found]
    shown = [(group, one) for group, one in groups if one.difference.shown]
    if groups:
        said = f"{len(shown)} of {len(groups)} figures of single kinds and tags have an interval without zero"
        console.print(Text(f"{said}; with so many looked at, mind p Holm.", style="dim"))
    if shown:
        console.print(_table(comparison, shown))
    for label, changes in (("Won", comparison.wins), ("Lost", comparison.losses)):
        for change in changes[:NAMED]:
            console.print(Text(f"{label}  {_spelled(change)}"))
    console.print(Text(f"Overlap of the first ten: {short(comparison.overlap)}; compared: {part(comparison)}."))
    for run in (comparison.before, comparison.after):
        if run.unanswered:
            console.print(Text(f"{run.name}: {len(run.unanswered)} queries unanswered and counted as zero."))
    for name, effect in effects(comparison).items():
        print_effect(effect, name)
    for changed in comparison.configuration:
        console.print(Text(f"{changed.name}: {changed.before or '–'} → {changed.after or '–'}", style="dim"))
    if path is not None:
        console.print(Text(f"Report: {path}", style="dim"))


def _table(comparison: Comparison, rows: list[tuple[str, MeasureDifference]]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    a, b = comparison.names
    for column in ("", "measure", "queries", a, b, "difference", "95 %", "p", "p Holm", ""):
        table.add_column(Text(column), justify="left" if column in ("", "measure") else "right")
    for group, one in rows:
        interval = one.difference.interval
        cells = [short(one.before), short(one.after), short(interval.mean, signed=True)]
        cells += [between(interval.low, interval.high, signed=True), chance(one.difference.p_value)]
        cells += [chance(one.adjusted_p), one.verdict.value]
        table.add_row(*map(Text, (group, one.measure, str(one.difference.queries), *cells)))
    return table


def _spelled(change: QueryChange) -> str:
    moved = next((one for one in change.ranks if one.before != one.after), None)
    place = f"; {moved.product} {moved.before or '–'} → {moved.after or '–'}" if moved else ""
    words = f" “{change.query.words}”" if change.query.words else ""
    return f"{short(change.before)} → {short(change.after)}  {change.query.id}{words}{place}"
