"""What commands show people: tables on standard output, progress on standard error."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from indexer.builds.changing import LiveChange
from indexer.builds.difference import BuildDifference, DryRun
from indexer.builds.life import Publication
from indexer.builds.progress import BuildReport, Watch
from indexer.builds.progress import Progress as BuildProgress
from indexer.builds.verdict import GateVerdict
from indexer.sources import Source

WIDTH = 120
"""Columns of what is printed to a file or pipe, which have no width of their own."""


def stdout() -> Console:
    """Standard output as wide as the terminal, or WIDTH."""
    terminal = Console()
    return terminal if terminal.is_terminal else Console(width=WIDTH)


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f}/s" if speed else "", justify="right")


@contextmanager
def watching() -> Iterator[Watch]:
    """A progress bar per stage: done, rate, time left, rejected so far."""
    columns = (
        TextColumn("{task.description:<9}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} {task.fields[unit]}"),
        _Rate(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[rejected]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[tuple[str, str], TaskID] = {}

        def watch(progress: BuildProgress) -> None:
            key = progress.stage, progress.unit
            if key not in tasks:
                tasks[key] = bars.add_task(progress.stage, total=None, unit=progress.unit, rejected="")
            rejected = f"{progress.rejected:,} rejected" if progress.rejected else ""
            bars.update(tasks[key], completed=progress.done, total=progress.total, rejected=rejected)

        yield watch
        for task in bars.tasks:
            bars.update(task.id, total=task.completed)


@contextmanager
def copying() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar per table: call with its name, the rows copied and all rows."""
    with watching() as watch:
        yield lambda table, done, total: watch(BuildProgress("copying", done, total, 0, table))


def print_queued(build: str) -> None:
    stdout().print(f"Build [bold]{build}[/] waits for a worker. See how it goes with: vitrine builds show {build}")


def print_publication(publication: Publication) -> None:
    console = stdout()
    replaced = f", in place of {publication.replaced}" if publication.replaced else ""
    console.print(
        f"Build [bold]{publication.build}[/] of catalog [bold]{publication.catalog}[/] is published{replaced}."
    )
    _print_verdicts(console, publication.verdicts)


def print_difference(found: BuildDifference) -> None:
    stdout().print(f"Build {found.build} of catalog {found.catalog} against {found.against}:")
    _print_counted(found, found.named)


def print_dry_run(found: DryRun) -> None:
    console = stdout()
    against = f"published build {found.against}" if found.against else "nothing, as no build is published"
    console.print(f"Nothing was written. Catalog {found.catalog} against {against}:")
    _print_counted(found, found.named)
    reasons = [f"{count:,} photos {reason}" for reason, count in found.rejected_photos.items()]
    if found.rejected_rows:
        reasons.insert(0, f"{found.rejected_rows:,} broken rows")
    console.print(f"would be rejected: {', '.join(reasons) or 'nothing'}")
    for name in found.named["rejected"]:
        console.print(Text(f"  {name}", style="dim"))


def print_change(change: LiveChange, verb: str) -> None:
    console = stdout()
    count = len(change.products)
    console.print(
        f"{count:,} product{'' if count == 1 else 's'} of catalog {change.catalog} {verb}; "
        f"searches show it within {change.visible_within_s:g} s."
    )
    for one in change.rejected:
        what = f"row {one.line}" if one.line else f"{one.product} {one.photo}"
        console.print(Text(f"  left out: {what}: {one.detail or one.reason}", style="dim"))


def print_report(report: BuildReport, source: Source | None) -> None:
    console = stdout()
    if report.state == "unchanged":
        console.print(f"Nothing changed: build {report.build} of catalog {report.catalog} stays published.")
    else:
        did = "Finished, and held for you to publish," if report.state == "held" else "Published"
        console.print(
            f"{did} build [bold]{report.build}[/] of catalog [bold]{report.catalog}[/]: "
            f"{report.products:,} products, {report.images:,} photos in {report.seconds:.1f} s "
            f"({report.encoded_images:,} photos and {report.encoded_texts:,} texts encoded)."
        )
        console.print(Text(report.store, style="dim"))
        if source is not None:
            _print_columns(console, source)
        _print_gates(console, report)
    if report.state == "held":
        console.print(f"To publish it: vitrine builds publish {report.build}")
    _print_rejects(console, report)


def print_settings(settings: Mapping[str, object], prefix: str = "") -> None:
    for name, value in settings.items():
        if isinstance(value, Mapping) and value:
            print_settings(value, f"{prefix}{name}.")
        else:
            print(f"{prefix}{name} = {value}")


def print_rows(rows: Sequence[Mapping[str, object]]) -> None:
    if not rows:
        print("None.")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in rows[0]:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if value is None else str(value)) for value in row.values()))
    stdout().print(table)


def _print_columns(console: Console, source: Source) -> None:
    fields = ", ".join(f"{field} ← {' + '.join(columns)}" for field, columns in source.columns.fields.items())
    console.print(Text(f"Columns: {fields}", style="dim"))


def _print_gates(console: Console, report: BuildReport) -> None:
    if report.gates_skipped:
        console.print(Text("The gates were skipped: nobody checked this build.", style="bold yellow"))
    _print_verdicts(console, report.verdicts)


def _print_verdicts(console: Console, verdicts: Sequence[GateVerdict]) -> None:
    for one in verdicts:
        figures = ", ".join(f"{name} {value:.3f}" for name, value in one.figures.items())
        said = "passed" if one.passed else "refused"
        console.print(Text(f"Gate {one.gate} {said}{': ' if figures else ''}{figures}", style="dim"))
        for reason in one.reasons:
            console.print(Text(f"  {reason}"))
        for notice in one.notices:
            console.print(Text(f"  {notice}", style="dim"))


def _print_counted(found: BuildDifference | DryRun, named: Mapping[str, Sequence[str]]) -> None:
    console = stdout()
    for kind, count in (("added", found.added), ("changed", found.changed), ("removed", found.removed)):
        more = ", …" if count > len(named[kind]) else ""
        console.print(Text(f"{kind:<9} {count:>9,}  {', '.join(named[kind])}{more}"))
    console.print(Text(f"unchanged {found.unchanged:>9,}"))


def _print_rejects(console: Console, report: BuildReport) -> None:
    left_out = [f"{count:,} photos {reason}" for reason, count in report.rejected_images.items()]
    if report.rejected_rows:
        left_out.insert(0, f"{report.rejected_rows:,} broken rows")
    if left_out:
        console.print(f"Left out: {', '.join(left_out)}. See them with: vitrine builds errors {report.catalog}")
