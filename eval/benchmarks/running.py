"""`python -m eval.benchmarks running` (`make bench`): every figure of docs/performance.md, in one run, as one table.

Each group runs in a process of its own, so that no group's threads, models or memory are another's. Ours and what
stands beside it take turns. The lines go to build/bench.jsonl. A ratio that is more than 20 % worse than the stored
one, and further off than both vary, has its group measured once more; the run ends with 1 when it is worse again, when
a stored figure is gone, or when a group failed. `--keep` stores the figures and writes the documentation's table.
Models, exports and a showroom are made once in `--work` and found there by the next run.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from rich.text import Text

from eval.benchmarks.figures import Figure, Given, Missing
from eval.benchmarks.growth_figures import asked_for, report_of
from eval.benchmarks.kept import (
    LAST,
    Line,
    Worse,
    group_of,
    lines_of,
    merged,
    read_lines,
    worsened,
    write_lines,
)
from eval.benchmarks.machine import ENCODING, ENGINES, Machine
from eval.benchmarks.plots import write_plots
from eval.benchmarks.report import Report
from eval.benchmarks.tables import terminal, written_into
from indexer.printing import stdout

GROUPS: Final = ("encoders", "decoding", "pipeline", "stores", "search", "starting", "peers", "growth")
"""Modules that measure are this package's `GROUP_figures`."""
SIZES: Final = "1000,10000,100000"
DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "performance.md"
IMAGES: Final = DOCUMENT.parent / "images"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help=f"some of {','.join(GROUPS)}")
    parser.add_argument("--sizes", default=SIZES, help=f"points that growth is measured at (default: {SIZES})")
    parser.add_argument("--work", type=Path, default=Path("build/bench"))
    parser.add_argument("--json", type=Path, default=Path("build/bench.jsonl"))
    parser.add_argument("--keep", action="store_true", help="store the figures and write them into the documentation")
    given = parser.parse_args(arguments)
    groups = tuple(given.only.split(",")) if given.only else GROUPS
    if unknown := [name for name in groups if name not in GROUPS]:
        parser.error(f"There is no group {unknown[0]!r}; there are {', '.join(GROUPS)}.")
    given.work.mkdir(parents=True, exist_ok=True)
    machine = Machine.this((*ENCODING, *ENGINES))
    told = Given(given.work.resolve(), tuple(int(size) for size in given.sizes.split(",")))
    found = run(groups, told)
    figures = [one for one in found if isinstance(one, Figure)]
    lines = lines_of(figures, machine, datetime.now(UTC).date())
    write_lines(given.json, lines)
    console = stdout()
    console.print(str(machine), style="dim")
    console.print(terminal(figures))
    if any(one.reached is False for one in figures):
        console.print(Text("Why a figure is not reached, by profile: docs/performance.md"))
    for one in found:
        if isinstance(one, Missing):
            console.print(Text(str(one)))
    failed = {group_of(one) for one in found if isinstance(one, Missing) and one.failed}
    stored, worse = read_lines(LAST), list[Worse]()
    if given.keep:
        whole = set(groups) - {group_of(one) for one in found if isinstance(one, Missing)}
        _keep(merged(stored, lines, whole, GROUPS), report_of(given.work) if "growth" in whole else None)
    else:
        comparable = [one for one in stored if asked_for(one, told.sizes)]
        worse = confirmed(comparable, found, groups, lambda again: run(again, told))
    for faulty in worse:
        print(faulty, file=sys.stderr)
    sys.exit(1 if worse or failed else 0)


def confirmed(
    stored: Sequence[Figure],
    found: Sequence[Figure | Missing],
    groups: Sequence[str],
    repeat: Callable[[Sequence[str]], Sequence[Figure | Missing]],
) -> list[Worse]:
    """What is worse than stored, and was again when its group was repeated: a busy moment is nobody's fault."""
    worse = list(worsened(stored, found, groups))
    again = sorted({group_of(one.before) for one in worse if one.now is not None}, key=groups.index)
    if not again:
        return worse
    print(f"worse than stored, and so measured again: {', '.join(again)}", file=sys.stderr, flush=True)
    still = {one.before.name for one in worsened(stored, repeat(again), again)}
    return [one for one in worse if one.now is None or one.before.name in still]


def run(groups: Sequence[str], given: Given) -> list[Figure | Missing]:
    """A group that fails leaves a gap that says why, and the others go on."""
    found: list[Figure | Missing] = []
    for name in groups:
        print(f"{name} …", file=sys.stderr, flush=True)
        started = time.monotonic()
        with ProcessPoolExecutor(1, get_context("spawn")) as process:
            outcome = process.submit(measured, name, given)
            error = outcome.exception()
            found += [Missing(name=name, why=f"failed: {error}")] if error else outcome.result()
        print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return found


def measured(name: str, given: Given) -> list[Figure | Missing]:
    """A group's figures, measured in this process; those that came before a fault are kept."""
    figures: Iterator[Figure | Missing] = import_module(f"eval.benchmarks.{name}_figures").figures(given)
    found: list[Figure | Missing] = []
    try:
        for one in figures:
            print(f"  {one.name}", file=sys.stderr, flush=True)
            found.append(one)
    except Exception as error:  # noqa: BLE001  # whatever it is, the other figures are worth having
        found.append(Missing(name=name, why=f"failed: {error}"))
    return found


def _keep(lines: Sequence[Line], growth: Path | None) -> None:
    write_lines(LAST, lines)
    DOCUMENT.write_text(written_into(DOCUMENT.read_text("utf-8"), lines), "utf-8")
    if growth is not None and growth.is_file():
        write_plots(Report.model_validate_json(growth.read_bytes()), IMAGES)
