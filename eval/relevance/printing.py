"""The figures as one table for people."""

from collections.abc import Sequence
from typing import Final

from rich.table import Table
from rich.text import Text

from eval.figures import between, short
from eval.relevance.measuring import Figure
from indexer.printing import stdout

_WIDTH: Final = 180
"""Characters that the longest line needs; a figure cut off is no figure."""


def print_figures(figures: Sequence[Figure]) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("", "asked", "queries", "measure", "figure", "the first is better by"):
        table.add_column(column, justify="right" if column == "queries" else "left", no_wrap=True)
    before = ""
    for one in figures:
        gain = "" if one.gain is None else f"{short(one.gain[0], signed=True)} {between(*one.gain[1:], signed=True)}"
        figure = f"{short(one.value[0])} {between(*one.value[1:])}"
        named = Text(one.part if one.part != before else "")
        table.add_row(named, Text(one.way), str(one.queries), one.measure, figure, gain)
        before = one.part
    console = stdout()
    console.width = max(console.width, _WIDTH)
    console.print(table)
