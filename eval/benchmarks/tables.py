"""Figures as a table in the terminal, and as the one of docs/performance.md."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.table import Table

from eval.benchmarks.figures import Figure, Spread, spelled
from eval.benchmarks.kept import Line, group_of
from eval.figures import short

COLUMNS = ("figure", "ours", "beside it", "ratio", "wanted", "reached")
BEGIN = "<!-- figures: written by `make bench-keep` -->"
END = "<!-- end of the figures -->"


def terminal(figures: Sequence[Figure]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for place, column in enumerate(COLUMNS):
        table.add_column(column, justify="left" if place in {0, 5} else "right", no_wrap=place not in {1, 2})
    for figure in figures:
        reached = {None: "", True: "yes", False: "[bold]no[/bold]"}[figure.reached]
        cells = (cell.replace(" (", "\n(") for cell in _cells(figure))
        table.add_row(figure.name, *cells, reached)
    return table


def markdown(lines: Sequence[Line]) -> str:
    """What was measured, then a row per figure. Empty for no lines."""
    if not lines:
        return ""
    days = sorted({line.measured for line in lines})
    when = str(days[0]) if len(days) == 1 else f"{days[0]} to {days[-1]}"
    groups: dict[str, dict[str, None]] = {}
    for line in lines:
        groups.setdefault(str(line.machine), {})[group_of(line)] = None
    runs = [f"- {', '.join(names)}: {machine}" for machine, names in groups.items()]
    told = [f"Run of {when}. {next(iter(groups))}."] if len(groups) == 1 else [f"Runs of {when}.", "", *runs]
    return "\n".join([*told, "", *_rows(lines)])


def written_into(document: str, lines: Sequence[Line]) -> str:
    """The document with the table between its two marks. Raises ValueError for one without them."""
    before, mark, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not mark or not end:
        raise ValueError(f"The document has no place for figures: {BEGIN} … {END}")
    return f"{before}{BEGIN}\n{markdown(lines)}\n{END}{after}"


def _rows(lines: Iterable[Line]) -> Iterator[str]:
    yield "| figure | what, and what stands beside it | ours | beside it | ratio | wanted | reached |"
    yield "|---|---|---|---|---|---|---|"
    for line in lines:
        what = f"{line.what}; {line.against}" if line.against else line.what
        reached = {None: "", True: "yes", False: "**no**"}[line.reached]
        yield f"| `{line.name}` | {what} | {' | '.join(_cells(line))} | {reached} |"


def _cells(figure: Figure) -> tuple[str, str, str, str]:
    ours, baseline = figure.ours, figure.baseline
    return (
        _side(ours, figure.unit, figure.beside),
        "–" if baseline is None else _side(baseline, figure.unit, figure.beside_baseline),
        "–" if figure.ratio is None else _ratio(figure.ratio, figure.spread),
        "–" if figure.wanted is None else str(figure.wanted),
    )


def _ratio(ratio: float, spread: float) -> str:
    return spelled(ratio) + (f" ± {spelled(spread / 2)}" if spread else "")


def _side(spread: Spread, unit: str, beside: Mapping[str, float]) -> str:
    """`2.91 ± 0.12 ms (recall@10 .998)`; the spread is half of what lies between the quartiles."""
    known = ", ".join(f"{name} {_share(value)}" for name, value in beside.items())
    half = f" ± {_number(spread.iqr / 2)}" if spread.iqr else ""
    return f"{_number(spread.median)}{half} {unit}" + (f" ({known})" if known else "")


def _share(value: float) -> str:
    """Of what lies so near 1 that three decimals would say it is 1, four."""
    return f"{value:.4f}".lstrip("0") if 0.9995 <= value < 1 else short(value)


def _number(value: float) -> str:
    """About three digits that count."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
