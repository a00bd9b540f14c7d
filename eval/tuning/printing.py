"""A tuning as a table for people; progress goes to standard error."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from eval.figures import between, short
from eval.tuning.report import spelled
from eval.tuning.tune import Tuning, Watch
from indexer.printing import stdout


@contextmanager
def watching_settings() -> Iterator[Watch]:
    """A progress bar per setting that is swept."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def watch(setting: str, done: int, total: int) -> None:
            if setting not in tasks:
                tasks[setting] = bar.add_task(setting, total=total)
            bar.update(tasks[setting], completed=done, total=total)

        yield watch


def print_tuning(tuning: Tuning, suite: str, build: str, written: Path | None, text: str | None) -> None:
    """One row per setting, then both halves, then the verdict. `text` is the fragment when it went to no file."""
    console = stdout()
    console.print(Text(f"{tuning.kind} queries of suite {suite} on build {build}, {tuning.measure}"))
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("setting", "before", "best", "tried", tuning.measure, "change on the tune half"):
        table.add_column(column, justify="left" if column in ("setting", "before", "best") else "right")
    for stage in tuning.stages:
        best = stage.best
        change = f"{short(best.change.mean, signed=True)} {between(best.change.low, best.change.high, signed=True)}"
        cells = (stage.name, spelled(stage.tried[0].value), spelled(best.value), str(len(stage.tried)))
        table.add_row(*(Text(cell) for cell in (*cells, short(best.trial.mean), change)))
    console.print(table)
    for half, queries, shown in (
        ("tune", tuning.tune_queries, tuning.tuned.interval),
        ("report", tuning.report_queries, tuning.difference.interval),
    ):
        ends = between(shown.low, shown.high, signed=True)
        console.print(Text(f"{half} half, {queries} queries: {short(shown.mean, signed=True)} {ends}"))
    for note in tuning.notes:
        console.print(Text(note))
    console.print(Text(f"median search: {tuning.before.p50:.1f} → {tuning.after.p50:.1f} ms"))
    console.print(Text(f"{tuning.settings_tried} settings tried on the tune half, one of them on the report half."))
    console.print(Text(tuning.verdict.words, style="bold"))
    if written is not None:
        console.print(Text(f"Settings: {written}", style="dim"))
    elif text is not None:
        console.print(Text(text.rstrip()))
