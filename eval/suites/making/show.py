"""What was made, for people and for programs."""

from collections import Counter
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from eval.suites.making.from_feedback import Heard
from eval.suites.making.make import Made
from eval.suites.suite import Split, Suite
from indexer.printing import stdout

_COLUMNS = ("name", "queries", "tune", "report", "absent", "judgements", "path")


def row_of(made: Made) -> dict[str, object]:
    """Plain values."""
    return {"suites": [_row(suite) for suite in made.suites], "left_out": dict(made.left_out)}


def row_of_heard(heard: Heard) -> dict[str, object]:
    """Plain values."""
    return {"suites": [_row(heard.suite)], "left_out": dict(heard.left_out)}


def print_made(made: Made) -> None:
    """A line for each suite, then what could not be made."""
    _print(made.suites, [f"No {kind} queries: {reason}." for kind, reason in made.left_out.items()])


def print_heard(heard: Heard) -> None:
    """A line for the suite, then what was left out."""
    _print([heard.suite], [f"Left out: {count} {reason}." for reason, count in heard.left_out.items()])


def _print(suites: Sequence[Suite], notes: Sequence[str]) -> None:
    console = stdout()
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in _COLUMNS:
        table.add_column(column, justify="left" if column in ("name", "path") else "right")
    for suite in suites:
        row = _row(suite)
        table.add_row(*(Text(str(row[column])) for column in _COLUMNS))
    console.print(table)
    for note in notes:
        console.print(Text(note))


def _row(suite: Suite) -> dict[str, object]:
    tags = Counter(tag for query in suite.queries for tag in query.tags)
    return {
        "name": suite.card.name,
        "path": str(suite.directory),
        "queries": len(suite.queries),
        "absent": len(suite.queries) - len(suite.judged),
        **{split.value: len(suite.part(split).queries) for split in Split},
        "judgements": sum(len(grades) for grades in suite.qrels.values()),
        "tags": dict(sorted(tags.items())),
    }
