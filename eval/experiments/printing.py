"""An experiment's figures as one table for people."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from eval.experiments.grid import Figures, Progress
from indexer.printing import print_rows


@contextmanager
def watching_drawings() -> Iterator[Progress]:
    """A progress bar over drawings."""
    columns = (TextColumn("drawings"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("drawings", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def print_figures(figures: Sequence[Figures]) -> None:
    print_rows(
        [
            {
                "way": one.cell,
                "edits": str(one.drawn),
                "failed": str(one.failed),
                "pictures": str(one.pictures),
                "CLIP score": _told(one.caption, 3),
                "drift": _told(one.drift, 3),
                "colour ΔE": _told(one.colour, 1),
                "identity": _told(one.identity, 3),
                "fit": _told(one.fit, 2),
                "seconds": _told(one.seconds, 2),
                "GPU seconds": _told(one.gpu_seconds, 2),
                "$": f"{one.dollars:.2f}",
            }
            for one in figures
        ]
    )


def _told(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
