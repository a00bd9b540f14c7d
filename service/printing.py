"""Answers as tables for people."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from indexer.printing import stdout
from service.search.answer import Answer, Result

_MARKS = {True: "✓", False: "✗", None: "?"}


def print_answer(answer: Answer) -> None:
    console = stdout()
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("#", "product", "id", "price", "score", *answer.weights, "checks"):
        table.add_column(column, justify="left" if column in ("product", "id", "checks") else "right", overflow="fold")
    for result in answer.results:
        table.add_row(*(Text(cell) for cell in _cells(result, answer)))
    console.print(table if answer.results else "Nothing found.")
    console.print(Text(_footer(answer), style="dim"))
    if answer.explain is not None:
        _print_explanation(answer, console)


def _cells(result: Result, answer: Answer) -> list[str]:
    price = "" if result.price is None else f"{result.price:,.2f} {result.currency or ''}".strip()
    channels = [result.channels.get(channel) for channel in answer.weights]
    raw = ["–" if one is None or one.raw is None else f"{one.raw:.3f}" for one in channels]
    checks = " ".join(f"{field} {_MARKS[verdict]}" for field, verdict in result.checks.items())
    return [str(result.rank), result.title, result.id, price, f"{result.score:.3f}", *raw, checks]


def _footer(answer: Answer) -> str:
    weights = ", ".join(f"{channel} {weight:.2f}" for channel, weight in answer.weights.items())
    timings = ", ".join(f"{stage} {spent:.1f}" for stage, spent in answer.timings_ms.items())
    skipped = f"; skipped: {', '.join(answer.degraded)}" if answer.degraded else ""
    return f"{answer.kind} query on {answer.catalog}; weights {weights}; ms: {timings}{skipped}"


def _print_explanation(answer: Answer, console: Console) -> None:
    explain = answer.explain
    if explain is None:
        return
    for channel, (mean, deviation) in explain.spreads.items():
        console.print(f"{channel}: calibrated as (score − {mean:.4f}) / {deviation:.4f}")
    for change in explain.changes:
        console.print(Text(f"change of {change.field}: {change.source or 'anything'} → {change.target}"))
    console.print(f"{explain.candidates} photos of {explain.products} products came into question.")
    moved = [
        f"{result.id} {explain.fused_ranks[result.id]} → {result.rank}"
        for result in answer.results
        if explain.fused_ranks[result.id] != result.rank
    ]
    if moved:
        console.print(Text(f"moved by verification: {', '.join(moved)}"))
