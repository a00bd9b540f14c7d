"""The tables of a benchmark of stores."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from eval.benchmarks.report import Figures, Growth, Report
from eval.benchmarks.trial import Answers, Memory
from eval.figures import short
from indexer.printing import stdout


def print_report(report: Report) -> None:
    console = stdout()
    console.print(Text(str(report.machine), style="dim"))
    console.print(Text(f"vectors of 2 × {report.dim}, {report.questions} questions of each kind, one process asking"))
    for sentence in (*report.choices.values(), *map(str, report.gaps)):
        console.print(Text(sentence))
    if report.figures:
        console.print(_kept(report.figures), _answered(report.figures), sep="\n")
    if report.growth:
        console.print("Growth per tenfold catalogue (10: as the catalogue, 1: not at all)")
        console.print(_growth(report.growth))


def _kept(figures: Sequence[Figures]) -> Table:
    heads = ("points/s", "finish s", "open s", "disk B/product", "memory MB", "own", "mapped")
    table = _table("store", "points", *heads)
    for one in figures:
        table.add_row(
            one.store,
            f"{one.points:,}",
            f"{one.points_per_second:,.0f}",
            f"{one.finish_seconds:,.1f}",
            f"{one.open_seconds:.2f}",
            "–" if one.disk_bytes_per_product is None else f"{one.disk_bytes_per_product:,.0f}",
            *_megabytes(one.memory),
        )
    return table


def _answered(figures: Sequence[Figures]) -> Table:
    table = _table("ms p50 / p95, recall@10", "points", *(str(one.case) for one in figures[0].answers))
    for one in figures:
        table.add_row(one.store, f"{one.points:,}", *map(_answer, one.answers))
    return table


def _growth(growths: Sequence[Growth]) -> Table:
    table = _table("store", "points", *growths[0].factors)
    for one in growths:
        factors = ("–" if factor is None else f"{factor:.1f}" for factor in one.factors.values())
        table.add_row(one.store, f"{one.smaller:,} → {one.larger:,}", *factors)
    return table


def _answer(one: Answers) -> str:
    return f"{one.p50:.2f} / {one.p95:.2f}  {short(one.recall)}"


def _megabytes(memory: Memory | None) -> tuple[str, str, str]:
    if memory is None:
        return "–", "–", "–"
    own, mapped = memory.own / 1e6, memory.mapped / 1e6
    return f"{own + mapped:,.0f}", f"{own:,.0f}", f"{mapped:,.0f}"


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for place, column in enumerate(columns):
        table.add_column(column, justify="right" if place else "left", no_wrap=True)
    return table
