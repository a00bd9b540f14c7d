"""Figures on the disk: a line of JSON each, what was stored of the last good run, and what became worse since."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from eval.benchmarks.figures import Figure
from eval.benchmarks.machine import Machine
from indexer.domain import Frozen

LAST: Final = Path(__file__).parent / "last.jsonl"
WORSE: Final = 1.2
"""Times that a ratio may worsen against the stored one."""


class Line(Figure):
    """A figure with what it was measured on, and when."""

    measured: date
    machine: Machine


class Worse(Frozen):
    """`times` is None for a figure that is stored and was not measured this time."""

    before: Figure
    now: Figure | None
    times: float | None

    def __str__(self) -> str:
        name, before = self.before.name, self.before.ratio
        if self.now is None or self.times is None:
            return f"{name}: stored with a ratio of {before:.2f}, and not measured this time"
        return f"{name}: the ratio is {self.now.ratio:.2f} and was {before:.2f}, {self.times - 1:.0%} worse"


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


def group_of(figure: Figure) -> str:
    return figure.name.partition(".")[0]


def worsened(stored: Sequence[Figure], measured: Sequence[Figure], groups: Iterable[str]) -> Iterator[Worse]:
    """Of the stored figures of these groups with a ratio, those that are WORSE times worse or gone."""
    now, asked = {figure.name: figure for figure in measured}, set(groups)
    for before in stored:
        if before.ratio is None or group_of(before) not in asked:
            continue
        found = now.get(before.name)
        times = None if found is None else found.worsened(before)
        if times is None or times > WORSE:
            yield Worse(before=before, now=found, times=times)


def merged(stored: Sequence[Line], measured: Sequence[Line], groups: Sequence[str]) -> list[Line]:
    """The stored lines with those of the measured groups in their place, in the order of `groups`, which names all."""
    anew = {group_of(line) for line in measured}
    both = [*measured, *(line for line in stored if group_of(line) not in anew)]
    return sorted(both, key=lambda line: groups.index(group_of(line)))
