"""What commands show people: tables on standard output, progress on standard error."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from indexer.builds.progress import BuildReport, Watch
from indexer.builds.progress import Progress as BuildProgress
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


def print_report(report: BuildReport, source: Source | None) -> None:
    console = stdout()
    if report.state == "unchanged":
        console.print(f"Nothing changed: build {report.build} of catalog {report.catalog} stays published.")
    else:
        console.print(
            f"Published build [bold]{report.build}[/] of catalog [bold]{report.catalog}[/]: "
            f"{report.products:,} products, {report.images:,} photos in {report.seconds:.1f} s "
            f"({report.encoded_images:,} photos and {report.encoded_texts:,} texts encoded)."
        )
        if source is not None:
            _print_columns(console, source)
        _print_gates(console, report)
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
    for one in report.verdicts:
        figures = ", ".join(f"{name} {value:.3f}" for name, value in one.figures.items())
        console.print(Text(f"Gate {one.gate} passed{': ' if figures else ''}{figures}", style="dim"))
        for notice in one.notices:
            console.print(Text(f"  {notice}", style="dim"))


def _print_rejects(console: Console, report: BuildReport) -> None:
    left_out = [f"{count:,} photos {reason}" for reason, count in report.rejected_images.items()]
    if report.rejected_rows:
        left_out.insert(0, f"{report.rejected_rows:,} broken rows")
    if left_out:
        console.print(f"Left out: {', '.join(left_out)}. See them with: vitrine builds errors {report.catalog}")
