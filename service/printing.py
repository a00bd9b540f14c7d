"""Answers as tables for people."""

from collections.abc import Sequence
from datetime import date

from rich.console import Console
from rich.table import Table
from rich.text import Text

from indexer.domain import Channel
from indexer.images.regions import Region
from indexer.printing import stdout
from service.search.answer import Answer, Result
from service.search.facets import Facet

_MARKS = {True: "✓", False: "✗", None: "?"}


def print_answer(answer: Answer) -> None:
    console = stdout()
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("#", "product", "id", "price", "score", *answer.weights, "checks"):
        table.add_column(column, justify="left" if column in ("product", "id", "checks") else "right", overflow="fold")
    for result in answer.results:
        table.add_row(*(Text(cell) for cell in _cells(result, answer)))
    if answer.chips:
        console.print(Text("understood: " + " · ".join(chip.label for chip in answer.chips), style="dim"))
    if answer.nothing_close is not None:
        console.print("Nothing here is close to that. The nearest there are:")
    console.print(table if answer.results else "Nothing found.")
    for facet in answer.facets:
        console.print(Text(_facet(facet)))
    console.print(Text(_footer(answer), style="dim"))
    if answer.next is not None and answer.explain is not None:
        console.print(Text(f"next page: --cursor {answer.next}", style="dim"), soft_wrap=True)
    if answer.more == "limit":
        console.print("There is more, but not in this search; narrow it with filters.")
    for one in answer.why_not:
        console.print(Text(f"{one.id}: {one.detail}"))
    if answer.explain is not None:
        _print_explanation(answer, console)


def print_regions(regions: Sequence[Region]) -> None:
    """As `--box` takes them."""
    for region in regions:
        box = region.box
        shares = ",".join(f"{value:.3f}" for value in (box.left, box.top, box.width, box.height))
        print(f"--box {shares}   {region.share:.0%} of the photo")


def _cells(result: Result, answer: Answer) -> list[str]:
    price = "" if result.price is None else f"{result.price:,.2f} {result.currency or ''}".strip()
    channels = [result.channels.get(channel) for channel in answer.weights]
    raw = ["–" if one is None or one.raw is None else f"{one.raw:.3f}" for one in channels]
    checks = " ".join(f"{field} {_MARKS[verdict]}" for field, verdict in result.checks.items())
    if result.verdict is not None:
        checks = ", ".join(one.label for one in result.verdict.checks if one.telling)
    title = result.title if result.variants is None else f"{result.title} ({result.variants.label})"
    return [str(result.rank), title, result.id, price, f"{result.score:.3f}", *raw, checks]


def _facet(facet: Facet) -> str:
    """The values marked ~ were guessed from photos, all or some."""
    values = [f"{one.value}{'~' if one.guessed else ''} {one.count}" for one in facet.values]
    values += [f"{_end(one.low)}…{_end(one.high)} {one.count}" for one in facet.ranges]
    return f"{facet.field}: {', '.join(values)}  (of {facet.candidates} candidates)"


def _end(bound: float | date | None) -> str:
    return "" if bound is None else f"{bound:g}" if isinstance(bound, float) else str(bound)


def _footer(answer: Answer) -> str:
    weights = ", ".join(f"{channel} {weight:.2f}" for channel, weight in answer.weights.items())
    timings = ", ".join(f"{stage} {spent:.1f}" for stage, spent in answer.timings_ms.items())
    skipped = f"; skipped: {', '.join(answer.degraded)}" if answer.degraded else ""
    return f"{answer.kind} query on {answer.catalog}; weights {weights}; ms: {timings}{_verified(answer)}{skipped}"


def _verified(answer: Answer) -> str:
    """Who judged, and what it cost where it did."""
    told = answer.verification
    if told is None or not told.by:
        return ""
    cost = f", calls {told.calls}, remembered {told.cached}, ${told.dollars:.4f}" if told.calls or told.cached else ""
    return f"; verified by {' and '.join(told.by)}{cost}"


def _print_explanation(answer: Answer, console: Console) -> None:
    explain = answer.explain
    if explain is None:
        return
    for channel, (mean, deviation) in explain.spreads.items():
        score = "score / best candidate's" if channel is Channel.LEXICAL else "score"
        console.print(f"{channel}: calibrated as ({score} − {mean:.4f}) / {deviation:.4f}")
    for change in explain.changes:
        console.print(Text(f"change of {change.field}: {change.source or 'anything'} → {change.target}"))
    for result in answer.results:
        if result.boosts:
            added = ", ".join(f"{name} {amount:+.2f}" for name, amount in result.boosts.items())
            console.print(Text(f"{result.id}: {added}"))
    console.print(f"{explain.candidates} photos of {explain.products} products came into question.")
    moved = [
        f"{result.id} {explain.fused_ranks[result.id]} → {result.rank}"
        for result in answer.results
        if explain.fused_ranks[result.id] != result.rank
    ]
    if moved:
        console.print(Text(f"moved by checks, rules, grouping or sorting: {', '.join(moved)}"))
