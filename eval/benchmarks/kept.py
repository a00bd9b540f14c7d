"""Figures on the disk: a line of JSON each, what was stored of the last good run, and what became worse since."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from eval.benchmarks.figures import Figure, Missing, spelled
from eval.benchmarks.machine import Machine
from indexer.domain import Frozen

LAST: Final = Path(__file__).parent / "last.jsonl"
WORSE: Final = 1.2
"""Times that a ratio may worsen against the stored one, and further within what both runs vary by."""


class Line(Figure):
    """A figure with what it was measured on, and when."""

    measured: date
    machine: Machine


class Worse(Frozen):
    """`now` is None for a figure that is stored and was not measured this time."""

    before: Figure
    now: Figure | None

    def __str__(self) -> str:
        name, before, now = self.before.name, self.before, self.now
        if now is None:
            return f"{name}: stored, and not measured this time"
        if now.ratio is None or before.ratio is None:
            return f"{name}: {now.ours.median:.2f} {now.unit}, where {now.wanted} is wanted and was reached"
        said = f"{name}: the ratio is {spelled(now.ratio)} and was {spelled(before.ratio)}"
        times = now.worsened(before)
        return said if times is None else f"{said}, {times - 1:.0%} worse"


def lines_of(figures: Iterable[Figure], machine: Machine, measured: date) -> list[Line]:
    return [Line(**dict(figure), measured=measured, machine=machine) for figure in figures]


def write_lines(path: Path, lines: Iterable[Line]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(one.model_dump_json(exclude_defaults=True) + "\n" for one in lines), "utf-8")


def read_lines(path: Path) -> list[Line]:
    """None where nothing is stored. Raises ValidationError for a line that is none."""
    if not path.is_file():
        return []
    return [Line.model_validate_json(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


def group_of(one: Figure | Missing) -> str:
    return one.name.partition(".")[0]


def worsened(stored: Sequence[Figure], found: Sequence[Figure | Missing], groups: Iterable[str]) -> Iterator[Worse]:
    """Of the stored figures of these groups those that are worse or gone.

    A ratio is worse when it is WORSE times worse and what lies between its quartiles does not touch what lay there
    before. A figure without a ratio is worse when it reached what is wanted of it and does so no more. What this
    machine is free not to have is not gone.
    """
    now = {one.name: one for one in found if isinstance(one, Figure)}
    excused = [one.name for one in found if isinstance(one, Missing) and not one.failed]
    asked = set(groups)
    for before in stored:
        if group_of(before) not in asked or any(f"{before.name}.".startswith(f"{name}.") for name in excused):
            continue
        figure = now.get(before.name)
        if figure is None or _is_worse(before, figure):
            yield Worse(before=before, now=figure)


def _is_worse(before: Figure, now: Figure) -> bool:
    if before.ratio is None:
        return before.reached is True and now.reached is False
    times = now.worsened(before)
    return times is None or (times > WORSE and not now.overlaps(before))


def merged(
    stored: Sequence[Line], measured: Sequence[Line], whole: Collection[str], groups: Sequence[str]
) -> list[Line]:
    """The stored lines with those that were measured in their place, in the order of `groups`, which names all.

    Of `whole` groups nothing older is left; of others what they did not come to, or this machine lacks, stays.
    """
    anew = {line.name for line in measured}
    older = [line for line in stored if line.name not in anew and group_of(line) not in whole]
    return sorted([*measured, *older], key=lambda line: groups.index(group_of(line)))
