"""What was made, for people and for programs."""

from collections import Counter

from rich.table import Table
from rich.text import Text

from eval.suites.making.make import Made
from eval.suites.suite import Split, Suite
from indexer.printing import stdout

_COLUMNS = ("name", "queries", "tune", "report", "absent", "judgements", "path")


def row_of(made: Made) -> dict[str, object]:
    """Plain values."""
    return {"suites": [_row(suite) for suite in made.suites], "left_out": dict(made.left_out)}


def print_made(made: Made) -> None:
    """A line for each suite, then what could not be made."""
    console = stdout()
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in _COLUMNS:
        table.add_column(column, justify="left" if column in ("name", "path") else "right")
    for suite in made.suites:
        row = _row(suite)
        table.add_row(*(Text(str(row[column])) for column in _COLUMNS))
    console.print(table)
    for kind, reason in made.left_out.items():
        console.print(Text(f"No {kind} queries: {reason}."))


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
